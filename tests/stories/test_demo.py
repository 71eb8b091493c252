"""`carepost demo`: the main job on a throwaway home, verified, in under a minute; its JSON is for programs."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from carepost.sandbox import people
from carepost.sandbox.expected import BY_DOMAIN, differs
from tests.support.house import ROOT, environment

#: seconds DESIGN gives it on a machine of its own; here other tests run beside it
PROMISE = 60
#: what stands in the environment of a container, say: it is for the home there, not for a throwaway one
OF_ANOTHER_HOME = {
    "CAREPOST_LISTEN": "0.0.0.0", "CAREPOST_METRICS": "0.0.0.0:1", "CAREPOST_KEYRING": "/nonexistent/keyring.json",
    "CAREPOST_HOME": "/nonexistent", "CAREPOST_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
}  # fmt: skip


@pytest.mark.timeout(300)
def test_every_row_is_as_designed_and_every_proof_verifies() -> None:
    # pytest's own folders are too long for a socket's path
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        _demo(Path(folder))


def _demo(tmp_path: Path) -> None:
    environ = environment({}, TMPDIR=tmp_path, **OF_ANOTHER_HOME)
    done = subprocess.run(
        [sys.executable, "-m", "carepost.cli.main", "demo", "--json"],
        env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] and answer["seconds"] < 2 * PROMISE
    rows = {row["recipient"]: row for row in answer["rows"]}
    assert {address.partition("@")[2] for address in rows} == set(BY_DOMAIN)
    assert len(rows) == len(BY_DOMAIN) + 2, "two sides are shown with and without an access code"
    for address, row in rows.items():
        expected = BY_DOMAIN[address.partition("@")[2]]
        seen = {name: row[name] for name in ("state", "method", "assurance", "rule")}
        code = address.partition("@")[2] in people.CODES and not address.startswith("nocode.")
        assert not row["problem"]
        assert not differs(expected, code=code, **seen), (address, seen)
        assert row["why"] and row["offers"] and row["proof"]
    assert list(tmp_path.iterdir()) == [], "the throwaway home is gone"
    assert not list(ROOT.glob("core*"))
