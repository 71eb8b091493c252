"""What a database or a disk answered, in a sentence with its mend: for commands, starts and the doctor.

Told by the driver's own constant words and SQLSTATE; nothing of the error's text is repeated, which may hold values.
"""

import errno
from collections.abc import Iterator
from typing import Final

from carepost.ground.errors import CarepostError


class StoreFault(CarepostError):
    """`what` is wrong, and what to do (`mend`); `public` is both. A store answers, or does not, in a way we know."""

    def __init__(self, code: str, what: str, mend: str) -> None:
        super().__init__(code, f"{what}: {mend}.")
        self.what = what
        self.mend = mend


_FULL = ("disk-full", "The disk is full", "free space there and try again")
_READ_ONLY = (
    "read-only", "The disk or the home's folder is read-only for this user",
    "mount it for writing, and run Carepost as the user the home belongs to",
)  # fmt: skip
_UNOPENED = (
    "cannot-open", "A database of the home cannot be opened",
    "look whether its folder is there, and run Carepost as the user the home belongs to",
)  # fmt: skip
_LOCKED = (
    "database-locked", "Another program holds a database of the home locked",
    "end what copies or opens it (backups are made by carepost backup) and try again",
)  # fmt: skip
DAMAGED: Final = "database-damaged"
_DAMAGED = (
    DAMAGED, "A database of the home is damaged",
    "restore the last backup into another folder: carepost restore FILE --home FOLDER",
)  # fmt: skip
_OTHER_TABLES = (
    "other-tables", "The tables are not those of this version",
    "start this version once (carepost up); if they are still not there, restore the last backup",
)  # fmt: skip
_MIXED = (
    "mixed-tables", "The tables do not fit the list of changes made to them: one of the two is older",
    "restore the last backup, whole",
)  # fmt: skip
_IO = ("disk-failing", "The disk cannot be read or written", "look at the disk and the system's log (dmesg)")
_AWAY = ("postgres-away", "PostgreSQL does not answer", "start it, or correct CAREPOST_DATABASE_URL")
_CROWDED = (
    "postgres-crowded", "PostgreSQL has no connection left",
    "raise its max_connections (docs/scaling.md says how many are needed), or end what holds them",
)  # fmt: skip
_LOGIN = (
    "postgres-login", "PostgreSQL does not let this user in",
    "correct user and password in CAREPOST_DATABASE_URL, and pg_hba.conf there",
)  # fmt: skip
_NO_DATABASE = (
    "postgres-no-database", "PostgreSQL has no database of that name",
    "make it (createdb), or correct CAREPOST_DATABASE_URL",
)  # fmt: skip
_RIGHTS = (
    "postgres-rights", "PostgreSQL does not allow that to this user",
    "give CAREPOST_DATABASE_URL the owner of the database, who may make roles (CREATEROLE), and run carepost up",
)  # fmt: skip
_STANDBY = (
    "postgres-read-only", "PostgreSQL takes no writes (a standby, or it was set read-only)",
    "let CAREPOST_DATABASE_URL name the server that is written to",
)  # fmt: skip
_STUCK = (
    "postgres-stuck", "PostgreSQL did not answer in time: something else holds what is needed, or it is overloaded",
    "look there for what has been running long (pg_stat_activity), and try again",
)  # fmt: skip

#: beginnings of SQLSTATE (PostgreSQL, appendix A), the longer first
_STATES: Final = (
    ("53100", _FULL), ("53300", _CROWDED), ("25006", _STANDBY), ("42501", _RIGHTS), ("42P01", _OTHER_TABLES),
    ("42703", _OTHER_TABLES), ("42P07", _MIXED), ("42701", _MIXED),
    ("55P03", _STUCK), ("57014", _STUCK), ("3D000", _NO_DATABASE), ("28", _LOGIN), ("57P", _AWAY), ("08", _AWAY),
)  # fmt: skip
#: words of SQLite (its result codes) and libpq; a failed connection has no SQLSTATE
_WORDS: Final = (
    ("disk is full", _FULL), ("readonly database", _READ_ONLY), ("database is locked", _LOCKED),
    ("table is locked", _LOCKED), ("malformed", _DAMAGED), ("not a database", _DAMAGED),
    ("no such table", _OTHER_TABLES), ("no such column", _OTHER_TABLES),
    ("already exists", _MIXED), ("duplicate column", _MIXED),
    ("unable to open database file", _UNOPENED), ("disk I/O error", _IO),
    ("too many clients", _CROWDED), ("remaining connection slots", _CROWDED), ("too many connections", _CROWDED),
    ("authentication failed", _LOGIN), ("no pg_hba.conf entry", _LOGIN), ("no password supplied", _LOGIN),
    ("FATAL:  role", _LOGIN), ("FATAL:  database", _NO_DATABASE),
    ("Connection refused", _AWAY), ("connection timeout", _AWAY), ("failed to resolve host", _AWAY),
    ("server closed the connection", _AWAY), ("the database system is", _AWAY), ("No route to host", _AWAY),
    ("connection is closed", _AWAY), ("connection is lost", _AWAY),
)  # fmt: skip
_ERRNO: Final = {errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.EROFS: _READ_ONLY, errno.EIO: _IO}
_DRIVERS: Final = ("sqlcipher3", "sqlite3", "psycopg", "django.db")


def told(error: BaseException) -> StoreFault | None:
    """What this error of a driver or the system says, also one that others were raised from; None: something else."""
    for one in _behind(error):
        found = _system(one) if isinstance(one, OSError) else _driver(one)
        if found is not None:
            return StoreFault(*found)
    return None


def _behind(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        # as Python prints it: what it was raised from, else what was being handled, unless it was said not to matter
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _system(error: OSError) -> tuple[str, str, str] | None:
    return _ERRNO.get(error.errno) if error.errno is not None else None


def _driver(error: BaseException) -> tuple[str, str, str] | None:
    if not type(error).__module__.startswith(_DRIVERS):
        return None
    state = getattr(error, "sqlstate", None)
    if state:
        return next((found for begin, found in _STATES if state.startswith(begin)), None)
    text = str(error)
    return next((found for words, found in _WORDS if words in text), None)
