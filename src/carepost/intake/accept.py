"""The one door (law 1): facts, decision, plan, durable. When `accept` returns, the message survives a power cut."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from carepost.directory.threads import StaticThreads, Threads
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock
from carepost.ground.config import Config
from carepost.ground.errors import CarepostError, Refused, Unavailable
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.intake import (
    asked,
    batches,
    checks,
    conversations,
    draft,
    dry_run,
    fronted,
    returning,
    review,
    routing,
    stages,
)
from carepost.intake.anchors import Anchors
from carepost.intake.bounces import Bounces
from carepost.intake.conversations import Conversations, NotJoined
from carepost.intake.facts import About
from carepost.intake.forwarding import Forwarding
from carepost.intake.harvest import Harvest
from carepost.intake.inbound import Inbound
from carepost.intake.judge import Judge, Judged, Seer
from carepost.intake.looking import Inspector
from carepost.intake.orgkeys import Owners
from carepost.intake.passing import Keeper, Passing
from carepost.intake.previews import Previews
from carepost.intake.proving import Dns, NoDns, Prover
from carepost.intake.refusals import Refusals, RefusedSender
from carepost.intake.returns import Returns
from carepost.intake.route import shard_of_key
from carepost.intake.stages import Begun
from carepost.policy.types import Deliver, Hold, Refuse
from carepost.queue.types import DeliveryRecord, MessageRecord
from carepost.rfc import lines
from carepost.rfc import message as rfc_message
from carepost.rfc.envelope import Recipient
from carepost.rfc.message import Message
from carepost.wire.types import Accepted, AcceptedDelivery, Origin, Submission, WayView


class Elsewhere(Protocol):
    """`intake.client.AsyncClient`: engines that hold the other shards."""

    async def accept(self, submission: Submission) -> Accepted: ...


class Intake:
    def __init__(
        self,
        queues: Mapping[int, Keeper],
        directory: Owners,
        posture: Seer,
        purposes: PurposeKeys,
        config: Config,
        *,
        shards: int = 1,
        node: int = 0,
        elsewhere: Elsewhere | None = None,
        dns: Dns | None = None,
        threads: Threads | None = None,
        inspector: Inspector | None = None,
    ) -> None:
        """`queues`: of this process, by shard (`node << 6 | shard`). `purposes`: index, and what opens organisations'
        keys. `shards`: of the whole home; a message with a key goes to the shard its key belongs to. `dns`: asked who
        sent what came by MX; `threads`: the portal's conversations; without them nothing is proved, and none is found.
        `inspector`: looks into what a preview is asked about.
        """
        if not queues:
            raise ValueError("an intake needs a queue")
        self._queues = dict(queues)
        self._turn = itertools.cycle(self._queues.values())
        self._directory = directory
        self._config = config
        self._shards = shards
        self._node = node
        self._elsewhere = elsewhere
        self._token_key = purposes.raw("index", b"intake")
        self._conversations = Conversations(threads or StaticThreads(), config.hostname)
        #: takes the keys that people send along
        self.harvest = Harvest(lambda: next(self._turn), Anchors())
        self._inbound = Inbound(Prover(dns or NoDns()), self._conversations, self.harvest, Forwarding(purposes))
        self._fronted = fronted.Fronted(Prover(dns or NoDns()), config.hostname)
        #: opens what came encrypted to a tenant; None: it goes on as it came
        self.opener: fronted.Opener | None = None
        self._refusals = Refusals(lambda: next(self._turn))
        self.judge = Judge(posture, purposes)
        self.returns = Returns(OrgKeys(purposes))
        self._bounces = Bounces(self.returns)
        self._previews = Previews(self.judge, inspector)
        self._checks = dry_run.Meter()
        self._returning = returning.Returning(purposes, config.hostname)

    async def close(self) -> None:
        """Puts on record what was only counted so far. Before the queues are closed."""
        await self.harvest.close()
        await self._refusals.close()

    async def accept(self, submission: Submission) -> Accepted:
        """After the commit. Raises Refused, Unavailable (nothing was accepted), NotFound (no such organisation)."""
        if submission.origin is Origin.MX:
            checks.shape(submission, self._config.max_message, self._config.max_recipients)
            return await self._from_world(submission)
        if submission.gateway and self._returning.addressed(submission):
            return await self._returned(submission)
        if submission.origin is Origin.SMTP and dry_run.suspected(submission):
            answer = await self._dry_run(submission)
            if answer is not None:
                return await self._take(answer)
        if conversations.wanted(submission):
            return await self._with_answers(submission)
        return await self._take(submission)

    async def accept_many(self, submissions: Sequence[Submission]) -> list[Accepted | CarepostError]:
        """Each as `accept`, in order, sharing commits: what one of them comes to stands in its place, and spoils no
        other. Returns after the commit of all; the loop goes on meanwhile. Raises nothing."""
        return await batches.accept(submissions, self.begin_all, self.accept)

    def begin_all(self, submissions: Sequence[Submission]) -> list[Begun]:
        """`accept` of each as far as it goes without waiting, in order, stage by stage: what one comes to stands in its
        place, and spoils no other; None: `accept` has to be asked. Raises nothing."""
        if len(submissions) == 1:
            # nothing to go together with
            return [self._one(submissions[0])]
        found: list[Begun] = []
        start = size = 0
        for end, submission in enumerate(submissions, 1):
            size += len(submission.body)
            if end - start >= stages.MOST or size >= stages.MOST_BYTES or end == len(submissions):
                found += self._through(submissions[start:end])
                start, size = end, 0
        return found

    def _one(self, submission: Submission) -> Begun:
        try:
            return None if self._asks(submission) else self._begin(submission)
        except Exception as error:
            return error

    def _through(self, submissions: Sequence[Submission]) -> list[Begun]:
        ones = [Passing(submission) for submission in submissions]
        return stages.through(ones, (self._at_once, self._enter, self._decide, self._draft, self._seal))

    @staticmethod
    def _asks(submission: Submission) -> bool:
        """Something of it must be waited for besides the commit."""
        if submission.origin is Origin.MX or (submission.origin is Origin.SMTP and dry_run.suspected(submission)):
            return True
        return conversations.wanted(submission)

    def _at_once(self, one: Passing) -> bool:
        return not self._asks(one.submission)

    async def _returned(self, submission: Submission) -> Accepted:
        """A test message that has gone once round. Raises Refused, SenderRefused."""
        snapshot, _, _ = self._read(submission)
        if not self._returning.fits(submission):
            raise Refused(
                "gateway-check-over",
                "This address was good for an hour and one connection; ask for a new one on the page Gateway.",
                enhanced="5.1.1", status=422,
            )  # fmt: skip
        self._checks.count(submission.org)
        writer = next(self._turn)
        id_, event = returning.noted(submission, snapshot.policy_version, writer.number)
        await writer.note(submission.org, event)
        return Accepted(id_, ())

    async def _dry_run(self, submission: Submission) -> Submission | None:
        """The answer to a protection check; None where it is none. That it was asked is on record before."""
        try:
            snapshot, read, about = self._read(submission)
        except checks.SenderRefused as error:
            self._tell(submission, error)
            raise
        recipients = dry_run.recipients(submission, snapshot, read)
        if recipients is None:
            return None
        self._checks.count(submission.org)
        writer = next(self._turn)
        event = dry_run.asked_event(submission, recipients, snapshot.policy_version, writer.number)
        await writer.note(submission.org, event)
        return dry_run.answer(submission, read, await self._previews.of(snapshot, about, submission, recipients))

    async def _take(self, submission: Submission) -> Accepted:
        begun = self._begin(submission)
        if begun is not None:
            return await begun
        if self._elsewhere is None:
            raise Unavailable("shard-elsewhere", "The engine this message belongs to does not answer; try again later.")
        return await self._elsewhere.accept(submission)

    def _begin(self, submission: Submission) -> asyncio.Future[Accepted] | None:
        """None: it belongs to another engine's shard."""
        one = Passing(submission)
        if not self._enter(one):
            return None
        self._decide(one)
        self._draft(one)
        self._seal(one)
        return one.begun

    # the stages of a message: each answers whether it goes on, or raises

    def _enter(self, one: Passing) -> bool:
        """False: it belongs to another engine's shard."""
        queue = self._queue(one.submission)
        if queue is None:
            return False
        one.queue = queue
        try:
            one.snapshot, one.read, one.about = self._read(one.submission)
        except checks.SenderRefused as error:
            self._tell(one.submission, error)
            raise
        return True

    def _decide(self, one: Passing) -> bool:
        one.judged = self._judge(one.submission, one.snapshot, one.about)
        return True

    def _draft(self, one: Passing) -> bool:
        submission, snapshot, about = one.submission, one.snapshot, one.about
        if about.routed:
            submission = routing.tagged(submission, routing.routed(snapshot, about, _once(submission)))
        host = self._config.hostname
        drafting = draft.Drafting(submission, one.read, about, snapshot.policy_version, one.queue.number, host)
        one.new = drafting.message(one.judged, self._token_key, one.queue)
        return True

    def _seal(self, one: Passing) -> bool:
        one.begun = one.queue.submit(one.new)
        return True

    async def _from_world(self, submission: Submission) -> Accepted:
        snapshot = self._directory.snapshot(submission.org)
        front = fronted.wanted(submission, snapshot)
        if front is not None:
            taken = await self._fronted.take(submission, snapshot, front, self.opener)
            accepted = await self._take(taken.submission)
            if snapshot.key_sources:
                self.harvest.offer(snapshot, submission.body, taken.proved.dmarc_word)
                self.harvest.offer_found(snapshot, taken.found, taken.proved.dmarc_word)
            return accepted
        if self._bounces.wanted(submission, snapshot):
            return await self._bounces.take(submission, snapshot, next(self._turn))
        try:
            joined = await self._inbound.take(submission, snapshot, next(self._turn))
        except NotJoined as error:
            self._not_joined(submission, error)
            raise
        return joined if isinstance(joined, Accepted) else await self._take(joined)

    async def _with_answers(self, submission: Submission) -> Accepted:
        """A submission of which some recipients may be conversations of the portal. Those are accepted first: each has
        a key of its own, so that whoever is told to try again makes no second one."""
        snapshot, read, _ = self._read(submission)
        try:
            left, answers = await self._conversations.of_ours(submission, snapshot, read)
        except NotJoined as error:
            self._not_joined(submission, error)
            raise
        accepted = [await self._take(one) for one in (*answers, *([left] if left is not None else []))]
        deliveries = tuple(delivery for one in accepted for delivery in one.deliveries)
        return msgspec.structs.replace(accepted[-1], deliveries=deliveries)

    def _not_joined(self, submission: Submission, error: NotJoined) -> None:
        sub = submission
        self._refusals.tell(RefusedSender(sub.org, sub.actor, sub.origin, sub.envelope.sender, error.cause, sub.client))

    async def preview(self, submission: Submission) -> tuple[AcceptedDelivery, ...]:
        """What each recipient would get and why: the same judgement, nothing written; decided again at delivery."""
        snapshot, _, about = self._read(submission)
        return await self._previews.of(snapshot, about, submission, _once(submission))

    def ways(self, org: bytes, message: MessageRecord, record: DeliveryRecord) -> tuple[WayView, ...]:
        """How a held delivery would leave if it were released: decided again at the attempt."""
        return review.ways(self.judge.waiting(self._directory.snapshot(org), message, record), record.plan)

    def sender_refused(self, refused: RefusedSender) -> None:
        """Somebody was refused a sender address before there was a message; it is an event (BI-015)."""
        self._refusals.tell(refused)

    def _tell(self, submission: Submission, error: checks.SenderRefused) -> None:
        sub = submission
        self._refusals.tell(RefusedSender(sub.org, sub.actor, sub.origin, error.sender, error.cause, sub.client))

    def _queue(self, submission: Submission) -> Keeper | None:
        if submission.key is None:
            return next(self._turn)
        return self._queues.get(shard_of_key(submission.org, submission.key, self._shards, self._node))

    def _read(self, submission: Submission) -> tuple[OrgSnapshot, Message, About]:
        """What is refused whatever the recipient. Raises Refused, Unavailable, NotFound."""
        config = self._config
        checks.shape(submission, config.max_message, config.max_recipients)
        lines.check_lengths(submission.body)
        snapshot = self._directory.snapshot(submission.org)
        read = rfc_message.read(submission.body)
        checks.sender(submission, snapshot, read.from_, config.hostname)
        checks.named(submission, snapshot, read, self._directory.domain_owner)
        if submission.tracking is not None:
            checks.tracking(submission, submission.tracking, snapshot)
        if submission.send_at:
            checks.ahead(submission, snapshot, clock.now())
        about = About(
            sender=submission.forwarder or read.from_[0].address,
            kind=submission.kind,
            category=submission.category,
            data_class=submission.data_class,
            purpose=submission.purpose,
            origin=submission.origin._value_,
            asked_floor=submission.protection.minimum,
            asked_methods=submission.protection.methods,
            access=submission.protection.access,
        )
        if snapshot.rules:
            about = asked.read(about, snapshot, submission, read)
        return snapshot, read, about

    def _judge(self, submission: Submission, snapshot: OrgSnapshot, about: About) -> list[tuple[Recipient, Judged]]:
        """Raises Refused where nobody may get it: then it is told at the door."""
        if about.routed:
            judged = self._routed(submission, snapshot, about)
        else:
            judged = [(r, self.judge.judge(snapshot, about, r.address)) for r in _once(submission)]
        refusals = [one.decision for _, one in judged if isinstance(one.decision, Refuse)]
        if len(refusals) == len(judged):
            raise Refused(refusals[0].reason, refusals[0].words, enhanced="5.7.1", status=422)
        if submission.hold is not None:
            # a release looks into the message; until then the caller's word is enough
            judged = [(r, msgspec.structs.replace(one, asks=frozenset(), seeks=False)) for r, one in judged]
            return [(r, _kept_back(one, *submission.hold)) for r, one in judged]
        return judged

    def _routed(self, submission: Submission, snapshot: OrgSnapshot, about: About) -> list[tuple[Recipient, Judged]]:
        """With the recipients that rules add. What is refused is not copied either."""
        judged: list[tuple[Recipient, Judged]] = []
        refused: set[str] = set()
        for one in routing.routed(snapshot, about, _once(submission)):
            if one.via is not None and one.via.how == "copy" and one.via.of in refused:
                continue
            found = self.judge.judge(snapshot, routing.about_for(about, one.via), one.recipient.address)
            if isinstance(found.decision, Refuse):
                refused.add(one.via.of if one.via is not None else one.recipient.address)
            if one.via is not None:
                found = msgspec.structs.replace(found, via=one.via)
            judged.append((one.recipient, found))
        return judged


def _kept_back(judged: Judged, reason: str, words: str) -> Judged:
    """The caller's own hold, where the decision would deliver; a person's release ends it."""
    decision = judged.decision
    if not isinstance(decision, Deliver):
        return judged
    held = Hold(reason, words, decision.plan.rule, decision.plan.policy_version)
    return msgspec.structs.replace(judged, decision=held)


def _once(submission: Submission) -> tuple[Recipient, ...]:
    """Each address once; the first of equal ones counts."""
    recipients = submission.envelope.recipients
    if len(recipients) == 1:
        return recipients
    once: dict[str, Recipient] = {}
    for recipient in recipients:
        once.setdefault(recipient.address, recipient)
    return tuple(once.values())
