"""Logs in the home do not grow without end: past a size one is set aside, and the one set aside before it goes.

Processes hold their file open for appending, so it is copied and cut rather than renamed; a line written in between
may be lost. What must not be lost are events, and they are not here.
"""

import os
import shutil
from pathlib import Path
from typing import Final

#: bytes of one log; with the one set aside, a process keeps twice that
MOST: Final = 32 * 1024 * 1024


def trim(folder: Path, most: int = MOST) -> int:
    """How many were set aside as `<name>.log.1`."""
    count = 0
    for path in folder.glob("*.log"):
        if path.stat().st_size > most:
            aside = path.with_suffix(".log.1")
            shutil.copyfile(path, aside)
            os.chmod(aside, 0o600)
            os.truncate(path, 0)
            count += 1
    return count
