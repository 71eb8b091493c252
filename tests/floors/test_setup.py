"""Which Python the set-up takes (docs/decisions/0016): the one asked for, the path's, or a clearly faster one."""

import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

ROOT = Path(__file__).parent.parent.parent
SYSTEM = Path("/usr/bin/python3")
VERSION = "import sys; sys.exit(sys.version_info < (3, 11))"


def system_will_do() -> bool:
    return SYSTEM.exists() and subprocess.run([SYSTEM, "-c", VERSION], timeout=30).returncode == 0


def python3(folder: Path, nanoseconds: int, *, old: bool = False) -> Path:
    """A command `python3` of its own that needs so long for a round of the measurement."""
    folder.mkdir()
    command = folder / "python3"
    answer = "exit 1" if old else f"echo {command}"
    command.write_text(f'#!/bin/sh\ncase "$1" in -c) {answer};; *) echo {nanoseconds};; esac\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return command


def which(folder: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    path = f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin"
    return subprocess.run(
        ["sh", "tools/setup.sh", "which"],
        cwd=ROOT, env={"PATH": path, **environ}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_a_fast_python_of_the_path_is_kept(tmp_path: Path) -> None:
    own = python3(tmp_path / "bin", 1)
    assert which(own.parent).stdout == f"{own}: python3 of your path\n"


def test_a_clearly_faster_system_python_is_taken_and_named(tmp_path: Path) -> None:
    own = python3(tmp_path / "bin", 900_000_000)
    said = which(own.parent).stdout
    if system_will_do():
        assert said.startswith("/usr/") and f"faster than {own}" in said and "PYTHON=" in said
    else:
        assert said == f"{own}: python3 of your path\n"


def test_the_one_asked_for_is_taken_whatever_its_speed(tmp_path: Path) -> None:
    slow = python3(tmp_path / "bin", 900_000_000)
    assert which(slow.parent, PYTHON=str(slow)).stdout == f"{slow}: PYTHON says so\n"


def test_an_old_one_asked_for_is_refused_in_one_sentence(tmp_path: Path) -> None:
    old = python3(tmp_path / "bin", 1, old=True)
    done = which(old.parent, PYTHON=str(old))
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("Carepost needs Python 3.11 or newer") and done.stderr.count("\n") == 1


def test_an_old_one_on_the_path_gives_way_to_the_systems(tmp_path: Path) -> None:
    old = python3(tmp_path / "bin", 1, old=True)
    done = which(old.parent)
    assert ("missing or older" in done.stdout) if system_will_do() else (done.returncode == 2)


def test_the_measurement_runs_without_packages() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "tools" / "pace.py")], capture_output=True, text=True, timeout=30
    )
    assert 1_000 < int(done.stdout) < 100_000_000


def test_an_installed_carepost_has_every_file_it_reads() -> None:
    """Beside Python's own: what no pattern of the package names is missing in every image and wheel."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = settings["tool"]["setuptools"]["package-data"]["carepost"]
    source = ROOT / "src" / "carepost"
    named = {path for pattern in patterns for path in source.glob(pattern)}
    kept = {path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    # words about what is vendored: for who reads the sources
    left = {path for path in kept - named if path.suffix not in (".py", ".pyc") and path.name != "README.md"}
    assert not left
