"""A full disk closes the door and loses nothing: what was acknowledged is there, and all goes on when there is room."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("disk_full.py")
ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("size", ["small", "large"])
def test_nothing_acknowledged_is_lost_and_all_goes_on(tmp_path: Path, size: str) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path), size], capture_output=True, timeout=280, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout == b"ok\n", done.stderr.decode()[-3000:]
