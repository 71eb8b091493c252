"""What the journal says of itself, collected from its threads and written to the run folder twice a second at most."""

import os
import threading
from pathlib import Path
from typing import Final

import msgspec

from carepost.archive.health import NAME, JournalState, SourceState
from carepost.ground import clock, metrics

#: seconds between writes
EVERY: Final = 0.5


class Status:
    """Callable from any thread. Not durable: it is about now."""

    def __init__(self, run: Path) -> None:
        self._path = run / NAME
        self._lock = threading.Lock()
        self._sources: dict[str, SourceState] = {}
        self._owed = 0
        self._written = 0.0

    def at(self, source: str, head: int, taken: int, since: int) -> None:
        """`since`: when the oldest event that is not taken happened, about; told only while one is missing."""
        with self._lock:
            self._sources[source] = SourceState(head, taken, since if head > taken else 0)
            self._write()

    def failed(self, source: str, code: str) -> None:
        with self._lock:
            known = self._sources.get(source, SourceState(0, 0))
            since = known.since or clock.now()
            self._sources[source] = msgspec.structs.replace(known, refused=code, since=since)
            self._write()

    def owes(self, count: int) -> None:
        with self._lock:
            self._owed = count
            self._write()

    def _write(self) -> None:
        now = clock.monotonic()
        if now - self._written < EVERY:
            return
        self._written = now
        state = JournalState(clock.now(), dict(self._sources), self._owed, _counted())
        tmp = self._path.with_name(f".{NAME}.{os.getpid()}")
        tmp.write_bytes(msgspec.json.encode(state))
        os.replace(tmp, self._path)


def _counted() -> dict[str, int]:
    return {name: int(value) for name, value in metrics.snapshot().items()}
