"""One attempt at one delivery: decide again, make ready, carry, conclude. Holds no transaction; settles nothing itself.

The queue has put the attempt on record before it begins, and commits the settlement this returns (law 6)."""

import functools
from collections.abc import Awaitable, Callable

import msgspec

from carepost.delivery import bounce, content, events, fronts, paced, ready, returns, sessions, testing, tlsrpt
from carepost.delivery.conclude import End, conclude, deposited, ended, failed, plan_changed, replanned, stopped
from carepost.delivery.courier import Carried, Need, Parcel
from carepost.delivery.events import About
from carepost.delivery.gathering import gather
from carepost.delivery.hops import Hops
from carepost.delivery.methods import keyed, portal
from carepost.delivery.methods.tls import Prepared, Unready
from carepost.delivery.needs import needed
from carepost.delivery.outcome import REASONS, Lead, Outcome, classify, outcome
from carepost.delivery.ways import Wait
from carepost.delivery.world import World
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, entropy, ids
from carepost.ground.errors import CarepostError, Unavailable
from carepost.policy.again import after, decide_again
from carepost.policy.decide import is_look
from carepost.policy.seeking import sought
from carepost.policy.types import Deliver, Facts, Method, Plan, Step
from carepost.posture import Measured
from carepost.posture.types import Side
from carepost.proof import kinds
from carepost.queue.types import Claim, DeliveryRecord, EventDraft, MessageRecord, Settlement, Stage, State
from carepost.rfc import dsn

#: seconds before a delivery is looked at again when the office could not be read
OFFICE_AWAY = 30


class Attempt:
    """`body` reads the message once, where `whole` is not at hand. `before_dot` is called just before a final dot."""

    def __init__(
        self,
        claim: Claim,
        message: MessageRecord,
        body: Callable[[], Awaitable[bytes]],
        world: World,
        before_dot: Callable[[], None],
        whole: bytes | None = None,
    ) -> None:
        self.claim = claim
        self.message = message
        self.world = world
        self.about = About(claim, message, clock.now())
        self._read = body
        self._body = whole
        self._before_dot = before_dot
        self._events: list[EventDraft] = []
        self._facts: Facts | None = None

    async def run(self) -> Settlement:
        """Raises Unavailable, NotFound (no such organisation), Damaged or WrongKey where nothing could be decided or
        read: nothing was sent then."""
        snapshot = self.world.directory.snapshot(self.claim.org)
        if self._over():
            end = self._end(self._stored_step(), outcome(Lead.FAILED, "expired-in-queue"), snapshot)
            return await self._reported(failed(end, end.outcome), snapshot, None)
        if self.claim.record.refused:
            end = self._end(self._stored_step(), outcome(Lead.FAILED, self.claim.record.refused), snapshot)
            return await self._reported(ended(end), snapshot, None)
        if content.asked(snapshot):
            await self._look_inside(snapshot)
        if snapshot.key_sources and self.world.seeker is not None:
            snapshot = await self._look_for_keys(snapshot)
        planned = self._plan(snapshot)
        if self.message.test:
            ready = functools.partial(self._ready, snapshot=snapshot, sevenbit=False)
            return await testing.finish(planned, ready, functools.partial(self._end, snapshot=snapshot))
        if isinstance(planned, Settlement):
            return await self._reported(planned, snapshot, None)
        step = planned
        if step.method is Method.PORTAL:
            return await self._deposit(step, snapshot)
        return await self._carry(step, snapshot)

    # deciding

    def _plan(self, snapshot: OrgSnapshot) -> Step | Settlement:
        """The step to carry out now, by the stricter of the stored plan and a fresh decision (law 3)."""
        claim = self.claim
        stored = claim.record.plan
        before = self._stored_step()
        if before is not None and claim.decided == (snapshot.epoch, self.world.posture.version):
            return before
        decision = decide_again(stored, self.facts(snapshot))
        if not isinstance(decision, Deliver):
            end = self._end(before, outcome(Lead.RETRY, decision.reason), snapshot)
            return stopped(end, decision)
        plan = decision.plan
        if stored is not None and _same(stored, plan, before):
            return plan.steps[0]
        end = self._end(before, outcome(Lead.RETRY, plan.reason), snapshot)
        if before is None or before.method is not plan.steps[0].method:
            return replanned(end, plan)
        self._events.append(plan_changed(self.about, before, plan))
        self._adopt(plan)
        return plan.steps[0]

    def facts(self, snapshot: OrgSnapshot) -> Facts:
        """All the decision may look at, as of now."""
        if self._facts is None:
            self._facts = gather(self.world, snapshot, self.message, self.claim.record)
        return self._facts

    async def _look_inside(self, snapshot: OrgSnapshot) -> None:
        """Content is unknown until somebody looked, and looked at only where it could change the decision."""
        facts, inspector = self.facts(snapshot), self.world.inspector
        needed = content.wanted(snapshot, facts)
        if inspector is None or not needed:
            return
        seen = await content.look(inspector, snapshot, facts, needed, self._whole, self.claim.message)
        self.claim.record = msgspec.structs.replace(self.claim.record, content=seen.facts)
        self._facts = msgspec.structs.replace(facts, content=seen.facts)
        values = {"findings": seen.findings} if seen.findings else {}
        told = content.told(seen, self._facts)
        self._events.append(self.about.make(kinds.DELIVERY_INSPECTED, facts=told, values=values))

    async def _look_for_keys(self, snapshot: OrgSnapshot, given_up: Facts | None = None) -> OrgSnapshot:
        """The organisation as it is once somebody asked for a key of the recipient, where one could come next."""
        before = None if given_up is not None else self._stored_step()
        if before is not None and before.method is not Method.PORTAL and not is_look(before):
            return snapshot
        methods = sought(given_up if given_up is not None else self.facts(snapshot))
        seeker = self.world.seeker
        if seeker is None or not methods or not snapshot.key_sources:
            return snapshot
        if not await seeker.look(snapshot, self.claim.record.recipient.address, methods):
            return snapshot
        self._facts = None
        return self.world.directory.snapshot(self.claim.org)

    def _stored_step(self) -> Step | None:
        """The stored plan's first step whose method was not given up."""
        record = self.claim.record
        for step in record.plan.steps[record.step :] if record.plan is not None else ():
            if step.method not in record.exhausted:
                return step
        return None

    def _adopt(self, plan: Plan) -> None:
        self.claim.record = msgspec.structs.replace(self.claim.record, plan=plan, step=0)

    # the portal

    async def _deposit(self, step: Step, snapshot: OrgSnapshot) -> Settlement:
        body = await self._whole()
        record = self.claim.record
        values = kinds.commit_deposit(body)
        values["portal"] = portal.encode(portal.note(record, step))
        end = self._end(step, outcome(Lead.SENT, "deposited"), snapshot)
        return deposited(end, values, portal.proof_word(step, record))

    # the wire

    async def _carry(self, step: Step, snapshot: OrgSnapshot) -> Settlement:
        record = self.claim.record
        domain = record.recipient.domain
        route = snapshot.route(domain)
        finder, fronts_ = self.world.finder, self.world.fronts
        hops = None
        if snapshot.gateways and fronts_ is not None:
            hops = await fronts_.hops(snapshot, self.message, step, domain)
        hops = hops or finder.known(domain, route) or await finder.find(domain, route)
        if hops.fault:
            if not tlsrpt.carries(self.message):
                sessions.unreached(self.world.posture, self.claim.org, hops)
            end = self._end(step, classify(Stage.DNS, None, hops.fault), snapshot, hops=hops)
            return await self._reported(conclude(end), snapshot, None)
        way = paced.begin(self.world.pace, self.claim, snapshot, self.message, hops)
        if isinstance(way, Wait):
            return paced.held_back(self.about, way)
        carried: Carried | None = None
        try:
            carried, prepared = await self._send(step, snapshot, hops, paced.by(way, self._need(step, hops)))
        except Unready as error:
            lead = Lead.METHOD if step.method in keyed.METHODS or str(error) == "no-8bitmime" else Lead.FAILED
            end = self._end(step, outcome(lead, str(error), otherwise=Lead.FAILED), snapshot, hops=hops)
            return await self._reported(conclude(end), snapshot, None)
        finally:
            self._events += paced.over(self.world.pace, self.about, way, hops, carried)
        self._learn(hops, carried)
        ended = carried.ended
        why = "looked" if carried.short and is_look(step) else ended.error
        found = fronts.classified(hops, carried, why)
        values, used = {}, {}
        if found.lead in (Lead.SENT, Lead.UNCERTAIN) and prepared is not None:
            values = kinds.commit_sent(prepared.data, prepared.body_hash, prepared.mail)
            used = self._used(step, snapshot, prepared)
        elif found.lead is Lead.METHOD:
            given_up = after(self.facts(snapshot), step.method, carried.achieved)
            snapshot = await self._look_for_keys(snapshot, given_up)
        end = self._end(step, found, snapshot, carried=carried, hops=hops, values=values, used=used)
        return await self._reported(conclude(end), snapshot, carried)

    def _used(self, step: Step, snapshot: OrgSnapshot, prepared: Prepared) -> dict[str, str]:
        """Ids of the keys and what is watched, as facts; a recipient's key that was found is asked for in its time."""
        used = {kinds.SIGNING_KEY: prepared.signed} if prepared.signed else {}
        if prepared.tracked:
            used = {**used, "tracked": prepared.tracked}
        row = prepared.to
        if row is None:
            return used
        address = self.claim.record.recipient.address
        if not row.pinned and self.world.seeker is not None and snapshot.key_sources:
            self.world.seeker.again(snapshot, address, step.method)
        return {**used, kinds.RECIPIENT_KEY: row.id}

    async def _send(self, step: Step, snapshot: OrgSnapshot, hops: Hops, need: Need) -> tuple[Carried, Prepared | None]:
        if is_look(step):
            return await self.world.courier.look(hops, need), None
        prepared = fronts.marked(hops, await self._ready(step, snapshot, sevenbit=False))
        carried = await self._one(prepared, step, hops, need)
        if carried.ended.error == "no-8bitmime":
            # Before DKIM or not at all: the message is made ready once more, in ASCII (RFC 6152 3).
            prepared = fronts.marked(hops, await self._ready(step, snapshot, sevenbit=True))
            carried = await self._one(prepared, step, hops, need)
        return carried, prepared

    def _one(self, prepared: Prepared, step: Step, hops: Hops, need: Need) -> Awaitable[Carried]:
        record, utf8 = self.claim.record, self.message.smtputf8
        sender = fronts.reverse_path(self.world.fronts, self.message, self.claim)
        if not hops.gateway:
            sender = returns.sender(self.world, self.message, self.claim, sender)
        sealed = keyed.seal(
            step.method, prepared, floor=need.floor, sender=sender, recipient=record.recipient.address, utf8=utf8
        )
        parcel = Parcel(sealed, record.recipient, self._before_dot, need.requiretls)
        return self.world.courier.send(parcel, hops, need)

    async def _ready(self, step: Step, snapshot: OrgSnapshot, *, sevenbit: bool) -> Prepared:
        claim, snapshot = self.claim, fronts.without_keys(snapshot, self.message)
        if self.message.origin == "inbound":
            return fronts.untouched(await self._whole())
        if step.method in keyed.METHODS:
            if self.world.keyed is None:
                raise Unready(keyed.NO_KEY)
            return await self.world.keyed.prepare(
                step.method, claim.delivery, await self._whole(), snapshot,
                address=claim.record.recipient.address, header_from=self.message.header_from,
                head=claim.worked.head if claim.worked is not None else None,
            )  # fmt: skip
        body, facts = self._body or await self._whole(), functools.partial(self.facts, snapshot)
        return await ready.plain(self.world, snapshot, self.message, claim, body, facts, sevenbit=sevenbit)

    def _need(self, step: Step, hops: Hops) -> Need:
        """The MX set is measured before anything is sent: one that moved just now must not be believed just now."""
        if hops.pinned:
            return needed(step, self.message, least=hops.least, pinned=True)
        posture, domain = self.world.posture, hops.domain
        self._alert(domain, posture.record(domain, Measured(hosts=hops.hosts, secure=hops.secure)))
        return needed(
            step, self.message, weakened=posture.weakened(domain), tls_once=posture.starttls_once(domain),
        )  # fmt: skip

    def _learn(self, hops: Hops, carried: Carried) -> None:
        sides: tuple[Side, ...] = ()
        if carried.met and not tlsrpt.carries(self.message):
            sides = sessions.learn(self.world.posture, self.claim.org, hops, carried.met)
        if hops.pinned:
            if sides:
                self.world.posture.record(hops.domain, Measured(sides=sides))
            return
        measured = Measured(
            tls=carried.achieved,
            starttls=carried.offered,
            mta_sts=hops.sts.word,
            dane=events.dane_word(hops),
            sides=sides,
        )
        self._alert(hops.domain, self.world.posture.record(hops.domain, measured))

    def _alert(self, domain: str, why: str) -> None:
        if why:
            self._events.append(
                self.about.make(
                    events.DESTINATION_WEAKENED, facts={}, values={"domain": domain.encode()}, cause=why, result="held"
                )
            )

    # reports to the sender

    async def _reported(self, settlement: Settlement, snapshot: OrgSnapshot, carried: Carried | None) -> Settlement:
        """Hands in the report this end owes, before the end is on record: after a crash in between the attempt is
        made again, and the report's key makes it the same report. Unavailable: the end waits for its report."""
        record = settlement.record
        action: dsn.Action | None = None
        if settlement.state is State.FAILED:
            action = dsn.Action.FAILED
        elif settlement.state is State.SENT and carried is not None and not carried.passed_on:
            action = dsn.Action.RELAYED
        elif settlement.state is State.DEFERRED and not record.dsn_delay_sent:
            first = record.first_due or ids.made_at(self.claim.message)
            if self.about.now >= self.world.schedule.tell_delay(first):
                action = dsn.Action.DELAYED
                record = msgspec.structs.replace(record, dsn_delay_sent=True)
                settlement = msgspec.structs.replace(settlement, record=record)
        if action is None or not bounce.owed(action, self.claim, self.message):
            return settlement
        refused = await self._report(action, record, snapshot, carried)
        if refused is not None:
            return msgspec.structs.replace(settlement, events=(*settlement.events, refused))
        return settlement

    async def _report(
        self, action: dsn.Action, record: DeliveryRecord, snapshot: OrgSnapshot, carried: Carried | None
    ) -> EventDraft | None:
        """None, or the event that the report was refused at our own door: the console then shows the end alone."""
        remote, code, enhanced = "", 0, ""
        if carried is not None and carried.ended.reply is not None:
            remote, code, enhanced = carried.host, carried.ended.reply.code, carried.ended.reply.enhanced
        why = outcome(Lead.FAILED, record.reason, enhanced)
        if record.reason not in REASONS:
            # A reason of the decision: its words are constants of `policy.explain`.
            why = Outcome(Lead.FAILED, record.reason, "5.7.1", record.words)
        body = await self._whole()
        submission = bounce.build(
            action,
            self.claim,
            self.message,
            body,
            snapshot,
            why,
            hostname=self.world.hostname,
            remote=remote,
            code=code,
        )
        if submission is None:
            return None
        try:
            await self.world.intake.accept(submission)
        except Unavailable:
            raise
        except CarepostError as error:
            return self.about.make(kinds.MESSAGE_IGNORED, facts={}, cause=f"report-{error.code}", result="refused")
        return None

    # values

    async def _whole(self) -> bytes:
        if self._body is None:
            self._body = await self._read()
        return self._body

    def _over(self) -> bool:
        """Its time is over. What nobody could try yet is tried once, unless the message itself has expired."""
        record, now = self.claim.record, self.about.now
        if record.expires_at and now >= record.expires_at:
            return True
        first = record.first_due or ids.made_at(self.claim.message)
        if self.claim.attempt <= 1 or now < self.world.schedule.ends(first):
            return False
        return now >= self.world.schedule.ends(first + paced.not_counted(self.world.pace, self.claim))

    def _end(
        self,
        step: Step | None,
        found: Outcome,
        snapshot: OrgSnapshot,
        *,
        carried: Carried | None = None,
        hops: Hops | None = None,
        values: dict[str, bytes] | None = None,
        used: dict[str, str] | None = None,
    ) -> End:
        return End(
            about=self.about,
            record=self.claim.record,
            step=step,
            outcome=found,
            schedule=self.world.schedule,
            patience=snapshot.patience,
            facts=lambda: self.facts(snapshot),
            carried=carried,
            hops=hops,
            values=values or {},
            events=tuple(self._events),
            jitter=entropy.take(1)[0] / 256,
            used=used or {},
            not_counted=functools.partial(paced.not_counted, self.world.pace, self.claim),
        )


def _same(stored: Plan, plan: Plan, before: Step | None) -> bool:
    """Nothing that matters to the act differs: the step carried out now, and what counts as enough."""
    return before == plan.steps[0] and stored.floor == plan.floor and stored.exclusive == plan.exclusive
