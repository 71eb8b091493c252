"""The journal dies by SIGKILL before and after each commit in which it makes one segment of a day's: each goes on where
the last one died, a search finds the same at every start, and in the end no entry is lost or stands twice. In the
home's file and in PostgreSQL."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.test_key_change_commit_points import owned

SCRIPT = Path(__file__).with_name("joining.py")
ROOT = Path(__file__).parents[2]


def call(at: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(at), *words], env=environ, capture_output=True, text=True, timeout=200
    )


def killed(at: Path, *url: str) -> None:
    for made in (call(at, "make", *url), call(at, "fill")):
        assert made.returncode == 0, made.stderr
    deaths = 0
    # what was killed before its commit is done by the next, which dies after it
    while True:
        died = call(at, "run", "part.before:1" if deaths % 2 == 0 else "part.after:1")
        if died.returncode == 0:
            break
        assert died.returncode == -signal.SIGKILL, died.stderr
        deaths += 1
        assert deaths < 60, "it never ends"
    assert deaths > 12, "parts of the new segment, the change, and what is taken away"
    assert json.loads(died.stdout) == {"levels": [64], "whole": True}


@pytest.mark.timeout(600)
def test_killed_at_each_commit_no_entry_is_lost_and_none_stands_twice(tmp_path: Path) -> None:
    killed(tmp_path / "home")


@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_the_same_in_postgresql(postgres_url: str, tmp_path: Path) -> None:
    with owned(postgres_url) as url:
        killed(tmp_path / "home", url)
