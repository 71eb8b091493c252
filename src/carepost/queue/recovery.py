"""What becomes of an attempt whose worker is gone: its process died, or its lease ran out (law 6).

An attempt that had not come to its final dot is simply made again. One that may have passed it is `uncertain`: on
record as such, and bound to its method for ever, because another method could deliver the message twice. A deposit in
the portal is unique by delivery and made after the commit, so it is never uncertain."""

import msgspec

from carepost.policy.types import Method
from carepost.queue import events
from carepost.queue.types import Claim, DeliveryRecord, Settlement, Stage, State
from carepost.wire.types import AttemptView

_INTERRUPTED = "The attempt ended with the process that made it; nothing had been sent. It is made again."
_UNCERTAIN = (
    "The process ended after the message was handed over and before the answer was on record; it may have arrived. "
    "It is sent again by the same method, with the same Message-ID."
)


def settlement(claim: Claim, shard: int, now: int, *, past_dot: bool) -> Settlement:
    """`past_dot`: the attempt came to its final dot, or nobody can say that it did not."""
    record = claim.record
    method = events.method(record)
    uncertain = past_dot and method is not Method.PORTAL
    view = AttemptView(
        number=claim.attempt,
        at=now,
        method=method.value if method is not None else "",
        required=events.required(record),
        achieved="",
        stage=Stage.DOT.value if uncertain else Stage.CONNECT.value,
        result="uncertain" if uncertain else "interrupted",
        reason="process-ended",
        words=_UNCERTAIN if uncertain else _INTERRUPTED,
        reply="",
        mx="",
        tls="",
        uncertain=uncertain,
    )
    changed: DeliveryRecord = msgspec.structs.replace(
        record,
        attempts=(*record.attempts, view),
        bound_to=method if uncertain else record.bound_to,
        reason="uncertain" if uncertain else record.reason,
        words=_UNCERTAIN if uncertain else record.words,
    )
    event = events.interrupted(
        shard, claim.org, claim.message, claim.delivery, now, claim.attempt, record, uncertain=uncertain
    )
    return Settlement(State.DEFERRED, changed, due_at=now, events=(event,))
