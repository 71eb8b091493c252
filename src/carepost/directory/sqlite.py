"""The embedded office: office.db, opened to read only."""

from pathlib import Path

from carepost.directory.sql import SqlSource
from carepost.directory.threads import SqlThreads
from carepost.ground import database
from carepost.ground.keys import PurposeKeys


def source(office_db: Path, keys: PurposeKeys) -> SqlSource:
    """`keys` with the purposes `database` and `evidence`."""
    raw = keys.raw("database", b"office.db")

    def connect() -> database.Connection:
        return database.connect(office_db, raw, readonly=True, timeout=2.0)

    return SqlSource(connect, begin=("BEGIN",), placeholder="?", keys=keys)


def threads(office_db: Path, keys: PurposeKeys) -> SqlThreads:
    """The portal's conversations. `keys` as for `source`."""
    raw = keys.raw("database", b"office.db")

    def connect() -> database.Connection:
        return database.connect(office_db, raw, readonly=True, timeout=2.0)

    return SqlThreads(connect, keys, begin=("BEGIN",), placeholder="?")
