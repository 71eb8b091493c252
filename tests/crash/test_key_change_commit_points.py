"""Every key is changed, and whoever does it dies by SIGKILL before and after each commit of it, one after the other, on
one home: each goes on where the last one died, nothing is lost or done twice, the log holds and every proof is verified
by the new page. Every table that follows a key, or whose keys lie under the master key, has its own commit here; the
tables in files, and in PostgreSQL."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

SCRIPT = Path(__file__).with_name("keychange.py")
ROOT = Path(__file__).parents[2]


@contextmanager
def owned(server: str) -> Iterator[str]:
    """A database of its own, as its owner, who is no superuser; it goes at the end."""
    made = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "postgres_owner.py"), server],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    parts, name = urlsplit(made.stdout.strip()), f"carepost_keychange_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} OWNER {parts.username}")
        try:
            yield parts._replace(path=f"/{name}").geturl()
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def call(at: Path, *words: str) -> Any:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(at), *words], env=environ, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


def test_killed_before_and_after_each_commit_the_change_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    killed(tmp_path / "home")


@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_the_same_with_the_tables_in_postgresql(postgres_url: str, tmp_path: Path) -> None:
    with owned(postgres_url) as url:
        killed(tmp_path / "home", url)


def killed(at: Path, *url: str) -> None:
    call(at, "make", *url)
    died = call(at, "die")
    assert (died["ended"], died["missing"]) == ([0, 0], []), died
    for _ in range(2):
        found: dict[str, Any] = call(at, "run")
        followed, opens = found.pop("followed"), found.pop("opens")
        # a table nobody put a row into proves nothing: whoever adds one makes a row of it in `keychange.make`
        assert 0 not in followed.values() and 0 not in opens.values(), (followed, opens)
        assert found == {
            "logs": 2, "findings": [], "proofs": ["identified"] * 4,
            "versions": [[one, n] for one in ("content", "evidence", "index", "portal", "signing") for n in (1, 2)],
            "emptied": [["index", 1], ["portal", 1]], "behind": [],
            "told": {"orgkey.rotated": 5, "log.key-introduced": 1, "orgkey.emptied": 2},
            "log_keys": 2, "wrapped_before": 0, "suppressed": True, "partner": 1, "searched": 4, "copy": [True],
            "message": ["jane.quillfeather@patient.test", True], "same_person": True, "joins": True, "newer": True,
        }  # fmt: skip
