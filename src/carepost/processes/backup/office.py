"""An office in PostgreSQL inside a backup: pg_dump of the very moment the spool is copied of, and pg_restore of it.

The owner of the tables is bound by row security too; both programs speak for every organisation (`carepost.org`).
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg

from carepost.audit.store import WRITER_LOCK
from carepost.directory.postgres import owner_source
from carepost.directory.sql import SqlSource
from carepost.ground import postgres, storefaults
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys
from carepost.processes.backup import moment
from carepost.processes.backup.moment import Moment

_INSTALL: Final = (
    "The office of this home is in PostgreSQL, and {program} is not on this machine: install PostgreSQL's client "
    "programs (Debian: postgresql-client), of the server's version or newer, and run this again."
)
#: seconds
_WITHIN: Final = 6 * 3600
#: seconds one statement may take here, and wait for a lock: the journal holds its own for a group of events
_STATEMENT: Final = 120
_LOCK: Final = 60


@contextmanager
def taken(home: Home, url: str, dump: Path) -> Iterator[Moment]:
    """As `moment.embedded`; the office is dumped to `dump` when this is entered."""
    program = _program("pg_dump")
    with ExitStack() as kept:
        office = kept.enter_context(_connected(url))
        lock = kept.enter_context(_connected(url))
        lock.autocommit = True
        # the journal's one writer takes the same lock in each of its transactions (audit.store)
        lock.execute("SELECT pg_advisory_lock(%s)", (WRITER_LOCK,))
        try:
            office.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            (snapshot,) = _one(office, "SELECT pg_export_snapshot()")
            found = moment.with_spool(home, kept, [])
        finally:
            lock.execute("SELECT pg_advisory_unlock(%s)", (WRITER_LOCK,))
        _run(
            [program, "--format=custom", "--enable-row-security", "--no-owner", "--no-privileges",
             f"--snapshot={snapshot}", f"--lock-wait-timeout={_LOCK}s", f"--file={dump}"],
            url, "The office could not be dumped",
        )  # fmt: skip
        yield found


def empty(url: str) -> None:
    """Raises ConfigError where the database already has an office in it, or pg_restore is missing."""
    _program("pg_restore")
    with _connected(url) as connection:
        (there,) = _one(connection, "SELECT to_regclass('tenancy_organisation') IS NOT NULL")
    if there:
        raise ConfigError("The database of CAREPOST_DATABASE_URL has an office in it already; name an empty one.")


def restore(url: str, dump: Path) -> None:
    """All of the dump or nothing of it. Raises ConfigError."""
    _run(
        [_program("pg_restore"), "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error",
         f"--dbname={postgres.database_name(url)}", str(dump)],
        url, "The office could not be restored",
    )  # fmt: skip


def source(url: str, keys: PurposeKeys) -> SqlSource:
    """As the owner: the roles of the processes are made at the first start."""
    return owner_source(url, keys)


def taken_of(url: str) -> dict[str, int]:
    """How far the log there has come with each source."""
    with _connected(url) as connection:
        connection.execute("SELECT set_config('carepost.org', '*', true)")
        return {name: int(seq) for name, seq in connection.execute("SELECT source, seq FROM audit_source").fetchall()}


def _one(connection: psycopg.Connection[Any], sql: str) -> tuple[Any, ...]:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return tuple(row)


def _connected(url: str) -> psycopg.Connection[Any]:
    try:
        connection = psycopg.connect(url, **postgres.PATIENCE)
    except psycopg.OperationalError as error:
        raise storefaults.told(error) or ConfigError(
            "The database of CAREPOST_DATABASE_URL does not answer; start it, or correct the setting."
        ) from None
    connection.autocommit = True
    for bound in postgres.bounds(_STATEMENT, _LOCK):
        connection.execute(bound)
    connection.autocommit = False
    return connection


def _program(name: str) -> str:
    """The newest there is: it must not be older than the server."""
    there = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: float(p.parts[-3]))
    found = str(there[-1]) if there else shutil.which(name)
    if not found:
        raise ConfigError(_INSTALL.format(program=name))
    return found


def _run(command: list[str], url: str, fault: str) -> None:
    """The login by the environment: arguments can be read by everybody on the machine."""
    parts = urlsplit(url)
    given = {
        "PGHOST": unquote(parts.hostname or ""),
        "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": postgres.database_name(url),
        "PGOPTIONS": "-c carepost.org=*",
        "PGCONNECT_TIMEOUT": "5",
    }
    given |= {_VARIABLES[name]: value for name, value in parse_qsl(parts.query) if name in _VARIABLES}
    environ = {**os.environ, **{name: value for name, value in given.items() if value}}
    done = subprocess.run(command, env=environ, capture_output=True, timeout=_WITHIN)
    if done.returncode != 0:
        said = (done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"])[0]
        raise ConfigError(f"{fault}: {said}")


_VARIABLES: Final = {
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "passfile": "PGPASSFILE",
}  # fmt: skip
