"""A message sent as a test ends here: decided and made ready as any other, and no connection is opened for it.

What a rule would refuse is refused; what it would hold for a person is not held, because nobody should have to decide
about a test: the record says that it would have been."""

from collections.abc import Awaitable, Callable
from typing import Final

from carepost.delivery.conclude import End, as_test
from carepost.delivery.methods.tls import Unready
from carepost.delivery.outcome import Lead, Outcome, outcome
from carepost.policy.decide import is_look
from carepost.policy.types import Method, Step
from carepost.queue.types import Settlement, State

_DONE: Final = "This was a test: everything was carried out up to the wire, and nothing was sent."
_HELD: Final = "This was a test: the message would have been held."
_UNREADY: Final = "This was a test: the message could not have been made ready."


async def finish(
    planned: Step | Settlement,
    ready: Callable[[Step], Awaitable[object]],
    end: Callable[[Step | None, Outcome], End],
) -> Settlement:
    """`planned`: what the decision came to. `ready`: makes the message ready as for the wire. Raises as those do."""
    if isinstance(planned, Settlement):
        if planned.state is not State.HELD:
            return planned
        why = planned.record
        made = end(None, Outcome(Lead.SENT, why.reason, "2.0.0", f"{_HELD} {why.words}"))
        return as_test(made, rule=why.rule)
    words = _DONE
    if planned.method is not Method.PORTAL and not is_look(planned):
        try:
            await ready(planned)
        except Unready as error:
            return as_test(end(planned, Outcome(Lead.SENT, str(error), "2.0.0", _unready(str(error)))))
    return as_test(end(planned, Outcome(Lead.SENT, "tested", "2.0.0", words)))


def _unready(reason: str) -> str:
    return f"{_UNREADY} {outcome(Lead.FAILED, reason).words}"
