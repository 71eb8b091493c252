"""One moment of a home that runs: read transactions on all its files, begun while the journal may not commit.

What makes them fit together: the log (records) may lag behind the spool and the office, as after a crash of the
journal, because their outboxes hold whatever it has not taken. It may never be ahead of them. So the journal's one
writer is kept from committing for as long as it takes to begin one read transaction a file (milliseconds), and
nothing can be acknowledged meanwhile. After that everything is copied at leisure from those snapshots, by SQLite's
online backup; engines and office never wait.
"""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from carepost.ground import clock, database
from carepost.ground.database import Connection
from carepost.ground.errors import Unavailable
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.processes.backup.manifest import Shard

#: seconds the journal's own transaction may keep us waiting
_PATIENCE: Final = 60.0
_SEGMENT: Final = re.compile(r"segment-\d{8}")
_TRIES: Final = 5


class Database(NamedTuple):
    name: str
    connection: Connection
    key: bytes | None


class Segment(NamedTuple):
    name: str
    #: open: stays readable when its last body is dropped meanwhile. What was appended since is never read
    fd: int


class Moment(NamedTuple):
    at: int
    databases: list[Database]
    segments: list[Segment]
    shards: list[Shard]


class _Moved(Exception):
    """A segment that rows point to went before it was opened: look again."""


@contextmanager
def embedded(home: Home, keys: PurposeKeys) -> Iterator[Moment]:
    """Office and records are SQLite files. Raises Unavailable, ConfigError."""
    records = home.records_db
    lock = database.connect(records, keys.raw("database", b"records.db"), timeout=_PATIENCE)
    try:
        for _ in range(_TRIES):
            with ExitStack() as kept:
                try:
                    lock.execute("BEGIN IMMEDIATE")
                except database.OperationalError:
                    raise Unavailable("records-busy", "The journal does not let go of its file; try again.") from None
                try:
                    found = [_ciphered(kept, path, keys) for path in (records, home.office_db)]
                    moment = with_spool(home, kept, found)
                except _Moved:
                    continue
                finally:
                    lock.execute("ROLLBACK")
                yield moment
                return
        raise Unavailable("spool-moving", "The spool changes too fast to be looked at; try again.")
    finally:
        lock.close()


def with_spool(home: Home, kept: ExitStack, databases: list[Database]) -> Moment:
    """The moment of the caller's databases and of every shard: the caller keeps the journal from committing."""
    at = clock.now()
    shards: list[Shard] = []
    segments: list[Segment] = []
    found = list(databases)
    for number in range(home.shards):
        folder = home.shard(number)
        there = _segments(kept, folder, [p.name for p in folder.iterdir() if _SEGMENT.fullmatch(p.name)])
        spool = pinned(kept, folder / "spool.db", None)
        found.append(Database(_name(home, folder / "spool.db"), spool, None))
        shards.append(_state(number, spool))
        wanted = [f"segment-{n:08d}" for (n,) in spool.execute(_WANTED)]
        there |= _segments(kept, folder, [name for name in wanted if name not in there])
        if not set(wanted) <= set(there):
            raise _Moved
        segments += [Segment(_name(home, folder / name), there[name]) for name in wanted]
        posture = folder / "posture.db"
        if posture.exists():
            found.append(Database(_name(home, posture), pinned(kept, posture, None), None))
    return Moment(at, found, segments, shards)


_WANTED: Final = "SELECT DISTINCT segment FROM message WHERE segment IS NOT NULL"


def _state(number: int, spool: Connection) -> Shard:
    (head, acked), (newest,), (waiting,) = (
        spool.execute(sql).fetchone()
        for sql in (
            "SELECT head, acked FROM shard",
            "SELECT max(seq) FROM outbox",
            "SELECT count(*) FROM delivery WHERE place IN (1, 2, 3)",
        )
    )
    return Shard(number, max(head, newest or 0), acked, waiting)


def pinned(kept: ExitStack, path: Path, key: bytes | None) -> Connection:
    """A connection that sees this file as it is now, until `kept` is closed."""
    connection = database.connect(path, key, readonly=True, timeout=_PATIENCE)
    kept.callback(connection.close)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return connection


def _ciphered(kept: ExitStack, path: Path, keys: PurposeKeys) -> Database:
    key = keys.raw("database", path.name.encode())
    return Database(path.name, pinned(kept, path, key), key)


def _segments(kept: ExitStack, folder: Path, names: list[str]) -> dict[str, int]:
    """name -> open file; those that are gone are left out."""
    found: dict[str, int] = {}
    for name in names:
        try:
            fd = os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        kept.callback(os.close, fd)
        found[name] = fd
    return found


def _name(home: Home, path: Path) -> str:
    return path.relative_to(home.path).as_posix()
