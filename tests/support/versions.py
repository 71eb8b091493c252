"""Two versions of Carepost side by side: this one, and the release before, taken from the history of this repository.

Where there is no history (an archive of the sources) the other version is a copy of this one whose number of what nodes
say to each other is another: then the code that runs is the same, and `Before.real` says so."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.house import PROCESS, ROOT, House

#: the newest commit of the release before; a release moves it
COMMIT = "95f59ce"


class Before:
    """`source`: what goes on PYTHONPATH. `real`: it is the code of the release before."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "src"
        there = ["git", "-C", str(ROOT), "archive", "--format=tar", COMMIT, "src"]
        folder.mkdir()
        taken = subprocess.run(there, capture_output=True, timeout=60)
        self.real = taken.returncode == 0
        if self.real:
            subprocess.run(["tar", "-x", "-C", str(folder)], input=taken.stdout, check=True, timeout=60)
        else:
            shutil.copytree(ROOT / "src", self.source, ignore=shutil.ignore_patterns("__pycache__"))
            numbers = self.source / "carepost" / "spool" / "postgres" / "nodes.py"
            text = numbers.read_text()
            assert "\nPROTOCOL: Final = 1\n" in text
            numbers.write_text(text.replace("\nPROTOCOL: Final = 1\n", "\nPROTOCOL: Final = 0\n"))

    def runs(self, house: House) -> bool:
        """Every process of this home is of that code."""
        wanted = f"PYTHONPATH={self.source}".encode()
        found = [Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") for pid, _, _ in house.children()]
        return bool(found) and all(wanted in one for one in found)


def prepare(house: House, code: int = 0) -> str:
    """What `carepost up` does before its first process: the tables are brought to the version of this home. What was
    said when it does not go."""
    done = subprocess.run(
        [sys.executable, str(PROCESS), "prepare", str(house.path)],
        env=house.environ, cwd=ROOT, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == code, (done.returncode, done.stderr)
    return done.stderr


def upgrade(house: House) -> None:
    """A stopped node gets this version, and brings the tables to it."""
    house.environ.pop("PYTHONPATH")
    prepare(house)
