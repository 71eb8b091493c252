"""Every key is changed, and whoever does it dies by SIGKILL before and after each commit of it, one after the other, on
one home: each run goes on, nothing is lost or done twice, the log holds and every proof is verified by the new page."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("keychange.py")
ROOT = Path(__file__).parents[2]
#: in the order they are passed
STAGES = ("ring", "rekey", "commit", "index", "signing", "retoken", "empty", "rewrap")


def call(at: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(at), *words], env=environ, capture_output=True, text=True, timeout=90
    )


def test_killed_before_and_after_each_commit_the_change_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    at = tmp_path / "home"
    made = call(at, "make")
    assert made.returncode == 0, made.stderr
    for stage in STAGES:
        for side in ("before", "after"):
            died = call(at, "run", f"{stage}.{side}")
            assert died.returncode == -signal.SIGKILL, (stage, side, died.returncode, died.stderr)
    for _ in range(2):
        ended = call(at, "run")
        assert ended.returncode == 0, ended.stderr
        found: dict[str, Any] = json.loads(ended.stdout)
        assert found == {
            "findings": [], "proofs": ["identified"] * 4,
            "versions": [["index", 1], ["index", 2], ["signing", 1], ["signing", 2]],
            "told": {"orgkey.rotated": 2, "log.key-introduced": 1, "orgkey.emptied": 1},
            "log_keys": 2, "behind": 0, "wrapped_before": 0, "suppressed": True, "partner": 1, "private": [True],
            "searched": 4,
        }  # fmt: skip
