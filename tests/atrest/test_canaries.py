"""HS-34: after every entry took invented health data in, no byte of it lies anywhere in clear: not in the home, in logs
or temporary files, nor in PostgreSQL's files; whether Carepost was stopped or everything was killed. A copy of the
home without its keyring opens nothing."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.atrest.entries import Entries
from tests.atrest.traces import Canaries, traces
from tests.support.house import ROOT, House, environment


@pytest.fixture(params=["stopped", "killed"])
def ended(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[House, Canaries, Path]]:
    """A home that took everything in, and its end. What its processes may write lies under `tmp_path`."""
    canaries, temporary = Canaries(), tmp_path / "tmp"
    temporary.mkdir()
    with House(tmp_path, TMPDIR=temporary, CAREPOST_RETRY_FIRST=30) as house:
        entries = Entries(house, canaries)
        entries.all()
        no_cores(house)
        if request.param == "stopped":
            house.stop()
        else:
            house.kill_all()
        assert "Traceback" not in house.logs(), house.logs()
        yield house, canaries, tmp_path


@pytest.mark.timeout(300)
def test_no_canary_lies_anywhere_and_without_the_keyring_nothing_opens(
    ended: tuple[House, Canaries, Path], tmp_path: Path
) -> None:
    house, canaries, written = ended
    assert len(canaries.words) > 40
    found = traces(written, canaries)
    assert not found, "\n".join(found)
    # the search itself finds what is there to be found
    (written / "planted").write_bytes(b"\0" * 4000 + canaries.words["smtp-body"].encode("utf-16-le"))
    assert traces(written, canaries), "the search is blind"
    (written / "planted").unlink()
    without_keyring(house, tmp_path / "copy")


def no_cores(house: House) -> None:
    """No process may write a core file: it would hold keys and mail in clear."""
    for pid, role, _ in house.children():
        [limit] = [line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max core")]
        assert limit.split()[4:6] == ["0", "0"], (role, limit)


def without_keyring(house: House, copy: Path) -> None:
    shutil.copytree(house.path, copy, ignore=shutil.ignore_patterns("keyring.json", "*.sock"))
    for name in ("office.db", "records.db"):
        assert not (copy / name).read_bytes().startswith(b"SQLite format 3"), name
    environ = environment(house.ports, TMPDIR=copy.parent)
    for words in (["up", "--sandbox"], ["audit", "verify"], ["queue", "list"], ["doctor"], ["key", "list"]):
        command = [sys.executable, "-m", "carepost.cli.main", *words, "--home", str(copy)]
        done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=100)
        said = done.stderr.splitlines()
        assert done.returncode == 2 and done.stdout == "", (words, done.stdout, done.stderr)
        assert len(said) == 1 and said[0].startswith("carepost: ") and "keyring" in said[0], (words, said)
        assert not (copy / "keyring.json").exists(), words
