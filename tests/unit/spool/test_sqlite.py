"""The embedded store keeps the contract, and what the contract does not say: files, forms, forgetting without trace."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from carepost.ground import database
from carepost.ground.errors import ConfigError
from carepost.spool import migrate
from carepost.spool.sqlite import FILE, SqliteBackend
from carepost.spool.types import Flow, Orphan, Place, Promote, Retire
from tests.unit.spool import rows
from tests.unit.spool.contract import Contract

pytestmark = pytest.mark.fast

Open = Callable[[], SqliteBackend]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    made: list[SqliteBackend] = []

    def open_() -> SqliteBackend:
        while made:
            made.pop().close()
        made.append(SqliteBackend(tmp_path, 0, roll=200_000))
        return made[-1]

    yield open_
    while made:
        made.pop().close()


class TestSqlite(Contract):
    @pytest.fixture
    def backend(self, opened: Open) -> SqliteBackend:  # type: ignore[override]
        self._open = opened
        return opened()

    def reopened(self, backend: object) -> SqliteBackend:
        return self._open()


def test_a_newer_spool_is_refused(tmp_path: Path) -> None:
    SqliteBackend(tmp_path, 0).close()
    connection = database.connect(tmp_path / FILE, None)
    connection.execute("PRAGMA user_version = 9000")
    connection.close()
    with pytest.raises(ConfigError, match="newer Carepost"):
        SqliteBackend(tmp_path, 0)


def test_what_is_held_too_long_is_found_by_an_index(tmp_path: Path) -> None:
    """Asked every half minute: a hundred thousand held deliveries must not be looked at each time."""
    SqliteBackend(tmp_path, 0).close()
    connection = database.connect(tmp_path / FILE, None)
    sql = "SELECT id FROM delivery WHERE state='held' AND lease_until > 0 AND lease_until <= 5 ORDER BY lease_until"
    plan = " ".join(str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql} LIMIT 100"))
    connection.close()
    assert "delivery_overdue" in plan
    assert "TEMP B-TREE" not in plan


def test_another_shards_folder_is_refused(tmp_path: Path) -> None:
    SqliteBackend(tmp_path, 3).close()
    with pytest.raises(ConfigError, match="belongs to shard 3"):
        SqliteBackend(tmp_path, 4)


def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(os.urandom(8192))
    with pytest.raises(ConfigError):
        SqliteBackend(tmp_path, 0)


def test_numbered_files_are_applied_once_each_and_only_forward(tmp_path: Path) -> None:
    folder = tmp_path / "sql"
    shutil.copytree(migrate.FOLDER, folder)
    there = len(migrate.files())
    connection = database.connect(tmp_path / FILE, None)
    assert migrate.migrate(connection, 0, folder) == there
    (folder / f"{there + 1:04d}.sql").write_text("CREATE TABLE later (n INTEGER) STRICT;")
    assert migrate.migrate(connection, 0, folder) == there + 1
    assert migrate.migrate(connection, 0, folder) == there + 1
    (folder / f"{there + 2:04d}.sql").write_text("CREATE TABLE x (n INTEGER) STRICT; CREATE TABLE x (n INTEGER);")
    with pytest.raises(database.DatabaseError):
        migrate.migrate(connection, 0, folder)
    connection.close()
    again = database.connect(tmp_path / FILE, None)
    assert again.execute("PRAGMA user_version").fetchone() == (there + 1,), "a step that failed left nothing"
    again.close()


def test_a_gap_in_the_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0002.sql").write_text("")
    with pytest.raises(ConfigError, match="incomplete"):
        migrate.files(tmp_path)


def test_a_dropped_message_leaves_no_wrapped_key_on_disk(tmp_path: Path) -> None:
    """Disposal is deleting the wrapped key: its bytes are overwritten, not only freed (DESIGN 5)."""
    backend = SqliteBackend(tmp_path, 0)
    marks = [b"WRAPPED-KEY-OF-%04d" % i for i in range(300)]
    units = [rows.accept(wrapped=mark, chunks=(os.urandom(3000),)) for mark in marks]
    for first in range(0, 300, 20):
        backend.commit(units[first : first + 20])
    backend.checkpoint()
    assert marks[7] in (tmp_path / FILE).read_bytes(), "the test would see it"
    for first in range(0, 300, 20):
        backend.commit([rows.move(u.deliveries[0]) for u in units[first : first + 20]])
    backend.commit([Retire(backend.head, 0)])
    backend.close()
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"WRAPPED-KEY-OF" not in left


def test_what_stood_in_a_segments_torn_tail_is_never_read_and_goes(tmp_path: Path) -> None:
    large = tuple(os.urandom(65_000) for _ in range(2))
    backend = SqliteBackend(tmp_path, 0)
    unit = rows.accept(chunks=large)
    backend.commit([unit])
    backend.close()
    (segment,) = tmp_path.glob("segment-*")
    with segment.open("ab") as file:
        file.write(b"torn")
    (tmp_path / "segment-00000099").write_bytes(b"written before a crash, with no row")
    backend = SqliteBackend(tmp_path, 0)
    assert not (tmp_path / "segment-00000099").exists()
    assert backend.body(unit.message.id) == large
    later = rows.accept(chunks=large)
    backend.commit([later])
    assert backend.body(later.message.id) == large
    backend.close()


def test_a_segment_goes_when_the_last_body_in_it_is_dropped(tmp_path: Path) -> None:
    backend = SqliteBackend(tmp_path, 0, roll=150_000)
    units = [rows.accept(chunks=(os.urandom(65_000), os.urandom(65_000))) for _ in range(4)]
    for unit in units:
        backend.commit([unit])
    assert len(list(tmp_path.glob("segment-*"))) == 2, "two bodies a file"
    backend.commit([rows.move(u.deliveries[0]) for u in units[:1]])
    backend.commit([Retire(backend.head, 0)])
    assert len(list(tmp_path.glob("segment-*"))) == 2
    backend.commit([rows.move(u.deliveries[0]) for u in units[1:3]])
    backend.commit([Retire(backend.head, 0)])
    assert [p.name for p in tmp_path.glob("segment-*")] == ["segment-00000002"]
    assert backend.body(units[3].message.id) == units[3].message.chunks
    backend.close()


def test_the_log_does_not_grow_without_end(tmp_path: Path) -> None:
    backend = SqliteBackend(tmp_path, 0)
    for _ in range(6):
        for _ in range(10):
            backend.commit([rows.accept(chunks=(os.urandom(20_000),)) for _ in range(5)])
        backend.checkpoint()
    size = (tmp_path / (FILE + "-wal")).stat().st_size
    assert size < 2 * 50 * 30_000, size
    backend.close()


def test_files_are_private(tmp_path: Path) -> None:
    backend = SqliteBackend(tmp_path, 0)
    backend.commit([rows.accept(chunks=(b"x" * 65_000, b"y"))])
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name
    backend.close()


class Watched:
    """A connection that keeps what is asked of it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.asked: list[tuple[str, Any]] = []

    def execute(self, sql: str, values: Any = ()) -> Any:
        self.asked.append((sql, values))
        return self._connection.execute(sql, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_no_look_up_scans_a_table(tmp_path: Path) -> None:
    """A million waiting deliveries must not slow the next one down: every read goes by an index, the counting apart."""
    backend = SqliteBackend(tmp_path, 0)
    backend.commit([rows.accept(), rows.accept(place=Place.WAITING), rows.accept(state="held", place=Place.NOWHERE)])
    quick = backend._reader = Watched(backend._reader)
    slow = backend._lists._reader = Watched(backend._lists._reader)
    writer = backend._writer = Watched(backend._writer)
    flow = Flow("transactional", rows.ORG)
    for read in (
        lambda: backend.delivery(b""), lambda: backend.message(b""), lambda: backend.body(b""),
        lambda: backend.keyed(b""), lambda: backend.ready(flow, b"", 9), lambda: backend.destinations(flow, b"", 9),
        lambda: backend.flows(1), lambda: backend.flows(2), lambda: backend.next_due(flow),
        lambda: backend.expired(9, 9), lambda: backend.open(rows.ORG, "", 9), lambda: backend.open(b"", "held", 9),
        lambda: backend.outbox(0, 9), backend.counts, backend.waiting,
    ):  # fmt: skip
        read()
    unit = rows.accept(key=rows.keyed(rows.token()))
    backend.commit([unit, Promote("transactional", rows.ORG, 9, 9), Orphan()])
    backend.commit([rows.move(unit.deliveries[0])])
    asked = [*quick.asked, *slow.asked, *writer.asked]
    assert len(asked) > 20
    for sql, values in asked:
        if sql.split()[0] not in ("SELECT", "UPDATE", "DELETE"):
            continue
        plan = [row[3] for row in backend._writer.execute("EXPLAIN QUERY PLAN " + sql, values)]
        # the index of claimed deliveries holds nothing else, and Orphan is about them all
        # and a row an organisation or a place is what figures are kept in
        fine = ("VALUES", "CONSTANT", "SCAN v", "INDEX delivery_claimed", "SCAN held", "SCAN tally")
        scans = [line for line in plan if line.startswith("SCAN") and not any(word in line for word in fine)]
        assert not scans, (sql, plan)
    backend._reader, backend._lists._reader, backend._writer = quick._connection, slow._connection, writer._connection
    backend.close()
