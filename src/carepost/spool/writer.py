"""The one thread that writes a shard. What arrives while a commit runs forms the next group. No timer.

Units gather on the loop and are handed over when a turn of it brought no more of them, and only when the thread is
free: to wake the thread for each unit makes it and the loop fight for the interpreter's lock, and its groups small
(measured: a quarter more CPU a message, three times the commits). A row in a group of 32 costs half of one in a group
of eight. A loop with nothing to do turns at once, so that a message alone waits for microseconds."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any

from carepost.ground import log
from carepost.ground.errors import Unavailable
from carepost.spool.backend import Backend
from carepost.spool.types import Group, Outcome, Unit

#: a group is closed at this many units or bytes, so that the first of it does not wait for ever
MOST_UNITS = 256
MOST_BYTES = 32 * 1024 * 1024
#: turns of the loop a group may go on growing for
MOST_TURNS = 4
#: what one unit writes besides bodies, for housekeeping (measured: 2-4 pages)
_UNIT_BYTES = 12_000

#: a unit and what `deliver` is to do with its outcome
Asked = tuple[Unit, Any]
Deliver = Callable[[list[Asked], Group | Unavailable], None]


class _Blocking:
    """A caller on another thread, waiting for its outcome."""

    def __init__(self) -> None:
        self.told = threading.Event()
        self.outcome: Outcome = None


class Writer:
    def __init__(self, backend: Backend, deliver: Deliver, name: str) -> None:
        """`deliver` is called on this thread, once a group; on the loop `delivered` must follow."""
        self._backend = backend
        self._deliver = deliver
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inbox: queue.SimpleQueue[list[Asked] | None] = queue.SimpleQueue()
        #: units not handed over yet, with their sizes; closing may come from another thread
        self._pending: list[tuple[Unit, Any, int]] = []
        self._lock = threading.Lock()
        self._asked = self._busy = self._closed = False
        #: how many were pending a turn ago, and turns since the first of them
        self._seen = self._turns = 0
        #: bytes written since housekeeping set it to 0; roughly
        self.written = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, unit: Unit, done: object, size: int) -> None:
        """On the loop. Raises Unavailable once closed."""
        with self._lock:
            self._open()
            self._pending.append((unit, done, size))
        if not (self._asked or self._busy):
            self._ask()

    def delivered(self) -> None:
        """On the loop, after the callers of a group were told: the next may go."""
        self._busy = False
        if self._pending and not self._asked:
            self._ask()

    def call(self, unit: Unit) -> Outcome:
        """On any other thread; a group of its own."""
        waiting = _Blocking()
        with self._lock:
            self._open()
            self._inbox.put([(unit, waiting)])
        waiting.told.wait()
        return waiting.outcome

    def close(self) -> None:
        """Carries out what was put before, then ends."""
        with self._lock:
            if not self._closed:
                self._closed = True
                while self._pending:
                    self._inbox.put(self._take())
                self._inbox.put(None)
        self._thread.join()

    def _open(self) -> None:
        if self._closed:
            raise Unavailable("spool-closed", "Carepost is stopping; try again later.")

    def _ask(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self._asked = True
        self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        count = len(self._pending)
        if self._seen < count < MOST_UNITS and self._turns < MOST_TURNS and not self._closed:
            self._seen, self._turns = count, self._turns + 1
            self._ask()
            return
        self._asked = False
        self._seen = self._turns = 0
        with self._lock:
            if not self._busy and self._pending:
                self._busy = True
                self._inbox.put(self._take())

    def _take(self) -> list[Asked]:
        """The next group; under the lock."""
        group: list[Asked] = []
        size = 0
        for unit, done, bytes_ in self._pending[:MOST_UNITS]:
            group.append((unit, done))
            size += bytes_
            if size >= MOST_BYTES:
                break
        del self._pending[: len(group)]
        self.written += size + _UNIT_BYTES * len(group)
        return group

    def _run(self) -> None:
        while (group := self._inbox.get()) is not None:
            self._carry_out(group)

    def _carry_out(self, group: list[Asked]) -> None:
        carried: Group | Unavailable
        try:
            carried = self._backend.commit([unit for unit, _ in group])
        except Unavailable as error:
            carried = error
        except Exception as error:  # the thread must live: a fault of ours is told as "not accepted"
            log.failure("spool-writer-failed", error)
            carried = Unavailable("spool-failed", "The message could not be stored; try again later.")
        waiting = group[0][1]
        if isinstance(waiting, _Blocking):
            waiting.outcome = carried.outcomes[0] if isinstance(carried, Group) else carried
            self._deliver([(group[0][0], None)], carried)
            waiting.told.set()
        else:
            self._deliver(group, carried)
