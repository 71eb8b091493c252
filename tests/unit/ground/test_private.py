"""A file with a secret in it: whose it is, and who may read it."""

import os
from pathlib import Path

import pytest

from carepost.ground import private

pytestmark = pytest.mark.fast

ROOT, ME = 0, 10001


@pytest.mark.parametrize(
    ("owner", "who", "mode", "shared"),
    [
        pytest.param(ME, ME, 0o600, False, id="its own"),
        pytest.param(ME, ME, 0o400, False, id="its own to read"),
        pytest.param(ME, ME, 0o640, True, id="its own, and its group reads it"),
        pytest.param(ROOT, ME, 0o440, False, id="root gave it to the group"),
        pytest.param(ROOT, ME, 0o460, True, id="root gave it to the group to change"),
        pytest.param(ROOT, ME, 0o444, True, id="root gave it to everybody"),
        pytest.param(ROOT, ROOT, 0o440, True, id="root's own, and a group reads it"),
        pytest.param(ROOT, ROOT, 0o600, False, id="root's own"),
    ],
)
def test_others_may_read_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, owner: int, who: int, mode: int, shared: bool
) -> None:
    said = os.stat_result((0o100000 | mode, 1, 1, 1, owner, ME, 10, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda self: said)
    monkeypatch.setattr(os, "geteuid", lambda: who)
    assert private.shared(tmp_path / "keyring.json") is shared
