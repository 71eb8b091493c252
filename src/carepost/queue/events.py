"""The events the queue itself makes: an attempt that begins, one whose process died, and what a person did."""

from collections.abc import Sequence

from carepost.ground import ids
from carepost.policy.types import Assurance, Method, Step, label
from carepost.proof import kinds
from carepost.queue.types import DeliveryRecord, EventDraft
from carepost.wire.types import Actor

_QUEUE = ("system", "queue")


def step(record: DeliveryRecord) -> Step | None:
    """The step of the plan the next attempt carries out."""
    plan = record.plan
    if plan is None or not plan.steps:
        return None
    return plan.steps[min(record.step, len(plan.steps) - 1)]


def method(record: DeliveryRecord) -> Method | None:
    found = step(record)
    return found.method if found is not None else None


def required(record: DeliveryRecord) -> str:
    found = step(record)
    return label(found.floor if found is not None else Assurance.NONE, found.method if found is not None else None)


def begun(made: Sequence[EventDraft], delivery: bytes) -> bool:
    """The first attempt begins with the acceptance: the event that queues the delivery says so, and no second event is
    needed for it to be on record before it begins. False: no event queues this delivery."""
    text = ids.text(delivery)
    for event in made:
        draft = event.draft
        if draft.kind == kinds.DELIVERY_QUEUED and draft.on[-1] == text:
            draft.facts["attempt"] = "1"
            return True
    return False


def attempted(
    shard: int, org: str, message: str, delivery: bytes, at: int, attempt: int, record: DeliveryRecord
) -> EventDraft:
    """The attempt is on record before it begins (DESIGN 2, step 7)."""
    facts = {"attempt": str(attempt)}
    found = step(record)
    if found is not None:
        facts["method"] = found.method._value_
        facts["required"] = label(found.floor, found.method)
    return EventDraft(
        *kinds.make(
            kinds.DELIVERY_ATTEMPTED, id=ids.text(ids.new(shard)), org=org, at=at, actor=_QUEUE,
            on=(message, ids.text(delivery)), facts=facts, policy=record.plan.policy_version if record.plan else "",
        )
    )  # fmt: skip


def interrupted(
    shard: int, org: bytes, message: bytes, delivery: bytes, at: int, attempt: int, record: DeliveryRecord,
    *, uncertain: bool,
) -> EventDraft:  # fmt: skip
    """The process that made the attempt died: before its final dot, or perhaps after it."""
    facts = {"attempt": str(attempt), "state": "deferred"}
    found = method(record)
    if found is not None:
        facts["method"] = found._value_
    return EventDraft(
        *kinds.make(
            kinds.DELIVERY_UNCERTAIN if uncertain else kinds.DELIVERY_DEFERRED,
            id=ids.text(ids.new(shard)), org=ids.text(org), at=at, actor=_QUEUE,
            on=(ids.text(message), ids.text(delivery)), facts=facts, result="uncertain" if uncertain else "deferred",
            cause="process-ended", policy=record.plan.policy_version if record.plan else "",
        )
    )  # fmt: skip


def acted(
    kind: str, shard: int, org: bytes, message: bytes, delivery: bytes, at: int, state: str, actor: Actor, reason: str,
    *, note: str = "", asked: dict[str, str] | None = None,
) -> EventDraft:  # fmt: skip
    """A person held, released, refused, retried or retracted a delivery. Their words are committed to and sealed."""
    values = {name: text.encode() for name, text in (("reason", reason), ("note", note)) if text}
    return EventDraft(
        *kinds.make(
            kind, id=ids.text(ids.new(shard)), org=ids.text(org), at=at, actor=(actor.kind, actor.id),
            on=(ids.text(message), ids.text(delivery)), facts={"state": state} | (asked or {}),
            cause="asked-by-a-person", values=values or None,
        )
    )  # fmt: skip


def time_over(
    shard: int, org: bytes, message: bytes, delivery: bytes, at: int, record: DeliveryRecord, words: bytes
) -> EventDraft:
    """Nobody acted on it in the time allowed. `words`: of the delivery, sealed."""
    return EventDraft(
        *kinds.make(
            kinds.DELIVERY_TIME_OVER, id=ids.text(ids.new(shard)), org=ids.text(org), at=at, actor=_QUEUE,
            on=(ids.text(message), ids.text(delivery)), facts={"state": "queued", "rule": record.rule},
            result="refused" if record.refused else "ok", cause="held-too-long", values={"words": words},
        )
    )  # fmt: skip


def restored(shard: int, org: bytes, message: bytes, delivery: bytes, at: int, words: bytes | None) -> EventDraft:
    """It waited when the backup was made that its home was restored from. `words`: of the delivery, sealed; None: its
    organisation's keys are not at hand."""
    return EventDraft(
        *kinds.make(
            kinds.DELIVERY_HELD, id=ids.text(ids.new(shard)), org=ids.text(org), at=at, actor=_QUEUE,
            on=(ids.text(message), ids.text(delivery)), facts={"state": "held"}, result="held", cause="restored",
            values={"words": words} if words is not None else None,
        )
    )  # fmt: skip


def damaged(shard: int, org: bytes, message: bytes, delivery: bytes, at: int) -> EventDraft:
    """What the row holds cannot be opened; it waits for a person."""
    return EventDraft(
        *kinds.make(
            kinds.DELIVERY_HELD, id=ids.text(ids.new(shard)), org=ids.text(org), at=at, actor=_QUEUE,
            on=(ids.text(message), ids.text(delivery)), facts={"state": "held"}, result="held", cause="damaged",
        )
    )  # fmt: skip
