"""Small messages go to a worker several at a time, where several wait: one pipe is written and read for all of them,
and what their answers lead to happens together too (their settlements are one commit).

A message with files goes alone, as before: it may take seconds, and those beside it would wait. Where a worker dies or
is killed over several, those without an answer are asked about again one by one: only the one it died of is unknown."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from carepost.ground import clock
from carepost.inspection.frames import Job
from carepost.inspection.process import WorkerProcess
from carepost.inspection.types import Report, Unknown

#: octets of a message that goes with others, messages and octets that go together
SMALL: Final = 32 * 1024
MOST: Final = 24
MOST_OCTETS: Final = 256 * 1024
_TYPE: Final = b"content-type:"
#: parts that are read in no time
_TEXTS: Final = (b"text/", b"multipart/")


class One(msgspec.Struct, eq=False):
    """A message that waits. `until`: by the monotonic clock, when its answer is of no more use."""

    job: Job
    until: float
    answer: asyncio.Future[Report | Unknown]
    begun: bool = False


def fits(job: Job) -> bool:
    """Whether a message may go with others: small, and nothing but text by its own word. (One that lies about it makes
    others wait as it would have before them in the queue.) One whose findings somebody waits to see goes alone."""
    if len(job.raw) > SMALL or job.show:
        return False
    low, place = job.raw.lower(), 0
    while (place := low.find(_TYPE, place)) >= 0:
        place += len(_TYPE)
        if not low[place : place + 80].lstrip().startswith(_TEXTS):
            return False
    return True


class Together:
    """`free`: a worker, by this time. `ask`: gives it these and answers those it answers; the others come back.
    `alone`: one message by the ordinary way. `workers`: among how many what waits is shared out."""

    def __init__(
        self,
        free: Callable[[float], Awaitable[WorkerProcess | Unknown]],
        ask: Callable[[WorkerProcess, Sequence[One]], Awaitable[list[One]]],
        alone: Callable[[Job, float], Awaitable[Report | Unknown]],
        workers: int,
    ) -> None:
        self._free, self._ask, self._alone, self._workers = free, ask, alone, workers
        self._waiting: deque[One] = deque()
        #: one of them waits for a worker; the others are with theirs
        self._carriers: set[asyncio.Task[None]] = set()
        self._seeking = self._closed = False

    async def inspect(self, job: Job, until: float) -> Report | Unknown:
        """Raises nothing."""
        one = One(job, until, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        self._seek()
        try:
            async with asyncio.timeout(max(0.0, until - clock.monotonic())):
                return await one.answer
        except TimeoutError:
            return Unknown("too-slow" if one.begun else "busy")
        finally:
            if not one.begun and one in self._waiting:
                self._waiting.remove(one)

    def stop(self) -> None:
        """Nobody waits for a worker any more."""
        self._closed = True

    async def stopped(self) -> None:
        """When no worker runs any more and nobody waits for an answer."""
        while self._carriers:
            await asyncio.wait(self._carriers)

    def _seek(self) -> None:
        if self._seeking or not self._waiting:
            return
        self._seeking = True
        carrier = asyncio.ensure_future(self._carry())
        self._carriers.add(carrier)
        carrier.add_done_callback(self._carriers.discard)

    async def _carry(self) -> None:
        worker: WorkerProcess | Unknown = Unknown("busy")
        try:
            while self._waiting and isinstance(worker, Unknown):
                worker = await self._free(max(one.until for one in self._waiting))
                if isinstance(worker, Unknown):
                    self._give_up(worker)
        finally:
            self._seeking = False
        if isinstance(worker, Unknown):
            return
        batch = self._take()
        # what is left waits for the next worker meanwhile
        self._seek()
        left = await self._ask(worker, batch)
        await asyncio.gather(*[self._again(one) for one in left])

    def _give_up(self, why: Unknown) -> None:
        """There is no worker in time; those whose own time is not over go on where it was only a matter of time."""
        now = clock.monotonic()
        for one in tuple(self._waiting):
            if self._closed or why.reason != "busy" or one.until <= now:
                self._waiting.remove(one)
                _answer(one, why)

    def _take(self) -> list[One]:
        """Those that waited longest, a fair share of them. Empty: all have left."""
        share = min(MOST, -(-len(self._waiting) // self._workers))
        taken: list[One] = []
        size = 0
        while self._waiting and len(taken) < share:
            size += len(self._waiting[0].job.raw)
            if taken and size > MOST_OCTETS:
                break
            one = self._waiting.popleft()
            one.begun = True
            taken.append(one)
        return taken

    async def _again(self, one: One) -> None:
        _answer(one, await self._alone(one.job, one.until))


def _answer(one: One, answer: Report | Unknown) -> None:
    if not one.answer.done():
        one.answer.set_result(answer)
