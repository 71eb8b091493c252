"""The journal dies by SIGKILL around its commits while it tells a real receiver: each event is told at least once,
under its one id, in its message's order; none is lost, and what was on record as told is told once."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.receiver import Receiver, receiver

SCRIPT = Path(__file__).with_name("webhooks.py")
ROOT = Path(__file__).parents[2]
MESSAGES = 4


def call(at: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(at), *words], env=environ, capture_output=True, text=True, timeout=400
    )


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("receiver")) as made:
        yield made


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, there: Receiver) -> Path:
    folder = tmp_path_factory.mktemp("webhooks")
    made = call(folder / "home", "make", str(MESSAGES), there.url)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.timeout(900)
@pytest.mark.parametrize("point", ["commit.after", "settle.before", "settle.after"])
def test_killed_at_each_point_nothing_is_lost(point: str, template: Path, there: Receiver, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    subprocess.run(["cp", "-a", str(template), str(folder)], check=True)
    at = folder / "home"
    there.told.clear()
    died = call(at, "run", there.ca, f"{point}:2")
    assert died.returncode == -signal.SIGKILL, died.stderr
    ended = call(at, "run", there.ca)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    assert (found["waiting"], found["leaves"]) == (0, found["events"])
    told = [json.loads(one.body) for one in there.told]
    heard = [one["data"]["event_id"] for one in told]
    assert set(heard) == set(found["wanted"]) and found["sent"] == len(found["wanted"])
    assert [one.headers["webhook-id"] for one in there.told] == heard
    first: dict[str, list[str]] = {}
    for one in told:
        kinds = first.setdefault(one["data"]["message_id"], [])
        if one["type"] not in kinds:
            kinds.append(one["type"])
    assert all(kinds == ["message.accepted", "delivery.queued", "delivery.sent"] for kinds in first.values())
