"""The files of a home, killed inside their rekey: in the transaction that encrypts them anew, at its commit, and while
what was committed is carried into the file. Whoever opens them next finds all of it under one key, never two halves."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.crash.rekey import POINTS
from tests.crash.test_key_change_commit_points import call

SCRIPT = Path(__file__).with_name("rekey.py")
ROOT = Path(__file__).parents[2]
FILES = ("office.db", "records.db")
#: of what was killed before its commit the former key stands, and of the rest the newest
LOST = ("begun", "midway", "uncommitted")


def said(at: Path, *words: str) -> tuple[int, Any]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(at), *words], env=environ, capture_output=True, text=True, timeout=120
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else None


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with rows in every table that matters, whose master key was changed while nobody had it open."""
    folder = tmp_path_factory.mktemp("rekey") / "one"
    folder.mkdir()
    call(folder / "home", "make")
    return folder


@pytest.fixture
def at(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "one")
    return tmp_path / "one" / "home"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("point", POINTS)
def test_killed_inside_the_file_is_whole_and_the_next_start_ends_it(at: Path, name: str, point: str) -> None:
    before = said(at, name, "read")[1]
    assert (before["version"], before["whole"], before["forged"]) == (0, ["ok"], [])
    said(at, "rotate")
    ended, _ = said(at, name, point)
    assert ended == -(signal.SIGKILL if point == "committed" else signal.SIGXFSZ), "it was not killed there"
    shutil.copytree(at, at.parent / "looked")
    # as a start would find it
    after = said(at.parent / "looked", name, "read")[1]
    assert (after["whole"], after["forged"], after["content"]) == (["ok"], [], before["content"])
    assert after["version"] == (1 if point in LOST else 0)
    assert said(at, name, "bring")[0] == 0
    ended_well = said(at, name, "read")[1]
    assert ended_well == {**before, "version": 0}


def test_killed_at_one_after_the_other_the_home_goes_on_and_nothing_is_lost(at: Path) -> None:
    """On one home; then every other key is changed too, and all of it is looked for by the house's own doors."""
    said(at, "rotate")
    for name in FILES:
        for point in (*LOST, *LOST[::-1], "carrying-midway"):
            assert said(at, name, point)[0] == -signal.SIGXFSZ, (name, point)
    found = call(at, "run")
    assert 0 not in found["followed"].values() and 0 not in found["opens"].values()
    assert (found["findings"], found["proofs"], found["wrapped_before"]) == ([], ["identified"] * 4, 0)
    assert (found["suppressed"], found["searched"], found["same_person"], found["joins"]) == (True, 4, True, True)
