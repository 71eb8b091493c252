"""What engines of other nodes have seen: what was seen here goes to them, and what they saw into a file beside ours.

A destination once seen with TLS gets nothing in clear from any engine of any node (DESIGN 3). Rows travel as they lie
in the file: sealed, under keys that all nodes have."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from carepost.ground import log
from carepost.ground.keys import PurposeKeys, WrongKey
from carepost.posture import judge, reading
from carepost.posture.reading import ROWS, Reader, open_row
from carepost.posture.store import Store
from carepost.posture.types import Record

#: (token, sealed, changed)
Row = tuple[bytes, bytes, int]


class Sights(Protocol):
    """Where nodes meet. Raises Unavailable."""

    def newest(self, shard: int) -> int: ...

    def put(self, shard: int, rows: Sequence[Row]) -> None: ...

    def shards(self) -> list[int]: ...

    def after(self, marks: Mapping[int, int], most: int) -> list[tuple[int, Row]]: ...

    def close(self) -> None: ...


class Elsewhere:
    """One an engine, on one thread at a time. `own`: (number among all nodes, folder) of its shard; `folder`: where
    what others saw is kept, written by one engine of a home (None: by another)."""

    def __init__(self, sights: Sights, keys: PurposeKeys, own: tuple[int, Path], folder: Path | None) -> None:
        self._sights, self._keys = sights, keys
        self._number, self._path = own[0], own[1] / "posture.db"
        self._reader: Reader | None = None
        #: up to where our own rows are there
        self._given: int | None = None
        self._store = None
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._store = Store(folder / "posture.db", keys)
        #: up to where each shard of other nodes was taken in; its own node's engines read each other's files
        self._taken: dict[int, int] = {}

    def step(self) -> None:
        """Gives what is new, takes what is new. Raises Unavailable."""
        self._give()
        if self._store is not None:
            self._take(self._store)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        if self._store is not None:
            self._store.close()
        self._sights.close()

    def _give(self) -> None:
        if self._reader is None:
            self._reader = reading.opened(self._path, self._keys)
            if self._reader is None:
                return
        if self._given is None:
            self._given = self._sights.newest(self._number)
        while rows := self._reader.rows(self._given):
            self._sights.put(self._number, rows)
            self._given = rows[-1][2]

    def _take(self, store: Store) -> None:
        for shard in self._sights.shards():
            if shard >> 6 != self._number >> 6:
                self._taken.setdefault(shard, 0)
        while self._taken and (rows := self._sights.after(self._taken, ROWS)):
            merged: dict[str, Record] = {}
            for _, (token, sealed, _) in rows:
                self._merge(store, merged, token, sealed)
            for record in merged.values():
                store.save(record)
            # the next round reads them again
            store.flush()
            for shard, (_, _, changed) in rows:
                self._taken[shard] = changed

    def _merge(self, store: Store, merged: dict[str, Record], token: bytes, sealed: bytes) -> None:
        try:
            record = open_row(self._keys, token, sealed)
        except (WrongKey, msgspec.DecodeError) as error:
            log.failure("posture-unreadable", error)
            return
        domain = record.domain
        stored = store.load(domain) or Record(domain)
        after = judge.merge(merged.get(domain, stored), [record])
        if after != stored:
            merged[domain] = after
