"""Many submissions at once: made ready one after the other, committed together, answered each for itself.

No task is made for a message that needs nothing but the commit, and no message holds the loop up for long: others'
requests and deliveries go on between them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from carepost.ground import clock, log
from carepost.ground.errors import CarepostError, Unavailable
from carepost.intake.stages import Begun
from carepost.wire.types import Accepted, Submission

#: seconds of a batch's work between two turns of the loop
SLICE: Final = 0.004

#: messages of a batch that go through the door together: a part of a slice
TOGETHER: Final = 8

Waited = asyncio.Future[Accepted] | CarepostError
BeginAll = Callable[[Sequence[Submission]], list[Begun]]
Accept = Callable[[Submission], Awaitable[Accepted]]


async def accept(
    submissions: Sequence[Submission], begin_all: BeginAll, otherwise: Accept
) -> list[Accepted | CarepostError]:
    """`begin_all` answers what is only waited for, None what `otherwise` must take. Nothing is raised: what was begun
    is waited for in any case."""
    begun: list[Waited] = []
    turn = clock.monotonic()
    for at in range(0, len(submissions), TOGETHER):
        part = submissions[at : at + TOGETHER]
        begun += [_waited(*one, otherwise) for one in zip(part, begin_all(part), strict=True)]
        if clock.monotonic() - turn > SLICE:
            await asyncio.sleep(0)
            turn = clock.monotonic()
    return [await _end(one) for one in begun]


def _waited(submission: Submission, begun: Begun, otherwise: Accept) -> Waited:
    if begun is None:
        return asyncio.ensure_future(otherwise(submission))
    if isinstance(begun, asyncio.Future | CarepostError):
        return begun
    return _failed(begun)


async def _end(one: Waited) -> Accepted | CarepostError:
    if isinstance(one, CarepostError):
        return one
    try:
        return await one
    except CarepostError as error:
        return error
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> Unavailable:
    """A fault of ours about one message: the others stand."""
    log.failure("accept-failed", error)
    return Unavailable("internal", "Something failed here; try this one again.")
