"""The tables of the log, in records.db or in PostgreSQL, behind one small interface.

SQL here is written with `?`; PostgreSQL's store turns it into `%s`. Both are kept to what both databases know."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import resources
from itertools import chain
from typing import Any, Final, Protocol

from carepost.ground import ids
from carepost.ground.errors import ConfigError
from carepost.proof.merkle import Node

#: number of the newest file in `sql/`
VERSION: Final = 2
#: terms of one compound SELECT
_TERMS: Final = 100
#: rows of one INSERT: a statement for each costs half as much again (SQLite)
_ROWS: Final = 50
#: "carepost" in ASCII: the one writer of the log on PostgreSQL
WRITER_LOCK: Final = 0x63617265706F7374

_VALUES: Final = re.compile(r" VALUES (\([?0-9, ]+\))")

Row = tuple[Any, ...]


class Store(Protocol):
    """`writing` is one transaction, alone; `reading` sees one state of one organisation (None: of all)."""

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]: ...

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None: ...

    @contextmanager
    def writing(self) -> Iterator[None]: ...

    @contextmanager
    def reading(self, org: bytes | None) -> Iterator[None]: ...

    def migrate(self) -> None: ...


class SqliteStore:
    """On a connection of `ground.database.connect` (autocommit)."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        found: list[Row] = self._connection.execute(sql, parameters).fetchall()
        return found

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        left = list(rows)
        together = _together(sql) if len(left) >= _ROWS else ""
        if together:
            whole = len(left) // _ROWS * _ROWS
            for at in range(0, whole, _ROWS):
                self._connection.execute(together, list(chain.from_iterable(left[at : at + _ROWS])))
            del left[:whole]
        self._connection.executemany(sql, left)

    @contextmanager
    def writing(self) -> Iterator[None]:
        yield from self._transaction("BEGIN IMMEDIATE", "COMMIT")

    @contextmanager
    def reading(self, org: bytes | None) -> Iterator[None]:
        yield from self._transaction("BEGIN", "ROLLBACK")

    def _transaction(self, begin: str, end: str) -> Iterator[None]:
        self._connection.execute(begin)
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute(end)

    def migrate(self) -> None:
        """Makes the tables, or brings them up to VERSION. Raises ConfigError for a newer file."""
        with self.writing():
            self.rows("CREATE TABLE IF NOT EXISTS audit_schema (version INTEGER NOT NULL) STRICT")
            for number in _pending(self):
                for statement in _statements(f"sqlite-{number:04d}.sql"):
                    self.rows(statement)
                self.rows("INSERT INTO audit_schema (version) VALUES (?)", (number,))


class PostgresStore:
    """On a psycopg connection in autocommit mode. Row security is by `carepost.org`, set in each transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        cursor = self._connection.execute(_percent(sql), parameters)
        return cursor.fetchall() if cursor.description else []

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(_percent(sql), rows)

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._connection.transaction():
            self._connection.execute(
                "SELECT pg_advisory_xact_lock(%s), set_config('carepost.org', '*', true)", (WRITER_LOCK,)
            )
            yield

    @contextmanager
    def reading(self, org: bytes | None) -> Iterator[None]:
        scope = "*" if org is None else ids.text(org)
        with self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._connection.execute("SELECT set_config('carepost.org', %s, true)", (scope,))
            yield

    def migrate(self) -> None:
        """Makes the tables, or brings them up to VERSION, as their owner. Raises ConfigError for a newer database."""
        with self.writing():
            self.rows("CREATE TABLE IF NOT EXISTS audit_schema (version BIGINT NOT NULL)")
            for number in _pending(self):
                self._connection.execute(_file(f"postgres-{number:04d}.sql"))
                self.rows("INSERT INTO audit_schema (version) VALUES (?)", (number,))


def hashes(store: Store, org: bytes, nodes: Sequence[Node]) -> dict[Node, bytes]:
    """Stored hashes of leaves (level 0) and perfect subtrees, each by one look-up in an index. Missing ones are left
    out."""
    found: dict[Node, bytes] = {}
    wanted = list(dict.fromkeys(nodes))
    for start in range(0, len(wanted), _TERMS):
        terms: list[str] = []
        parameters: list[object] = []
        for level, index in wanted[start : start + _TERMS]:
            if level:
                terms.append("SELECT level, idx, hash FROM audit_node WHERE org = ? AND level = ? AND idx = ?")
                parameters += (org, level, index)
            else:
                terms.append("SELECT 0, idx, hash FROM audit_leaf WHERE org = ? AND idx = ?")
                parameters += (org, index)
        for level, index, value in store.rows(" UNION ALL ".join(terms), parameters):
            found[level, index] = bytes(value)
    return found


def size_of(store: Store, org: bytes) -> int:
    rows = store.rows("SELECT size FROM audit_log WHERE org = ?", (org,))
    return int(rows[0][0]) if rows else 0


def _pending(store: Store) -> range:
    done = store.rows("SELECT coalesce(max(version), 0) FROM audit_schema")[0][0]
    if done > VERSION:
        raise ConfigError("The audit log was written by a newer Carepost; update Carepost to use it.")
    return range(int(done) + 1, VERSION + 1)


def _file(name: str) -> str:
    return resources.files("carepost.audit").joinpath("sql", name).read_text()


def _statements(name: str) -> list[str]:
    text = re.sub(r"(?m)^\s*--.*$", "", _file(name))
    return [statement for part in text.split(";") if (statement := part.strip())]


@lru_cache(maxsize=64)
def _together(sql: str) -> str:
    """An INSERT of one row as one of `_ROWS`; "" for every other statement."""
    found = _VALUES.search(sql) if sql.startswith("INSERT ") else None
    if found is None:
        return ""
    return f"{sql[: found.start(1)]}{', '.join([found[1]] * _ROWS)}{sql[found.end(1) :]}"


def _percent(sql: str) -> str:
    return sql.replace("?", "%s")
