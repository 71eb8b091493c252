"""A reviewer's word is one commit: an engine killed around it neither loses what was decided nor does it twice."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from carepost.proof import kinds
from tests.crash import deciding, engine

PROGRAM = Path(deciding.__file__)
EVENT = {"release": kinds.DELIVERY_RELEASED, "refuse": kinds.DELIVERY_TURNED_DOWN}


def run(folder: Path, verb: str, fault: str = "") -> int:
    process = subprocess.run(
        [sys.executable, "-m", "tests.crash.deciding", str(folder), verb, fault],
        capture_output=True, timeout=120, cwd=PROGRAM.parents[2],
    )  # fmt: skip
    assert process.returncode in (0, -9), process.stderr.decode()[-3000:]
    return process.returncode


@pytest.mark.parametrize("verb", ["release", "refuse"])
@pytest.mark.parametrize("point", ["commit.before", "commit.after", "answer.before"])
def test_a_decision_is_neither_lost_nor_done_twice(point: str, verb: str, tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "secrets").write_bytes(msgspec.msgpack.encode(engine.secrets()))
    assert run(tmp_path, verb, f"{point}:1") == -9
    first = {words[0] for words in engine.done(tmp_path, "decided")}
    assert len(first) < deciding.MESSAGES
    # nobody was told anything wrong: whoever heard nothing asks again, and nothing happens a second time
    assert run(tmp_path, verb) == 0
    told = {words[0]: words[1] for words in engine.done(tmp_path, "decided")}
    assert len(told) == deciding.MESSAGES
    assert set(told.values()) <= {"queued", "not-possible"}
    if point == "commit.before":
        assert set(told.values()) == {"queued"}, "nothing of it had landed"
    else:
        assert "not-possible" in told.values(), "it had landed, and is said to be done"
    events = {int(seq): (kind, on.split(",")) for seq, kind, _, on, _ in engine.done(tmp_path, "journal")}
    assert sorted(events) == list(range(1, len(events) + 1)), "a gap"
    of = Counter(on[1] for kind, on in events.values() if kind == EVENT[verb])
    deliveries = {words[1] for words in engine.done(tmp_path, "accepted")}
    assert of == dict.fromkeys(deliveries, 1), "each was decided about once, and that is on record once"
