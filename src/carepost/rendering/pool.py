"""The engine's renderer: one worker, started at the first template and let go when idle, asked one thing at a time.

A template that overran its time is not run again for a minute: nobody else waits for it twice."""

import asyncio
from typing import Final

from carepost.confined import process
from carepost.confined.process import Confined
from carepost.ground import clock, log, metrics
from carepost.ground.errors import Unavailable
from carepost.rendering import frames, start
from carepost.rendering.types import MAX_VARIABLES, Compiled, Fault, Rendered

#: seconds one message may take, before the worker is killed
SECONDS: Final = 2.0
#: seconds a template that took longer is refused
_BARRED: Final = 60.0
#: seconds without work after which the worker is let go, and no new one is started after one could not be
_IDLE: Final = 300.0
_PAUSE: Final = 10.0
#: templates the worker is told once (it keeps as many)
_TOLD: Final = 64


class Renderer:
    """`render` on the engine's loop."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._worker: Confined[frames.Answer] | None = None
        self._told: list[bytes] = []
        self._barred: dict[bytes, float] = {}
        self._not_before = 0.0
        self._reaper: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        return self._worker.pid if self._worker is not None else None

    async def render(self, compiled: Compiled, digest: bytes, variables: bytes) -> Rendered | Fault:
        """`variables`: a JSON object. `digest`: `compiled.digest`, which the caller keeps. Raises Unavailable."""
        if len(variables) > MAX_VARIABLES:
            return Fault("variable", "The variables are longer than 64 KB.")
        until = self._barred.get(digest)
        if until is not None:
            if clock.monotonic() < until:
                return _slow()
            del self._barred[digest]
        async with self._lock:
            metrics.count("templates_rendered")
            return await self._render(compiled, digest, variables)

    async def close(self) -> None:
        if self._reaper is not None:
            self._reaper.cancel()
        async with self._lock:
            await self._end()

    async def _render(self, compiled: Compiled, digest: bytes, variables: bytes) -> Rendered | Fault:
        worker = await self._ready()
        known = digest in self._told
        answer = await self._ask(worker, frames.Render(digest, None if known else compiled, variables), digest)
        if isinstance(answer, Fault) and answer.code == "unknown-template":
            answer = await self._ask(worker, frames.Render(digest, compiled, variables), digest)
        if not known and self._worker is not None:
            self._told = [*self._told[-_TOLD:], digest]
        if self._reaper is not None:
            self._reaper.cancel()
        self._reaper = asyncio.get_running_loop().call_later(_IDLE, self._let_go)
        if isinstance(answer, Rendered | Fault):
            return answer
        raise _away()

    async def _ready(self) -> Confined[frames.Answer]:
        worker = self._worker
        if worker is not None and worker.alive:
            return worker
        if clock.monotonic() < self._not_before:
            raise _away()
        self._told = []
        hello: frames.Answer | None = None
        try:
            worker = self._worker = await process.start(start.command(), frames.ANSWERS)
            hello = await worker.hear(start.READY)
        except process.FAULTS as error:
            log.failure("rendering-not-started", error)
        except BaseException:
            # whoever asked is gone: its first word would be read as an answer
            await self._end()
            raise
        if worker is None or not isinstance(hello, frames.Ready):
            self._not_before = clock.monotonic() + _PAUSE
            await self._end()
            raise _away()
        log.event("rendering-started", pid=worker.pid, held=" ".join(hello.held))
        return worker

    async def _ask(self, worker: Confined[frames.Answer], job: frames.Render, digest: bytes) -> frames.Answer:
        try:
            return await worker.ask(job, self._seconds)
        except TimeoutError:
            self._bar(digest)
            await self._end()
            return _slow()
        except process.FAULTS as error:
            # the kernel ended it: this template took what it may not have
            log.failure("rendering-died", error)
            self._bar(digest)
            await self._end()
            return Fault("limit", "The template does more than a template may.")
        except BaseException:
            # whoever asked is gone: the answer would be read as the next one's
            await self._end()
            raise

    def _bar(self, digest: bytes) -> None:
        now = clock.monotonic()
        self._barred = {one: until for one, until in self._barred.items() if until > now}
        self._barred[digest] = now + _BARRED

    def _let_go(self) -> None:
        if not self._lock.locked() and self._worker is not None:
            self._worker.kill()

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.end()


def _slow() -> Fault:
    return Fault("too-slow", "The template takes too long; make it simpler. It is tried again in a minute.")


def _away() -> Unavailable:
    return Unavailable("rendering", "Templates cannot be rendered now; try again.")
