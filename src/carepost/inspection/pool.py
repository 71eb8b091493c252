"""The workers of one engine: started when first needed, few, given a few small messages or one other at a time,
replaced when used up.

The queue before them is bounded: beyond it a message is unknown at once, and never does anyone wait past the deadline
they brought. Nothing here blocks the loop, and nothing of a message is kept, logged or written."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.ground import clock, log, metrics
from carepost.inspection import frames, process
from carepost.inspection.process import Start, WorkerProcess
from carepost.inspection.together import One, Together, fits
from carepost.inspection.types import Custom, Report, Unknown

#: seconds a worker has beyond what it gives itself, before it is killed
_GRACE: Final = 2.0
#: seconds of a deadline below which asking is of no use
_LEAST: Final = 0.1
#: seconds no worker is started after one could not be
_PAUSE: Final = 30.0

_Waiter = asyncio.Future[WorkerProcess | Unknown]


class Limits(msgspec.Struct, frozen=True):
    """Seconds and counts of one engine's pool."""

    workers: int = 2
    #: messages waiting or being looked at
    waiting: int = 1_000
    #: the longest a worker may take over one message
    seconds: float = 25.0
    file_seconds: float = 8.0
    #: messages, and octets of memory, after which a worker is replaced: to start one costs as much as to look into five
    #: hundred ordinary messages (its vocabularies are read), and it grows by what documents it was given
    jobs: int = 20_000
    resident: int = 400_000_000
    #: seconds without work after which it is let go
    idle: float = 300.0


class Pool:
    """`started`: workers that were ever ready; `pids`: of those that run."""

    def __init__(self, limits: Limits = Limits(), start: Start = Start()) -> None:  # noqa: B008 -- frozen values
        self._limits = limits
        self._start = start
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._burials: set[asyncio.Task[None]] = set()
        self._waiters: deque[_Waiter] = deque()
        self._reaper: asyncio.TimerHandle | None = None
        self._closed = False
        #: until when, and why, no worker is started
        self._not_before, self._why = 0.0, ""
        self._inside = 0
        self._together = Together(self._worker, self._ask_all, self._alone, limits.workers)
        self.started = 0

    @property
    def pids(self) -> tuple[int, ...]:
        return tuple(worker.pid for worker in (*self._busy, *self._idle))

    async def inspect(
        self,
        raw: bytes,
        custom: Custom | None = None,
        *,
        detect: bool = True,
        deadline: float = 60.0,
        show: bytes = b"",
    ) -> Report | Unknown:
        """What `raw` holds. `detect`: weigh its texts too. `deadline`: seconds from now after which the answer is of no
        use. `show`: as `frames.Job`. Raises nothing."""
        job = frames.Job(raw, custom, detect, show=show)
        answer = await self._inspect(job, clock.monotonic() + deadline)
        metrics.count("inspection_messages")
        if isinstance(answer, Unknown):
            metrics.count("inspection_unknown")
            log.event("inspection-unknown", reason=answer.reason)
        return answer

    async def _inspect(self, job: frames.Job, until: float) -> Report | Unknown:
        if len(job.raw) > frames.MAX_MESSAGE:
            return Unknown("too-large")
        if self._inside >= self._limits.waiting or self._closed:
            return Unknown("busy")
        self._inside += 1
        try:
            return await (self._together.inspect if fits(job) else self._alone)(job, until)
        finally:
            self._inside -= 1

    async def _alone(self, job: frames.Job, until: float) -> Report | Unknown:
        worker = await self._worker(until)
        if isinstance(worker, Unknown):
            return worker
        return await self._ask(worker, job, until)

    async def close(self) -> None:
        """No worker runs when this returns; what was being looked at is answered as unknown."""
        self._closed = True
        self._together.stop()
        if self._reaper is not None:
            self._reaper.cancel()
        self._answer_waiters(Unknown("busy"))
        for task in tuple(self._starting):
            task.cancel()
        self._let_go()
        for worker in tuple(self._busy):
            await worker.end()
        while self._burials or self._starting:
            await asyncio.wait({*self._burials, *self._starting})
        await self._together.stopped()

    # workers come and go

    async def _worker(self, until: float) -> WorkerProcess | Unknown:
        """One that is free, or the first to become so."""
        if self._closed:
            return Unknown("busy")
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                self._busy.add(worker)
                return worker
        if not self._start_one() and not self._busy and all(task.done() for task in self._starting):
            return Unknown(self._why)
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(max(0.0, until - clock.monotonic())):
                return await waiter
        except TimeoutError:
            self._forget(waiter)
            return Unknown("busy" if self._busy else "not-started")
        except asyncio.CancelledError:
            self._forget(waiter)
            raise

    def _forget(self, waiter: _Waiter) -> None:
        """One who leaves; where a worker came in the same moment, it goes to the next."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        elif not waiter.cancelled() and waiter.done():
            came = waiter.result()
            if isinstance(came, WorkerProcess):
                self._rest(came)

    def _start_one(self, *, beyond: int = 0) -> bool:
        """Whether one is being started now."""
        running = len(self._busy) + len(self._idle) + len(self._starting)
        if running >= self._limits.workers + beyond or self._closed or clock.monotonic() < self._not_before:
            return False
        task = asyncio.ensure_future(self._arrive())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)
        return True

    async def _arrive(self) -> None:
        worker = await process.start(self._start)
        if isinstance(worker, Unknown):
            self._not_before, self._why = clock.monotonic() + _PAUSE, worker.reason
            if not self._busy:
                self._answer_waiters(worker)
            return
        self.started += 1
        self._rest(worker)
        old = next((w for w in self._idle if self._used_up(w)), None)
        if old is not None:
            self._idle.remove(old)
            self._end(old)

    def _answer_waiters(self, answer: Unknown) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(answer)

    def _rest(self, worker: WorkerProcess) -> None:
        """A worker that is free: to who waits longest, or to bed. A used-up one serves until its successor is there."""
        self._busy.discard(worker)
        running = len(self._busy) + len(self._idle) + 1
        if self._closed or running > self._limits.workers + 1:
            self._end(worker)
            return
        if self._used_up(worker):
            limits = self._limits
            if running > limits.workers or worker.jobs >= 2 * limits.jobs or worker.resident >= 2 * limits.resident:
                self._end(worker)
                return
            self._start_one(beyond=1)
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._busy.add(worker)
                waiter.set_result(worker)
                return
        self._idle.append(worker)
        if self._reaper is not None:
            self._reaper.cancel()
        self._reaper = asyncio.get_running_loop().call_later(self._limits.idle, self._let_go)

    def _used_up(self, worker: WorkerProcess) -> bool:
        return worker.jobs >= self._limits.jobs or worker.resident >= self._limits.resident

    def _let_go(self) -> None:
        while self._idle:
            self._end(self._idle.pop())

    def _end(self, worker: WorkerProcess) -> None:
        self._busy.discard(worker)
        worker.kill()
        burial = asyncio.ensure_future(worker.end())
        self._burials.add(burial)
        burial.add_done_callback(self._burials.discard)
        if self._waiters:
            self._start_one()

    # work

    async def _ask(self, worker: WorkerProcess, job: frames.Job, until: float) -> Report | Unknown:
        left = until - clock.monotonic()
        if left < _LEAST:
            self._rest(worker)
            return Unknown("too-slow")
        job = self._timed(job, left)
        answer: Report | Unknown | None = None
        try:
            answer = await worker.ask(job, min(job.seconds + _GRACE, left))
        finally:
            self._done(worker, sound=answer is not None and _sound(answer))
        return answer

    async def _ask_all(self, worker: WorkerProcess, batch: Sequence[One]) -> list[One]:
        """Answers them in order, as far as the worker does; the others come back, where there are several."""
        now = clock.monotonic()
        todo = [one for one in batch if not one.answer.done() and one.until - now >= _LEAST]
        if len(todo) == 1:
            one = todo[0]
            _tell(one, await self._ask(worker, one.job, one.until))
            return []
        jobs = [self._timed(one.job, one.until - now, more=one is not todo[-1]) for one in todo]
        sound, answered = worker.tell(jobs), 0
        try:
            for one, job in zip(todo, jobs, strict=True):
                if not sound:
                    break
                answer = await worker.hear(job, job.seconds + _GRACE)
                sound = _sound(answer)
                if sound:
                    answered += 1
                    _tell(one, answer)
        finally:
            self._done(worker, sound=sound and answered == len(todo))
        return todo[answered:]

    def _timed(self, job: frames.Job, left: float, *, more: bool = False) -> frames.Job:
        seconds = min(self._limits.seconds, left)
        file_seconds = min(self._limits.file_seconds, seconds)
        return msgspec.structs.replace(job, seconds=seconds, file_seconds=file_seconds, more=more)

    def _done(self, worker: WorkerProcess, *, sound: bool) -> None:
        if sound:
            self._rest(worker)
        else:
            self._end(worker)


def _sound(answer: Report | Unknown) -> bool:
    """Whether its worker may be asked on."""
    return isinstance(answer, Report) or answer.reason in ("memory", "failed")


def _tell(one: One, answer: Report | Unknown) -> None:
    if not one.answer.done():
        one.answer.set_result(answer)
