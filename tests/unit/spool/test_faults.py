"""Each write fails twice: once without effect (lost), once after taking effect (landed). Nothing is acknowledged that
is not there; what is there under a lost answer is found by its number."""

import os
from pathlib import Path

import pytest

from carepost.ground.database import OperationalError
from carepost.ground.errors import Unavailable
from carepost.spool.sqlite import SqliteBackend
from carepost.spool.types import Retire
from tests.unit.spool import rows

pytestmark = pytest.mark.fast


class Failing:
    """Raises at one point, once."""

    def __init__(self, point: str = "", error: Exception | None = None) -> None:
        self.point = point
        self.error = error or OperationalError("disk I/O error")
        self.seen: list[str] = []

    def at(self, point: str) -> None:
        self.seen.append(point)
        if point == self.point:
            self.point = ""
            raise self.error


LARGE = tuple(os.urandom(65_000) for _ in range(2))


def opened(folder: Path, faults: Failing) -> SqliteBackend:
    return SqliteBackend(folder, 0, faults=faults)


@pytest.mark.parametrize("error", [OperationalError("database or disk is full"), OSError(28, "No space left")])
def test_a_lost_commit_leaves_nothing_and_the_next_goes_on(tmp_path: Path, error: Exception) -> None:
    faults = Failing()
    backend = opened(tmp_path, faults)
    backend.commit([rows.accept()])
    faults.point, faults.error = "commit.before", error
    lost = rows.accept(chunks=LARGE)
    with pytest.raises(Unavailable):
        backend.commit([lost, rows.accept()])
    assert backend.message(lost.message.id) is None
    assert (backend.head, backend.doubtful) == (2, 0)
    after = rows.accept(chunks=LARGE)
    group = backend.commit([after])
    assert [d.seq for d in group.drained] == [3, 4], "no gap"
    assert backend.body(after.message.id) == LARGE
    backend.close()


def test_a_landed_commit_is_told_as_what_it_is(tmp_path: Path) -> None:
    faults = Failing("commit.after")
    backend = opened(tmp_path, faults)
    unit = rows.accept()
    assert backend.commit([unit]).outcomes == [None]
    assert backend.message(unit.message.id) is not None
    assert [d.seq for d in backend.commit([rows.accept()]).drained] == [3, 4]
    backend.close()


def test_when_nobody_can_say_it_is_told_as_lost_and_counted(tmp_path: Path) -> None:
    """The file cannot be read right after: Unavailable, and `doubtful` says that memory may be wrong."""
    faults = Failing("commit.after")
    backend = opened(tmp_path, faults)
    unit = rows.accept()
    real = backend._open_writer

    def unreadable() -> None:
        raise OSError(5, "Input/output error")

    backend._open_writer = unreadable  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        backend.commit([unit])
    with pytest.raises(Unavailable):
        backend.commit([rows.accept()])
    assert backend.doubtful == 1
    backend._open_writer = real  # type: ignore[method-assign]
    group = backend.commit([rows.accept()])
    assert [d.seq for d in group.drained] == [3, 4], "it had landed, and its numbers are taken"
    backend.close()


def test_a_body_the_disk_does_not_take_fails_its_message_alone(tmp_path: Path) -> None:
    faults = Failing("segment.write", OSError(28, "No space left"))
    backend = opened(tmp_path, faults)
    large, small = rows.accept(chunks=LARGE), rows.accept()
    group = backend.commit([large, small])
    assert isinstance(group.outcomes[0], Unavailable)
    assert group.outcomes[1] is None
    assert backend.message(large.message.id) is None
    assert backend.commit([large]).outcomes == [None], "and later it does"
    backend.close()


def test_the_body_is_synced_before_its_row_is_written(tmp_path: Path) -> None:
    faults = Failing()
    backend = opened(tmp_path, faults)
    backend.commit([rows.accept(chunks=LARGE)])
    assert faults.seen.index("segment.synced") < faults.seen.index("commit.before")
    backend.close()


def test_a_lost_retirement_forgets_nothing(tmp_path: Path) -> None:
    faults = Failing()
    backend = opened(tmp_path, faults)
    unit = rows.accept(chunks=LARGE)
    backend.commit([unit])
    backend.commit([rows.move(unit.deliveries[0])])
    faults.point = "retire.commit"
    with pytest.raises(Unavailable):
        backend.commit([Retire(backend.head, 0)])
    assert backend.body(unit.message.id) == LARGE
    assert len(backend.outbox(0, 10)) == 3
    backend.commit([Retire(backend.head, 0)])
    assert backend.message(unit.message.id) is None
    backend.close()


def test_a_segment_that_cannot_be_removed_is_removed_at_the_next_start(tmp_path: Path) -> None:
    faults = Failing()
    backend = SqliteBackend(tmp_path, 0, faults=faults, roll=1)
    unit = rows.accept(chunks=LARGE)
    backend.commit([unit])
    backend.commit([rows.accept(chunks=LARGE)])
    backend.commit([rows.move(unit.deliveries[0])])
    faults.point, faults.error = "retire.unlink", OSError(5, "Input/output error")
    assert backend.commit([Retire(backend.head, 0)]).outcomes == [False]
    assert (tmp_path / "segment-00000001").exists()
    backend.close()
    SqliteBackend(tmp_path, 0).close()
    assert not (tmp_path / "segment-00000001").exists()
