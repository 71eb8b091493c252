"""Follows what the engines of this home write of destinations, and merges it into the records of each organisation."""

from pathlib import Path
from typing import Final

from carepost.archive.marks import Marks
from carepost.destinations import merging
from carepost.ground import database, log
from carepost.ground.errors import Unavailable
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.posture import Reader, Record

#: rounds of `Reader.news` for one shard at a time, so that one busy shard holds up nobody
ROUNDS: Final = 20


class Follower:
    """On one thread. A shard whose file is not there yet is looked for again."""

    def __init__(self, home: Home, keys: PurposeKeys, marks: Marks) -> None:
        self._keys = keys
        self._marks = marks
        self._waiting: dict[str, Path] = {
            f"posture:{home.node << 6 | shard}": home.shard(shard) / "posture.db" for shard in range(home.shards)
        }
        self._readers: dict[str, Reader] = {}

    def step(self) -> int:
        """Takes what is new; how many records and counts that were. Raises what the office's database raises."""
        self._look()
        return sum(self._follow(name, reader) for name, reader in self._readers.items())

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()

    def _follow(self, name: str, reader: Reader) -> int:
        after = self._marks.get(name)
        taken = 0
        for _ in range(ROUNDS):
            records, days, newest = reader.news(after)
            if newest == after:
                break
            # a destination is made by its first count, and then knows what the record says
            for day in days:
                merging.count(day, self._known)
            for record in records:
                merging.take(record)
            taken += len(records) + len(days)
            # COMMIT POINT: a crash before it takes the same again, which changes nothing.
            after = newest
            self._marks.put(name, after)
        return taken

    def _known(self, domain: str) -> Record | None:
        """What was last written of a domain by any engine."""
        found = []
        for reader in self._readers.values():
            try:
                record = reader.load(domain)
            except Unavailable:
                continue
            if record is not None:
                found.append(record)
        return max(found, key=lambda record: (record.tls_at, record.starttls_at), default=None)

    def _look(self) -> None:
        for name, path in list(self._waiting.items()):
            if not path.exists():
                continue
            try:
                reader = Reader(path, self._keys)
                reader.news(0)
            except database.DatabaseError as error:
                # the file is there a moment before its tables
                log.event("posture-not-yet", code=type(error).__name__)
                continue
            del self._waiting[name]
            self._readers[name] = reader
