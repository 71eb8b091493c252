"""tools/check.sh: steps side by side, told in order, what failed shown in full, and the exit code says it."""

import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

CHECK = Path(__file__).parent.parent.parent / "tools" / "check.sh"
STEPS = ["format", "lint", "types", "imports", "sizes", "migrations", "tests"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree whose tools all say `fine` and end well."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text("pytestmark = pytest.mark.fast\n")
    shutil.copy(CHECK, tmp_path / "tools")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("ruff", "mypy", "lint-imports", "python"):
        says(tmp_path, name, "echo fine")
    return tmp_path


def says(tree: Path, name: str, script: str) -> None:
    tool = tree / ".venv" / "bin" / name
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)


def run(tree: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["sh", "tools/check.sh"], cwd=tree, capture_output=True, text=True, timeout=60, check=False)


def test_all_is_well(tree: Path) -> None:
    done = run(tree)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == STEPS
    assert [line.split()[1] for line in lines] == ["ok"] * 6 + ["fine"]


@pytest.mark.parametrize(("tool", "failed"), [("mypy", ["types"]), ("ruff", ["format", "lint"])], ids=["mypy", "ruff"])
def test_what_failed_is_shown_where_it_stands_and_ends_with_one(tree: Path, tool: str, failed: list[str]) -> None:
    says(tree, tool, "echo 'here: not so'; echo 'and here' >&2; exit 3")
    done = run(tree)
    assert done.returncode == 1
    told = done.stdout.replace("here: not so\nand here\n", "")
    assert done.stdout.count("here: not so\nand here\n") == len(failed)
    assert [line.split()[0] for line in told.splitlines()] == STEPS
    assert [line.split()[0] for line in told.splitlines() if "FAILED" in line] == failed


def test_every_step_runs_although_the_first_fails(tree: Path) -> None:
    says(tree, "ruff", "exit 1")
    says(tree, "python", 'echo "$@" >> ran; echo fine')
    run(tree)
    ran = (tree / "ran").read_text()
    assert "tools/sizes.py" in ran and "tools/migrations.py" in ran and "-m fast" in ran and "tests/test_one.py" in ran
