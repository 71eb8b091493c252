"""Many rows by one call: what stands in the table does not depend on how they were put into statements."""

from pathlib import Path

import pytest

from carepost.audit.store import SqliteStore
from carepost.ground import database

pytestmark = pytest.mark.fast
_ADD = "INSERT INTO held (n, raw, text, zero) VALUES (?, ?, ?, 0)"


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    made = SqliteStore(database.connect(tmp_path / "some.db", None))
    made.rows("CREATE TABLE held (n INTEGER PRIMARY KEY, raw BLOB, text TEXT NOT NULL, zero INTEGER) STRICT")
    return made


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 149])
def test_rows_stand_as_they_were_given(store: SqliteStore, count: int) -> None:
    given = [(n, bytes([n]) * 3 if n % 2 else None, f"row {n}", 0) for n in range(count)]
    store.many(_ADD, iter([row[:3] for row in given]))
    assert store.rows("SELECT n, raw, text, zero FROM held ORDER BY n") == given


def test_bytes_and_bytearrays_are_the_same_blob(store: SqliteStore) -> None:
    store.many(_ADD, [(1, b"\x00a'\xff", "bytes"), (2, bytearray(b"\x00a'\xff"), "bytearray")])
    found = store.rows("SELECT raw, typeof(raw) FROM held ORDER BY n")
    assert found == [(b"\x00a'\xff", "blob")] * 2
    assert store.rows("SELECT n FROM held WHERE raw = ?", (b"\x00a'\xff",)) == [(1,), (2,)]


def test_a_conflict_is_ended_as_the_statement_says(store: SqliteStore) -> None:
    store.many(_ADD, [(n, b"first", "first") for n in range(0, 120, 3)])
    store.many(_ADD + " ON CONFLICT DO NOTHING", [(n, b"second", "second") for n in range(120)])
    found = store.rows("SELECT n, text FROM held ORDER BY n")
    assert found == [(n, "second" if n % 3 else "first") for n in range(120)]


def test_an_update_goes_row_by_row(store: SqliteStore) -> None:
    store.many(_ADD, [(n, b"", "before") for n in range(60)])
    store.many("UPDATE held SET text = ? WHERE n = ?", [(f"after {n}", n) for n in range(60)])
    assert store.rows("SELECT text FROM held ORDER BY n") == [(f"after {n}",) for n in range(60)]


def test_one_row_that_does_not_fit_takes_the_transaction_along(store: SqliteStore) -> None:
    rows = [(n, b"", "one") for n in range(70)]
    with pytest.raises(database.IntegrityError), store.writing():
        store.many(_ADD, [*rows, rows[3]])
    assert store.rows("SELECT count(*) FROM held") == [(0,)]
