"""The same process as in `test_commit_points`, its spool in PostgreSQL: killed (SIGKILL) at each commit point, lost and
landed. What a dead process left open at the server is undone there; who comes after sees all of a group or nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.test_commit_points import prepare, run, verify
from tests.support.spools import database, empty

pytestmark = pytest.mark.postgres

POINTS = [
    ("commit.before", 4), ("commit.after", 4), ("answer.before", 3), ("dot.marked", 20), ("dot.sent", 20),
    ("retire.commit", 1),
]  # fmt: skip


@pytest.fixture(scope="module")
def spool(postgres_url: str) -> Iterator[str]:
    with database(postgres_url) as url:
        yield url


@pytest.fixture
def folder(spool: str, tmp_path: Path) -> Path:
    empty(spool)
    prepare(tmp_path)
    (tmp_path / "postgres").write_text(spool)
    return tmp_path


@pytest.mark.parametrize(("point", "number"), POINTS, ids=[f"{p}-{n}" for p, n in POINTS])
def test_killed_at(folder: Path, point: str, number: int) -> None:
    assert run(folder, f"{point}:{number}") == -9, "the point was never passed"
    assert run(folder) == 0
    verify(folder)
    assert not list((folder / "spool" / "shard-0000").glob("spool.db")), "its rows are in PostgreSQL"


def test_killed_at_every_start_again(folder: Path) -> None:
    assert run(folder, "dot.sent:7") == -9
    for point in ("commit.before:1", "commit.after:1", "answer.before:1", "commit.after:2"):
        assert run(folder, point) == -9
    assert run(folder) == 0
    verify(folder)
