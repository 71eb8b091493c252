"""A process is killed (SIGKILL) at each commit point of the spool under load, every fault lost and landed.

Afterwards: nothing acknowledged is lost, one key is one message, nothing is sent twice but what is on record as
uncertain, events have every number and never change, and what is over leaves nothing behind."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from carepost.proof import kinds
from tests.crash import engine

MESSAGES = 60
PROGRAM = Path(engine.__file__)


def prepare(folder: Path) -> None:
    (folder / "spool").mkdir()
    (folder / "secrets").write_bytes(msgspec.msgpack.encode(engine.secrets()))


def start(folder: Path, fault: str = "") -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(PROGRAM), str(folder), str(MESSAGES), fault]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def run(folder: Path, fault: str = "") -> int:
    process = start(folder, fault)
    try:
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode in (0, -9), errors.decode()[-3000:]
    return process.returncode


def verify(folder: Path) -> None:
    """After a run that came to its end."""
    acked = {int(number): message for number, message in engine.done(folder, "acked")}
    assert sorted(acked) == list(range(MESSAGES)), "every client was answered in the end"
    events: dict[int, tuple[str, str, list[str], str]] = {}
    for seq, kind, digest, on, attempt in engine.done(folder, "journal"):
        found = (kind, digest, on.split(","), attempt)
        assert events.setdefault(int(seq), found) == found, "an event changed under its number"
    assert sorted(events) == list(range(1, len(events) + 1)), "a gap"
    of = [(kind, on) for kind, _, on, _ in events.values()]
    accepted = [on[0] for kind, on in of if kind == kinds.MESSAGE_ACCEPTED]
    assert sorted(accepted) == sorted(acked.values()), "one message for one key, and no other"
    settled = Counter(on[1] for kind, on in of if kind == kinds.DELIVERY_SENT)
    assert len(settled) == MESSAGES and set(settled.values()) == {1}
    sent = Counter(delivery for delivery, _ in engine.done(folder, "sent"))
    uncertain = Counter(on[1] for kind, on in of if kind == kinds.DELIVERY_UNCERTAIN)
    for delivery in settled:
        assert 1 <= sent[delivery] <= 1 + uncertain[delivery], "sent twice, and not on record as uncertain"
    begins = {kinds.DELIVERY_QUEUED, kinds.DELIVERY_ATTEMPTED}
    attempted = Counter(on[1] for kind, _, on, attempt in events.values() if kind in begins and attempt != "-")
    assert all(attempted[delivery] >= sent[delivery] for delivery in sent), "an attempt is on record before it begins"
    left = [path.name for path in (folder / "spool" / "shard-0000").glob("segment-*")]
    assert len(left) <= 1, "bodies that are over are gone"


POINTS = [
    ("segment.write", 1), ("segment.write", 9), ("segment.synced", 1), ("segment.synced", 5),
    ("commit.before", 1), ("commit.before", 3), ("commit.before", 6),
    ("commit.after", 1), ("commit.after", 3), ("commit.after", 6),
    ("answer.before", 2), ("answer.before", 4), ("answer.before", 7),
    ("dot.marked", 1), ("dot.marked", 30), ("dot.sent", 1), ("dot.sent", 30),
    ("retire.commit", 1), ("retire.commit", 3),
]  # fmt: skip


@pytest.mark.parametrize(("point", "number"), POINTS, ids=[f"{p}-{n}" for p, n in POINTS])
def test_killed_at(tmp_path: Path, point: str, number: int) -> None:
    prepare(tmp_path)
    assert run(tmp_path, f"{point}:{number}") == -9, "the point was never passed"
    assert run(tmp_path) == 0
    verify(tmp_path)


def test_killed_at_every_start_again(tmp_path: Path) -> None:
    """Also the taking up of what a dead process left can be killed, again and again."""
    prepare(tmp_path)
    assert run(tmp_path, "dot.sent:7") == -9
    for point in ("commit.before:1", "commit.after:1", "answer.before:1", "commit.after:2"):
        assert run(tmp_path, point) == -9
    assert run(tmp_path) == 0
    verify(tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    prepare(tmp_path)
    for _ in range(6):
        process = start(tmp_path)
        acked = tmp_path / "acked"
        before = acked.stat().st_size if acked.exists() else 0
        deadline = time.monotonic() + 20
        # not before it has begun to work, and then at any moment of it
        while process.poll() is None and time.monotonic() < deadline:
            if acked.exists() and acked.stat().st_size > before:
                break
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.06))
        process.kill()
        process.communicate(timeout=20)
    assert run(tmp_path) == 0
    verify(tmp_path)
