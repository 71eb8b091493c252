"""The journal dies by SIGKILL around each act and each commit of a job's page: every message is acted upon once, an
export holds each line once, and the jobs end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("jobs.py")
ROOT = Path(__file__).parents[2]
MESSAGES = 5


def call(at: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(at), *words], env=environ, capture_output=True, text=True, timeout=400
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jobs")
    made = call(folder / "home", "make", str(MESSAGES))
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.timeout(900)
@pytest.mark.parametrize("point", ["act.lost", "act.landed", "save.lost", "save.landed"])
def test_killed_at_each_point_a_page_is_done_once(point: str, template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(template), str(folder)], check=True)
    died = call(folder / "home", "run", f"{point}:2")
    assert died.returncode == -signal.SIGKILL, died.stderr
    ended = call(folder / "home", "run")
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    assert found["states"] == ["done", "done"]
    assert len(found["acted"]) == len(set(found["acted"])) == MESSAGES
    assert len(found["exported"]) == len(set(found["exported"])) == MESSAGES
    assert set(found["seen"].values()) == {MESSAGES}
