"""Bodies of more than one chunk: append-only files, synced before the row that points into them commits.

Nothing is ever written over. A tail that no row points to (a crash before the commit) is never read, and goes with
its file. A file is removed when the last body in it is dropped; dropping a body is deleting its wrapped key (the row),
so what stays in the file until then is ciphertext nobody can open."""

import contextlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from carepost.ground import durable
from carepost.spool.faults import Faults

#: a new file is begun past this many bytes
ROLL = 64 * 1024 * 1024
_NAME = re.compile(r"segment-(\d{8})")


class Segments:
    """The segment files of one shard. `write` and `sync` on the writer thread; `read` anywhere."""

    def __init__(self, folder: Path, live: Mapping[int, int], faults: Faults | None = None, roll: int = ROLL) -> None:
        """`live`: segment -> bodies in it, as the rows say. Files without any are left from a crash: removed."""
        self._folder = folder
        self._faults = faults
        self._roll = roll
        self._live = dict(live)
        self._fd = -1
        self._end = 0
        self._dirty = False
        there = {int(m[1]) for p in folder.iterdir() if (m := _NAME.fullmatch(p.name))}
        self._number = max(there | set(live), default=0)
        for number in there - set(live):
            self._path(number).unlink()

    def write(self, chunks: Iterable[bytes]) -> tuple[int, int, int]:
        """(segment, start, length) of the chunks, each behind its length. Raises OSError; then nothing is there."""
        if self._faults is not None:
            self._faults.at("segment.write")
        if self._fd < 0 or self._end >= self._roll:
            self._begin()
        start = self._end
        framed = [piece for chunk in chunks for piece in (len(chunk).to_bytes(4, "big"), chunk)]
        data = memoryview(b"".join(framed))
        at = start
        while at - start < len(data):
            at += os.pwrite(self._fd, data[at - start :], at)
        self._end = at
        self._dirty = True
        self._live[self._number] = self._live.get(self._number, 0) + 1
        return self._number, start, at - start

    def sync(self) -> None:
        """What was written is on disk. Raises OSError: then the file is left, and a new one begun next time, because a
        failed sync may have dropped the pages (no later sync would say so)."""
        if not self._dirty:
            return
        try:
            os.fdatasync(self._fd)
        except OSError:
            self._abandon()
            raise
        self._dirty = False
        if self._faults is not None:
            self._faults.at("segment.synced")

    def read(self, segment: int, start: int, length: int) -> tuple[bytes, ...]:
        """The chunks written there. Raises OSError, ValueError when the file is shorter than the row says."""
        with self._path(segment).open("rb") as file:
            file.seek(start)
            data = file.read(length)
        chunks = []
        at = 0
        while at < length:
            size = int.from_bytes(data[at : at + 4], "big")
            chunks.append(data[at + 4 : at + 4 + size])
            at += 4 + size
        if at != length or len(data) != length:
            raise ValueError("a segment is shorter than its row says")
        return tuple(chunks)

    def dropped(self, counts: Mapping[int, int]) -> None:
        """So many bodies of each segment are no longer pointed to by any committed row."""
        for number, count in counts.items():
            left = self._live.get(number, 0) - count
            self._live[number] = left
            if left > 0 or number == self._number:
                continue
            if self._faults is not None:
                self._faults.at("retire.unlink")
            del self._live[number]
            with contextlib.suppress(FileNotFoundError):
                self._path(number).unlink()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _begin(self) -> None:
        if self._dirty:
            self.sync()
        number = self._number + 1
        fd = os.open(self._path(number), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            durable.sync_directory(self._folder)
        except OSError:
            os.close(fd)
            self._path(number).unlink(missing_ok=True)
            raise
        self._abandon()
        self._fd, self._number, self._end = fd, number, 0

    def _abandon(self) -> None:
        """No more is written into the present file; it goes when its bodies have gone."""
        self.close()
        self._dirty = False
        if self._number and self._live.get(self._number, 0) <= 0:
            self._live.pop(self._number, None)
            self._path(self._number).unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"segment-{number:08d}"
