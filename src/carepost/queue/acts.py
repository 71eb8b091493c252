"""What a person may do with a delivery that waits: hold, release, retry, retract. Pure: a row in, a row out."""

from typing import Final

import msgspec

from carepost.ground.errors import Refused
from carepost.proof import kinds
from carepost.queue.types import DeliveryRecord, State
from carepost.wire.types import Actor

HOLD: Final = "hold"
RELEASE: Final = "release"
RETRY: Final = "retry"
RETRACT: Final = "retract"

#: verb -> (event kind, states it is possible in, state it leads to)
_VERBS: Final = {
    HOLD: (kinds.DELIVERY_HELD, (State.QUEUED, State.DEFERRED), State.HELD),
    RELEASE: (kinds.DELIVERY_RELEASED, (State.HELD,), State.QUEUED),
    RETRY: (kinds.DELIVERY_RETRIED, (State.QUEUED, State.DEFERRED), State.QUEUED),
    RETRACT: (kinds.DELIVERY_RETRACTED, (State.QUEUED, State.DEFERRED, State.HELD), State.FAILED),
}
_REASONS: Final = {
    HOLD: ("held-by-person", "A person holds this delivery; it waits until it is released."),
    RETRACT: ("retracted", "The delivery was taken back before it left."),
}


_NOBODY: Final = Actor("", "")


class Act(msgspec.Struct, frozen=True):
    kind: str
    state: State
    record: DeliveryRecord


def barred(verb: str, state: str, record: DeliveryRecord, actor: Actor, own: bool) -> bool:
    """Whether this release needs somebody else: people approve, not the sender (`own`), and each of them once."""
    if verb != RELEASE or state != State.HELD or not record.approvals:
        return False
    return actor.kind != "staff" or own or _by(actor) in record.approved


def act(verb: str, state: str, record: DeliveryRecord, actor: Actor = _NOBODY) -> Act | None:
    """None: not possible in this state (an attempt is under way, or it is over). Raises Refused for another verb.

    `actor` counts where a delivery waits for approval; `barred` was asked before."""
    found = _VERBS.get(verb)
    if found is None:
        raise Refused("unknown-verb", "What can be done is: hold, release, retry, retract.", status=422)
    kind, possible, target = found
    if state not in possible:
        return None
    if verb in _REASONS:
        reason, words = _REASONS[verb]
        record = msgspec.structs.replace(record, reason=reason, words=words)
    if verb == RELEASE and record.approvals:
        return _approve(record, actor)
    if verb == RELEASE:
        record = msgspec.structs.replace(record, released=True, **_without_hold(record))
    return Act(kind, target, record)


def _approve(record: DeliveryRecord, actor: Actor) -> Act:
    """One more has approved. The last one lets it go; what else a rule asks is asked at the attempt."""
    approved = (*record.approved, _by(actor))
    if len(approved) < record.approvals:
        words = f"{len(approved)} of {record.approvals} people have approved this. It waits for another."
        waiting = msgspec.structs.replace(record, approved=approved, words=words)
        return Act(kinds.DELIVERY_APPROVED, State.HELD, waiting)
    record = msgspec.structs.replace(record, approved=approved, approvals=0)
    words = "Approved; how it goes is decided at the attempt."
    return Act(kinds.DELIVERY_RELEASED, State.QUEUED, msgspec.structs.replace(record, reason="approved", words=words))


def _by(actor: Actor) -> str:
    return f"{actor.kind}:{actor.id}"


def _without_hold(record: DeliveryRecord) -> dict[str, str]:
    """What the delivery says of itself while it waits for its next attempt."""
    if record.plan is not None:
        return {"reason": record.plan.reason, "words": record.plan.words, "rule": record.plan.rule}
    return {"reason": "released", "words": "A person released this delivery; how it goes is decided at the attempt."}
