"""Many submissions at once: made ready one after the other, committed together, answered each for itself.

No task is made for a message that needs nothing but the commit, and no message holds the loop up for long: others'
requests and deliveries go on between them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from carepost.ground import clock, log
from carepost.ground.errors import CarepostError, Unavailable
from carepost.wire.types import Accepted, Submission

#: seconds of a batch's work between two turns of the loop
SLICE: Final = 0.004

Begun = asyncio.Future[Accepted]
Begin = Callable[[Submission], Begun | None]
Accept = Callable[[Submission], Awaitable[Accepted]]


async def accept(submissions: Sequence[Submission], begin: Begin, otherwise: Accept) -> list[Accepted | CarepostError]:
    """`begin` answers what is only waited for, None what `otherwise` must take. Nothing is raised: what was begun is
    waited for in any case."""
    begun: list[Begun | CarepostError] = []
    turn = clock.monotonic()
    for submission in submissions:
        begun.append(_begin(submission, begin, otherwise))
        if clock.monotonic() - turn > SLICE:
            await asyncio.sleep(0)
            turn = clock.monotonic()
    return [await _end(one) for one in begun]


def _begin(submission: Submission, begin: Begin, otherwise: Accept) -> Begun | CarepostError:
    try:
        return begin(submission) or asyncio.ensure_future(otherwise(submission))
    except CarepostError as error:
        return error
    except Exception as error:
        return _failed(error)


async def _end(one: Begun | CarepostError) -> Accepted | CarepostError:
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
