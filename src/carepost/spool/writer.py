"""The one thread that writes a shard: what arrives while a commit runs forms the next group. No timer."""

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
#: what one unit writes besides bodies, for housekeeping (measured: 2-4 pages)
_UNIT_BYTES = 12_000

_Item = tuple[Unit, Any, int]
Deliver = Callable[[list[tuple[Unit, Any]], Group | Unavailable], None]


class _Blocking:
    """A caller on another thread, waiting for its outcome."""

    def __init__(self) -> None:
        self.told = threading.Event()
        self.outcome: Outcome = None


class Writer:
    def __init__(self, backend: Backend, deliver: Deliver, name: str) -> None:
        """`deliver` is called on this thread, once a group."""
        self._backend = backend
        self._deliver = deliver
        self._inbox: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._closed = False
        #: bytes written since housekeeping set it to 0; roughly
        self.written = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, unit: Unit, done: object, size: int) -> None:
        if self._closed:
            raise Unavailable("spool-closed", "Carepost is stopping; try again later.")
        self._inbox.put((unit, done, size))

    def call(self, unit: Unit) -> Outcome:
        waiting = _Blocking()
        self.put(unit, waiting, 0)
        waiting.told.wait()
        return waiting.outcome

    def close(self) -> None:
        """Carries out what was put before, then ends."""
        if not self._closed:
            self._closed = True
            self._inbox.put(None)
        self._thread.join()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            group, stopping = self._gather()
            if group:
                self._carry_out(group)

    def _gather(self) -> tuple[list[tuple[Unit, Any]], bool]:
        """Waits for one unit, then takes whatever came meanwhile."""
        group: list[tuple[Unit, Any]] = []
        size = 0
        item = self._inbox.get()
        while item is not None:
            unit, done, bytes_ = item
            group.append((unit, done))
            size += bytes_
            if len(group) >= MOST_UNITS or size >= MOST_BYTES:
                break
            try:
                item = self._inbox.get_nowait()
            except queue.Empty:
                break
        else:
            return group, True
        self.written += size + _UNIT_BYTES * len(group)
        return group, False

    def _carry_out(self, group: list[tuple[Unit, Any]]) -> None:
        carried: Group | Unavailable
        try:
            carried = self._backend.commit([unit for unit, _ in group])
        except Unavailable as error:
            carried = error
        except Exception as error:  # the thread must live: a fault of ours is told as "not accepted"
            log.failure("spool-writer-failed", error)
            carried = Unavailable("spool-failed", "The message could not be stored; try again later.")
        heard = []
        for i, (unit, done) in enumerate(group):
            if isinstance(done, _Blocking):
                done.outcome = carried.outcomes[i] if isinstance(carried, Group) else carried
                heard.append((unit, None))
            else:
                heard.append((unit, done))
        self._deliver(heard, carried)
        for _, done in group:
            if isinstance(done, _Blocking):
                done.told.set()
