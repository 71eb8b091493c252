"""A shard: its folder held by flock, its store, its one writer thread, and the limits that close its doors."""

import asyncio
import fcntl
import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from carepost.ground import clock, log
from carepost.ground.errors import CarepostError, ConfigError, Unavailable
from carepost.spool.backend import Backend
from carepost.spool.dots import Dots
from carepost.spool.faults import Faults
from carepost.spool.limits import Limits, Watch
from carepost.spool.repeats import Repeats
from carepost.spool.sqlite import SqliteBackend
from carepost.spool.types import Group, Outcome, Retire, Unit
from carepost.spool.writer import Writer
from carepost.wire.types import Drained

#: newest events kept in memory: the journal, a second or so behind, is served without a read
TAIL = 8192
#: seconds between looks at the write-ahead log; it is carried over when this much was written, or when it is this old
_HOUSEKEEPING = 1.0
_LOG_BYTES = 32 * 1024 * 1024
_LOG_AGE = 5.0

Done = Callable[[Outcome], None]


class Shard:
    """Everything is called on one event loop; `call` alone belongs to other threads (commands, tests)."""

    def __init__(
        self, number: int, backend: Backend, lock: int, limits: Limits, folder: Path, faults: Faults | None
    ) -> None:
        self.number = number
        self.backend = backend
        self._lock = lock
        self._faults = faults
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tail: deque[Drained] = deque(maxlen=TAIL)
        self._waiting: list[asyncio.Future[None]] = []
        self._retiring = False
        self._doubtful = backend.doubtful
        #: called on the loop when what was remembered of the store may be wrong
        self.on_doubt: Callable[[], None] | None = None
        #: attempts past their final dot (told to the next process), and messages of the last hour (all engines')
        self.dots = Dots(folder / "dots")
        self.repeats = Repeats(folder.parent / "repeats")
        self._watch = Watch(folder, limits, backend.head, backend.acked, backend.oldest())
        self._writer = Writer(backend, self._deliver, f"shard-{folder.name}")
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name=f"keeper-{folder.name}", daemon=True)
        self._keeper.start()

    @classmethod
    def open(
        cls, folder: Path, number: int, limits: Limits | None = None, *, faults: Faults | None = None,
        store: Callable[[], Backend] | None = None,
    ) -> "Shard":  # fmt: skip
        """`number`: node << 6 | shard, as in the ids made for it. `store`: opens where its rows are, once the
        folder is ours; None: a file in it. Raises ConfigError: held by another process, written by a newer Carepost,
        of another number, unreadable."""
        lock = _hold(folder, number)
        try:
            backend = store() if store is not None else SqliteBackend(folder, number, faults=faults)
            return cls(number, backend, lock, limits or Limits(), folder, faults)
        except BaseException:
            os.close(lock)
            raise

    def admit(self, size: int) -> None:
        """Raises Unavailable when nothing new may be accepted: disk nearly full, outbox nearly full, journal late."""
        self._watch.admit(size)

    def submit(self, unit: Unit, done: Done | None = None, size: int = 0) -> None:
        """Carries the unit out with the next group; `done` gets its outcome, or Unavailable, on the loop, in the order
        of submission. It is called whatever becomes of the one who asked. `size`: bytes, for the size of groups."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self._writer.put(unit, done, size)

    def ask(self, unit: Unit) -> "asyncio.Future[Outcome]":
        """`submit` with a future; an outcome that is an error is raised."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def done(outcome: Outcome) -> None:
            if future.done():
                return
            if isinstance(outcome, CarepostError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self.submit(unit, done)
        return future

    def call(self, unit: Unit) -> Outcome:
        """Blocks until the unit is on disk; never on the loop's thread. Raises its error."""
        outcome = self._writer.call(unit)
        if isinstance(outcome, CarepostError):
            raise outcome
        return outcome

    async def drain(self, after: int, acked: int, limit: int, wait_s: float = 0.0) -> tuple[tuple[Drained, ...], int]:
        """Events after `after`, and the number of the newest. What is up to `acked` is forgotten in the background.
        Waits up to `wait_s` seconds for one."""
        self._acknowledge(acked)
        if after >= self._watch.head and wait_s > 0:
            await self._next_event(wait_s)
        if after >= self._watch.head:
            return (), self._watch.head
        if self._tail and self._tail[0].seq <= after + 1:
            skip = after + 1 - self._tail[0].seq
            rows = tuple(self._tail[i] for i in range(skip, min(skip + limit, len(self._tail))))
            return rows, self._watch.head
        found = await asyncio.get_running_loop().run_in_executor(None, self.backend.outbox, after, limit)
        return tuple(found), self._watch.head

    def stats(self) -> dict[str, int]:
        return self._watch.stats()

    def close(self) -> None:
        """Carries out what was submitted, then lets go of the folder."""
        self._stopping.set()
        self._keeper.join()
        self._writer.close()
        self.backend.close()
        self.dots.close()
        self.repeats.close()
        os.close(self._lock)

    def _acknowledge(self, acked: int) -> None:
        self._watch.acknowledge(acked)
        if self._watch.acked > self.backend.acked and not self._retiring:
            self._retire()

    def _retire(self) -> None:
        self._retiring = True

        def done(outcome: Outcome) -> None:
            self._retiring = False
            if outcome is True:
                self._retire()

        self.submit(Retire(self._watch.acked, clock.now()), done)

    async def _next_event(self, wait_s: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await asyncio.wait_for(future, wait_s)
        except TimeoutError:
            pass

    def _deliver(self, group: list[tuple[Unit, Any]], carried: Group | Unavailable) -> None:
        """On the writer's thread: hands a group's outcomes to the loop in one call."""
        if self._loop is not None and not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self._tell, group, carried)
            except RuntimeError:  # the loop closed meanwhile: there is nobody left to tell
                pass

    def _tell(self, group: list[tuple[Unit, Done | None]], carried: Group | Unavailable) -> None:
        try:
            if self._faults is not None:
                self._faults.at("answer.before")
            outcomes: list[Outcome] = [carried] * len(group) if isinstance(carried, Unavailable) else carried.outcomes
            if isinstance(carried, Group) and carried.drained:
                self._remember(carried.drained)
            for (_, done), outcome in zip(group, outcomes, strict=True):
                if done is None:
                    continue
                try:
                    done(outcome)
                except Exception as error:  # one caller's fault must not keep the others from hearing
                    log.failure("spool-callback-failed", error)
        finally:
            self._writer.delivered()
        if self.backend.doubtful != self._doubtful:
            self._doubtful = self.backend.doubtful
            if self.on_doubt is not None:
                self.on_doubt()

    def _remember(self, drained: list[Drained]) -> None:
        if self._tail and self._tail[-1].seq + 1 != drained[0].seq:
            self._tail.clear()
        self._tail.extend(drained)
        self._watch.grown(drained[-1].seq)
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _keep(self) -> None:
        since = clock.monotonic()
        while not self._stopping.wait(_HOUSEKEEPING):
            written = self._writer.written
            if written > _LOG_BYTES or (written and clock.monotonic() - since > _LOG_AGE):
                self._writer.written = 0
                since = clock.monotonic()
                self.backend.checkpoint()


def _hold(folder: Path, number: int) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(f"The folder of shard {number} cannot be opened ({error.strerror}).") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ConfigError(f"Shard {number} is held by another Carepost process; stop that one first.") from None
    return lock
