"""The journal dies by SIGKILL before and after each of its commits: nothing is lost, nothing stands or is sent twice,
nothing is acknowledged that is not in the log, and the log holds (DESIGN, step 12; law 6)."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("journal.py")
ROOT = Path(__file__).parents[2]
MESSAGES = 12
PORTAL = 4
#: three events for one that is laid into the portal, four for one that is sent
EVENTS = PORTAL * 3 + (MESSAGES - PORTAL) * 4
POINTS = ["commit.before", "commit.after", "done.before", "done.after", "accepted"]


def call(at: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(at), *words], env=environ, capture_output=True, text=True, timeout=90
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("journal")
    made = call(folder / "home", "make", str(MESSAGES))
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_each_point_it_ends_as_if_it_had_not_been(point: str, template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(template), str(folder)], check=True)
    at = folder / "home"
    # lost and landed: at the first, a middle and a late passing, each time going on where the last one died
    for number in (1, 3, 2):
        died = call(at, "run", f"{point}:{number}")
        assert died.returncode == -signal.SIGKILL, died.stderr
    ended = call(at, "run")
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(call(at, "check").stdout)
    mailed = found.pop("mailed")
    assert found == {
        "findings": [], "leaves": EVENTS, "messages": MESSAGES, "deliveries": MESSAGES, "final": MESSAGES, "owed": 0,
        "deposits": PORTAL, "acked": EVENTS,
    }  # fmt: skip
    assert len(mailed) == len(set(mailed)) == PORTAL
    assert call(at, "run").returncode == 0
    assert json.loads(call(at, "check").stdout)["deposits"] == PORTAL
