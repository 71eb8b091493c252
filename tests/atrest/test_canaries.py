"""HS-34: after every entry took invented health data in, no byte of it lies anywhere in clear: not in the home, in logs
or temporary files, nor in PostgreSQL's files; whether Carepost was stopped or everything was killed. A copy of the
home without its keyring opens nothing."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.atrest.detected import MRN, SSN
from tests.atrest.entries import Entries
from tests.atrest.traces import Canaries, numbers, traces
from tests.support.cluster import cluster
from tests.support.house import ROOT, House, Model


class Ended:
    """A home that took everything in, and its end. Everything written meanwhile lies in `folders`."""

    def __init__(self, house: House, canaries: Canaries, folders: list[Path]) -> None:
        self.house, self.canaries, self.folders = house, canaries, folders

    def traces(self) -> list[str]:
        """Words and numbers of persons."""
        found = [one for folder in self.folders for one in traces(folder, self.canaries)]
        return found + [one for folder in self.folders for one in numbers(folder, SSN, MRN)]


def take_everything_in(house: House, *, kill: bool) -> Canaries:
    canaries = Canaries()
    with house:
        Entries(house, canaries).all()
        no_cores(house)
        if kill:
            house.kill_all()
        else:
            house.stop()
    assert "Traceback" not in house.logs(), house.logs()
    return canaries


@pytest.fixture(params=["stopped", "killed", pytest.param("postgres", marks=pytest.mark.postgres)])
def ended(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ended]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    more = {"TMPDIR": temporary, "CAREPOST_RETRY_FIRST": 30}
    if request.param != "postgres":
        house = House(tmp_path, **more)
        yield Ended(house, take_everything_in(house, kill=request.param == "killed"), [tmp_path])
        return
    with cluster() as postgres:
        house = House(tmp_path, copied=Model(tmp_path, CAREPOST_DATABASE_URL=postgres.owned()), **more)
        canaries = take_everything_in(house, kill=True)
        postgres.checkpoint()
        yield Ended(house, canaries, [tmp_path, postgres.data])


@pytest.mark.timeout(300)
def test_no_canary_lies_anywhere_and_without_the_keyring_nothing_opens(ended: Ended, tmp_path: Path) -> None:
    assert len(ended.canaries.words) > 100
    assert not (found := ended.traces()), "\n".join(found)
    # the search itself finds what is there to be found
    planted = tmp_path / "planted"
    planted.write_bytes(b"\0" * 4000 + ended.canaries.words["smtp-body"].encode("utf-16-le"))
    assert ended.traces(), "the search is blind"
    planted.write_bytes(b"\0" * 4000 + SSN.replace("-", "").encode() + b"\0")
    assert [one for one in ended.traces() if str(planted) in one], "the search for numbers is blind"
    planted.unlink()
    without_keyring(ended.house, tmp_path / "copy")


def no_cores(house: House) -> None:
    """No process may write a core file: it would hold keys and mail in clear."""
    for pid, role, _ in house.children():
        [limit] = [line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max core")]
        assert limit.split()[4:6] == ["0", "0"], (role, limit)


def without_keyring(house: House, copy: Path) -> None:
    shutil.copytree(house.path, copy, ignore=shutil.ignore_patterns("keyring.json", "*.sock"))
    for name in ("office.db", "records.db"):
        assert not (copy / name).exists() or not (copy / name).read_bytes().startswith(b"SQLite format 3"), name
    environ = {**house.environ, "TMPDIR": str(copy.parent)}
    for words in (["up", "--sandbox"], ["audit", "verify"], ["queue", "list"], ["doctor"], ["key", "list"]):
        command = [sys.executable, "-m", "carepost.cli.main", *words, "--home", str(copy)]
        done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=280)
        said = done.stderr.splitlines()
        assert done.returncode == 2 and done.stdout == "", (words, done.stdout, done.stderr)
        assert len(said) == 1 and said[0].startswith("carepost: ") and "keyring" in said[0], (words, said)
        assert not (copy / "keyring.json").exists(), words
