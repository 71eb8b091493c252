"""From a submission to what the queue stores: the message made whole, its deliveries, its events."""

import hashlib
import struct
from typing import Final, Protocol

import msgspec

from carepost.crypto import dkim
from carepost.crypto.digest import hmac_sha256, sha256
from carepost.ground import clock, ids
from carepost.intake import asked, routing
from carepost.intake.facts import About
from carepost.intake.judge import Judged
from carepost.policy import holding
from carepost.policy.decide import is_look
from carepost.policy.explain import PENDING, SEEKING
from carepost.policy.types import Category, Decision, Deliver, Hold, Kind, Method, Refuse, label
from carepost.proof import commitments, kinds
from carepost.queue.types import (
    DeliveryRecord,
    EventDraft,
    Foreseen,
    MessageRecord,
    NewDelivery,
    NewMessage,
    State,
    Worked,
)
from carepost.rfc import message as rfc_message
from carepost.rfc import received
from carepost.rfc.envelope import Recipient
from carepost.rfc.message import Head, Message
from carepost.wire.types import AcceptedDelivery, HistoryRecord, Origin, Stream, Submission, Told

#: how long an idempotency key is remembered; published: at least 24 hours
KEY_US: Final = 7 * 24 * 3_600_000_000
_records = msgspec.json.Encoder()
_LENGTH: Final = struct.Struct(">I")
_BLIND: Final = frozenset({b"bcc", b"resent-bcc"})
_STREAMS: Final = {
    Category.SYSTEM: Stream.SYSTEM,
    Category.TRANSACTIONAL: Stream.TRANSACTIONAL,
    Category.OPERATIONAL: Stream.OPERATIONAL,
    Category.MARKETING: Stream.BULK,
}


class Whole(msgspec.Struct, frozen=True):
    """A message with what it lacked, before our trace field."""

    raw: bytes
    message_id: str


def stream(submission: Submission) -> str:
    if submission.kind is not Kind.MESSAGE:
        return Stream.SYSTEM._value_
    return _STREAMS[submission.category]._value_


def whole(
    submission: Submission, read: Message, id_text: str, host: str, now: int, about: About | None = None
) -> Whole:
    """Date and Message-ID added where they are missing (RFC 6409 8), what must not leave taken out: here already, so
    that neither the portal nor the archive sees a blind recipient."""
    raw = submission.body
    if submission.origin is Origin.INBOUND:
        # not ours to change: whoever signed it said these octets
        return Whole(raw, read.message_id)
    drop = rfc_message.removed(read)
    if about is not None and about.triggers:
        prepend = asked.subject_field(about.subject) if about.subject is not None else b""
        raw = rfc_message.rewrite(raw, read, drop | about.triggers, prepend)
    elif drop:
        raw = rfc_message.rewrite(raw, read, drop)
    fixed = rfc_message.repair(raw, read, at=now, message_id=id_text, host=host)
    if fixed is raw or b"message-id" in read.first:
        return Whole(fixed, read.message_id)
    return Whole(fixed, f"<{id_text}@{host}>")


class Repeats(Protocol):
    """`queue.Queue`, as far as a draft needs it."""

    def repeated(self, token: bytes) -> bytes | None:
        """The message of the last hour under this token (BI-023)."""


class Drafting:
    """One submission being made into rows. `shard`: the number new ids carry."""

    def __init__(self, submission: Submission, read: Message, about: About, policy: str, shard: int, host: str) -> None:
        self.submission = submission
        self.about = about
        self.id = ids.new(shard)
        self.text = ids.text(self.id)
        self.now = clock.now()
        self._read = read
        self._policy = policy
        self._shard = shard
        self._host = host
        self._org = ids.text(submission.org)
        self._actor = (submission.actor.kind, submission.actor.id)

    def message(self, judged: list[tuple[Recipient, Judged]], token_key: bytes, repeats: Repeats) -> NewMessage:
        """Everything of the message but the seals."""
        sub = self.submission
        made = whole(sub, self._read, self.text, self._host_of_id(), self.now, self.about)
        fields, content = dkim.split(made.raw)
        header = dkim.canonical(fields)
        body_hash = sha256(dkim.relaxed_body(content))
        trace = received.field(by=self._host, protocol=sub.via, token=self.text, at=self.now) if sub.via else b""
        head = None
        if made.raw is self._read.raw and _taken_apart(judged):
            head = Head.of(self._read, len(trace))
        worked = Worked(body_hash, header, commitments.mail_value(made.raw, body_hash, header), head)
        token, earlier = None, None
        said = made.message_id if b"message-id" in self._read.first else ""
        if said and sub.origin is Origin.SMTP and sub.key is None:
            token = repeat_token(token_key, sub, said, body_hash)
            earlier = repeats.repeated(token)
        record = self._record(made)
        events = [self._accepted(worked.mail, earlier, record)]
        deliveries = []
        for recipient, one in judged:
            delivery, event = self._delivery(recipient, one)
            deliveries.append(delivery)
            events.append(event)
        return NewMessage(
            id=self.id,
            org=sub.org,
            stream=stream(sub),
            at=self.now,
            body=trace + made.raw,
            record=record,
            deliveries=tuple(deliveries),
            events=tuple(events),
            key=key_of(token_key, sub, self.now),
            repeat=token,
            repeats=earlier,
            worked=worked,
        )

    def _host_of_id(self) -> str:
        """The sender's domain, as the right side of a Message-ID we add: receivers expect it there."""
        return self.about.sender_domain or self._host

    def _record(self, made: Whole) -> MessageRecord:
        sub = self.submission
        return MessageRecord(
            sender=sub.envelope.sender,
            subject=self._read.subject if self.about.subject is None else self.about.subject,
            message_id=made.message_id,
            header_from=self.about.sender,
            actor=sub.actor,
            client=sub.client,
            envid=sub.envelope.envid,
            smtputf8=sub.envelope.smtputf8,
            eightbit=sub.envelope.eightbit,
            kind=sub.kind._value_,
            category=sub.category._value_,
            data_class=sub.data_class._value_,
            purpose=sub.purpose._value_,
            origin=sub.origin._value_,
            tags=sub.tags,
            metadata=sub.metadata,
            headers=None if self.about.headers is None else dict(self.about.headers),
            size=self.about.size,
            reasoned=bool(self.about.reason),
            # in the order of the fields: a name out of it is looked for
            thread=sub.thread,
            gateway=sub.gateway,
            test=sub.test,
            requiretls=sub.requiretls,
            tls_optional=not sub.requiretls and _tls_optional(self._read),
            forwarder=sub.forwarder,
            tracking=sub.tracking,
        )

    def _accepted(self, mail: bytes, earlier: bytes | None, record: MessageRecord) -> EventDraft:
        sub = self.submission
        values = {
            "submitted": self._submitted(),
            "mail": mail,
            # for the journal alone, which takes it out before the event is kept: content and evidence live apart
            "record": _records.encode(
                HistoryRecord(
                    record.sender, record.header_from, record.subject, record.message_id, record.tags, record.metadata
                )
            ),
        }
        if sub.client:
            values["client"] = sub.client.encode()
        if self.about.reason:
            values["reason"] = self.about.reason.encode()
        facts = {
            "origin": sub.origin._value_,
            "size": str(len(sub.body)),
            "data-class": sub.data_class._value_,
            "purpose": sub.purpose._value_,
        }
        if earlier is not None:
            facts["repeats"] = ids.text(earlier)
        if sub.proved:
            facts.update(sub.proved)
        if sub.gateway:
            facts["gateway"] = sub.gateway
        if sub.forwarder:
            facts["forwarded"] = "yes"
        if sub.requiretls:
            facts["requiretls"] = "yes"
        if sub.template:
            facts["template"], _, facts["version"] = sub.template.partition("/")
        if sub.test:
            facts["test"] = "yes"
        if sub.resends:
            facts["resends"] = sub.resends
        # what is sent again is never asked to be protected less than its sender wanted
        if sub.protection.minimum is not None:
            facts["asked-minimum"] = label(sub.protection.minimum, None)
        if sub.protection.methods:
            facts["asked-methods"] = " ".join(sub.protection.methods)
        return self._event(kinds.MESSAGE_ACCEPTED, (self.text,), values, facts)

    def _submitted(self) -> bytes:
        """`commitments.submitted_digest`: where no field is named so, there is nothing to take out."""
        if _BLIND.isdisjoint(self._read.first):
            return sha256(self.submission.body)
        return commitments.submitted_digest(self.submission.body)

    def _event(
        self, kind: str, on: tuple[str, ...], values: dict[str, bytes], facts: dict[str, str],
        result: str = "ok", cause: str = "",
    ) -> EventDraft:  # fmt: skip
        return EventDraft(
            *kinds.make(
                kind, id=ids.text(ids.new(self._shard)), org=self._org, at=self.now, actor=self._actor, on=on,
                values=values, facts=facts, result=result, cause=cause, policy=self._policy,
                category=self.submission.category._value_,
            )
        )  # fmt: skip

    def _delivery(self, recipient: Recipient, judged: Judged) -> tuple[NewDelivery, EventDraft]:
        sub, decision = self.submission, judged.decision
        id_ = ids.new(self._shard)
        due = max(self.now, sub.send_at)
        if judged.open:
            # decided once somebody has looked into the message: the strictest it may be would bind it for good
            said = decision.plan if isinstance(decision, Deliver) else decision
            reason, words = ("content-pending", PENDING) if judged.asks else ("key-pending", SEEKING)
            decision = Hold(reason, words, said.rule, said.policy_version)
        plan = decision.plan if isinstance(decision, Deliver) else None
        why = plan if plan is not None else decision
        assert not isinstance(why, Deliver)
        state = state_of(sub, judged)
        record = DeliveryRecord(
            recipient=recipient,
            sender=sub.envelope.sender,
            plan=plan,
            access=sub.protection.access,
            reason=why.reason,
            words=why.words,
            rule=why.rule,
            first_due=due,
            expires_at=sub.expires_at,
            asked_floor=sub.protection.minimum,
            asked_methods=sub.protection.methods,
            approvals=decision.approvals if isinstance(decision, Hold) else 0,
            held_until=holding.until(decision, due) if isinstance(decision, Hold) else 0,
            held_then=holding.then(decision) if isinstance(decision, Hold) else "",
        )
        facts = {"rule": why.rule, "state": state._value_}
        values = {"recipient": recipient.address.encode()}
        if judged.via is not None:
            record = routing.marked(record, judged.via)
            facts |= {"made-by": judged.via.how, "made-by-rule": judged.via.rule}
            values["made-for"] = judged.via.of.encode()
        if plan is not None:
            step = plan.steps[0]
            facts["method"] = step.method._value_
            facts["required"] = label(step.floor, step.method)
        queued = judged.open or (sub.test and state is State.QUEUED)
        kind, result = (kinds.DELIVERY_QUEUED, "ok") if queued else _KIND_OF[type(decision).__name__]
        event = self._event(
            kind, (self.text, ids.text(id_)),
            values | {"words": _records.encode(Told(record.words))}, facts, result,
            "" if plan is not None else why.reason,
        )  # fmt: skip
        return NewDelivery(id_, judged.destination, state, due, record, judged.decided, _foreseen(judged)), event


_KIND_OF: Final = {
    "Deliver": (kinds.DELIVERY_QUEUED, "ok"),
    "Hold": (kinds.DELIVERY_HELD, "held"),
    "Refuse": (kinds.DELIVERY_REFUSED, "refused"),
}


def _foreseen(judged: Judged) -> Foreseen | None:
    """None: the answer says what the record says."""
    if judged.likely is None or judged.open:
        return None
    plan = judged.likely.plan if isinstance(judged.likely, Deliver) else None
    said = plan if plan is not None else judged.likely
    assert not isinstance(said, Deliver)
    words = said.words if judged.via is None else f"{routing.sentence(judged.via)} {said.words}"
    return Foreseen(plan.steps[0].method._value_ if plan is not None else "", said.reason, words, said.rule)


def _taken_apart(judged: list[tuple[Recipient, Judged]]) -> bool:
    """Whether a method comes first for somebody that puts header fields inside."""
    for _, one in judged:
        if isinstance(one.decision, Deliver) and one.decision.plan.steps[0].method is Method.SMIME:
            return True
    return False


def _tls_optional(read: Message) -> bool:
    """RFC 8689 3: one field, and the one word there is; anything else is as if it were not there."""
    return b"tls-required" in read.first and [one.strip().lower() for one in read.all("tls-required")] == ["no"]


def state_of(submission: Submission, judged: Judged) -> State:
    """A refused recipient of a message by SMTP goes to the worker once more, which owes its sender a report (RFC 5321
    6.1); whoever used the API is told in the answer."""
    if isinstance(judged.decision, Deliver) or judged.open:
        return State.QUEUED
    if isinstance(judged.decision, Refuse):
        return State.QUEUED if submission.origin is Origin.SMTP else State.FAILED
    # nobody is asked to decide about a test: its attempt says that it would have been held
    return State.QUEUED if submission.test else State.HELD


def shown(recipient: Recipient, decision: Decision, words: str) -> AcceptedDelivery:
    """What a preview answers."""
    if isinstance(decision, Deliver):
        plan = decision.plan
        method = plan.steps[0].method._value_
        step = plan.steps[0]
        floor = label(plan.floor, None) if is_look(step) else label(step.floor, step.method)
        return AcceptedDelivery(
            "", recipient.address, State.QUEUED.value, method, plan.reason, words, plan.rule, plan.policy_version, floor
        )
    state = State.FAILED if isinstance(decision, Refuse) else State.HELD
    return AcceptedDelivery(
        "", recipient.address, state._value_, "", decision.reason, words, decision.rule, decision.policy_version
    )


def repeat_token(key: bytes, submission: Submission, message_id: str, body_hash: bytes) -> bytes:
    """Equal submitter, Message-ID and body hash (BI-023). 16 bytes."""
    who = f"{submission.actor.kind}:{submission.actor.id}".encode()
    named = submission.envelope.recipients
    recipients = named[0].address if len(named) == 1 else "\0".join(sorted([r.address for r in named]))
    parts = (b"repeat", submission.org, who, message_id.encode(), body_hash, recipients.encode())
    return hmac_sha256(key, b"".join([_LENGTH.pack(len(p)) + p for p in parts]))[:16]


def key_of(key: bytes, submission: Submission, now: int) -> tuple[bytes, bytes, int] | None:
    """(token of organisation and key, keyed hash of the payload, until when)."""
    if submission.key is None:
        return None
    payload = submission.payload_hash or payload_hash(submission)
    token = hmac_sha256(key, b"key\0" + submission.org + submission.key.encode())[:16]
    return token, hmac_sha256(key, b"payload\0" + payload), now + KEY_US


def payload_hash(submission: Submission) -> bytes:
    """Of envelope and body, where the caller gave none."""
    return hashlib.sha256(msgspec.msgpack.encode(submission.envelope) + submission.body).digest()
