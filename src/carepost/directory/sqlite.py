"""The embedded office: office.db, opened to read only."""

from collections.abc import Callable
from pathlib import Path

from carepost.directory.ownkeys import SqlOwnSecrets
from carepost.directory.recipients import SqlCertificates
from carepost.directory.shelf import SqlShelf
from carepost.directory.sql import SqlSource
from carepost.directory.threads import SqlThreads
from carepost.ground import database
from carepost.ground.keys import PurposeKeys


def source(office_db: Path, keys: PurposeKeys) -> SqlSource:
    """`keys` with the purposes `database` and `evidence`."""
    return SqlSource(_connect(office_db, keys), begin=("BEGIN",), placeholder="?", keys=keys)


def threads(office_db: Path, keys: PurposeKeys) -> SqlThreads:
    """The portal's conversations. `keys` as for `source`."""
    return SqlThreads(_connect(office_db, keys), keys, begin=("BEGIN",), placeholder="?")


def certificates(office_db: Path, keys: PurposeKeys) -> SqlCertificates:
    """Recipients' certificates. `keys` with the purpose `database`."""
    return SqlCertificates(_connect(office_db, keys), begin=("BEGIN",), placeholder="?")


def own_secrets(office_db: Path, keys: PurposeKeys) -> SqlOwnSecrets:
    """The organisations' own keys. `keys` with the purposes `database`, `mail` and `evidence`."""
    return SqlOwnSecrets(_connect(office_db, keys), keys, begin=("BEGIN",), placeholder="?")


def shelf(office_db: Path, keys: PurposeKeys) -> SqlShelf:
    """Templates and uploads. `keys` with the purposes `database` and `content`."""
    return SqlShelf(_connect(office_db, keys), keys, begin=("BEGIN",), placeholder="?")


def _connect(office_db: Path, keys: PurposeKeys) -> Callable[[], database.Connection]:
    raw = keys.raw("database", b"office.db")
    return lambda: database.connect(office_db, raw, readonly=True, timeout=2.0)
