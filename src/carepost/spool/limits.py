"""When the doors close: the disk nearly full, the outbox nearly full, the journal late (DESIGN 2, 5)."""

import os
from collections import deque
from pathlib import Path

import msgspec

from carepost.ground import clock
from carepost.ground.errors import Unavailable

#: microseconds the journal may be behind
LATE = 10 * 60 * 1_000_000
#: of the outbox limit, where the doors close; the rest is for the events of what was accepted
SHARE = 0.8
_DISK_EVERY = 1.0
_MARK_EVERY = 1_000_000


class Limits(msgspec.Struct, frozen=True):
    #: bytes that stay free on the shard's disk
    min_free: int = 0
    #: events not yet acknowledged
    outbox: int = 5_000_000
    late_us: int = LATE


class Watch:
    """Disk, outbox and lag of one shard. On the loop only."""

    def __init__(self, folder: Path, limits: Limits, head: int, acked: int, oldest: int) -> None:
        """`oldest`: when the oldest event in the outbox happened, 0 for none."""
        self._folder = folder
        self._limits = limits
        self.head = head
        self.acked = acked
        #: (event number, when): everything up to that number happened at that time or later
        self._marks: deque[tuple[int, int]] = deque([(head, oldest)] if oldest else [])
        self._free = 0
        self._looked = float("-inf")

    def admit(self, size: int) -> None:
        """Raises Unavailable."""
        if self._disk_free() - size < self._limits.min_free:
            raise Unavailable("disk-low", "The disk is nearly full; nothing new is accepted until there is room.")
        if self.head - self.acked >= self._limits.outbox * SHARE:
            raise Unavailable("outbox-full", "The journal has too much to catch up; try again later.")
        if self._marks and clock.now() - self._marks[0][1] > self._limits.late_us:
            raise Unavailable("journal-late", "The journal is more than ten minutes behind; try again later.")

    def grown(self, head: int) -> None:
        self.head = head
        now = clock.now()
        if self._marks and now - self._marks[-1][1] < _MARK_EVERY:
            # an older time for a newer event: at most a second too strict
            self._marks[-1] = (head, self._marks[-1][1])
        else:
            self._marks.append((head, now))

    def acknowledge(self, acked: int) -> None:
        self.acked = max(self.acked, min(acked, self.head))
        while self._marks and self._marks[0][0] <= self.acked:
            self._marks.popleft()

    def stats(self) -> dict[str, int]:
        oldest = self._marks[0][1] if self._marks else 0
        return {
            "outbox": self.head - self.acked,
            "outbox_s": max(0, clock.now() - oldest) // 1_000_000 if oldest else 0,
            "disk_free": self._disk_free(),
        }

    def _disk_free(self) -> int:
        now = clock.monotonic()
        if now - self._looked >= _DISK_EVERY:
            try:
                found = os.statvfs(self._folder)
                self._free = found.f_bavail * found.f_frsize
            except OSError:
                self._free = 0
            self._looked = now
        return self._free
