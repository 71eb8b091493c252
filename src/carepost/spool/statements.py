"""Statements over many rows at once, and how values are bound.

One statement for many rows matters twice: each step of SQLite lets go of the interpreter's lock and must win it back
from the event loop, and each call costs 5-10 µs. Bytes are bound as bytearray: the driver tries `__conform__` and
`__adapt__` on every `bytes` (1.9 µs each, measured), and takes a bytearray as it is (0.05 µs)."""

# ruff: noqa: S608  (only constants and question marks are put together)
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from carepost.ground.database import Connection

#: rows of one statement; more are carried out in several. Every length up to it is prepared once and kept
MOST = 32

Value = int | str | bytearray | None


def blob(value: bytes | None) -> bytearray | None:
    return None if value is None else bytearray(value)


@lru_cache(maxsize=1024)
def _insert_sql(head: str, columns: int, rows: int) -> str:
    row = "(" + ",".join("?" * columns) + ")"
    return f"INSERT INTO {head} VALUES " + ",".join([row] * rows)


def insert(connection: Connection, head: str, columns: int, values: list[Value]) -> None:
    """`values`: all rows, one after the other. `head`: table and its columns, a constant of ours."""
    rows = len(values) // columns
    for first in range(0, rows, MOST):
        part = values[first * columns : (first + MOST) * columns] if rows > MOST else values
        connection.execute(_insert_sql(head, columns, min(MOST, rows - first)), part)


@lru_cache(maxsize=256)
def _move_sql(rows: int) -> str:
    return (
        "UPDATE delivery SET state=v.column3, place=v.column4, due_at=v.column5, lease=v.column6,"
        " lease_until=v.column7, attempt=v.column8, record=v.column9, rev=delivery.rev+1"
        " FROM (VALUES " + ",".join(["(?,?,?,?,?,?,?,?,?,?)"] * rows) + ") AS v"
        " WHERE delivery.id=v.column1 AND delivery.rev=v.column2 AND delivery.lease IS v.column10"
    )


MOVE_COLUMNS = 10


def move(connection: Connection, values: list[Value]) -> int:
    """Rows of (id, rev, state, place, due_at, lease, lease_until, attempt, record, lease before). How many matched."""
    rows = len(values) // MOVE_COLUMNS
    matched = 0
    for first in range(0, rows, MOST):
        part = values[first * MOVE_COLUMNS : (first + MOST) * MOVE_COLUMNS] if rows > MOST else values
        matched += connection.execute(_move_sql(min(MOST, rows - first)), part).rowcount
    return matched


@lru_cache(maxsize=1024)
def _marks(count: int) -> str:
    return ",".join("?" * count)


def among(
    connection: Connection, before: str, keys: Sequence[bytes] | Sequence[int], after: str = ""
) -> Iterator[tuple[Any, ...]]:
    """`<before> IN (keys)<after>`, in parts. `before` and `after` are constants of ours; rows as they come."""
    for first in range(0, len(keys), MOST * 8):
        part = [bytearray(k) if isinstance(k, bytes) else k for k in keys[first : first + MOST * 8]]
        yield from connection.execute(f"{before} IN ({_marks(len(part))}){after}", part)
