"""The same text says the same in every process: a preview and the attempt are two, and so are two workers. The order of
a set is another one in each."""

import os
import subprocess
import sys

import pytest

_ASK = """
import random, sys
sys.path.insert(0, "bench/phi")
import run
from carepost.phi.inspect import inspect
from carepost.phi.types import Part, Where
bodies = [part.text for message in run.messages("dev")[::7] for part in message.parts]
chance = random.Random(1)
for _ in range(60):
    text = "\\n\\n".join(chance.choice(bodies) for _ in range(14))
    words = " ".join("".join(chance.choices("abcdefgilmnoprstu", k=9)) for _ in range(900))
    for one in (text, words + " hypertenson diabtes asthmaa " + text[:500]):
        print(inspect([Part(Where.TEXT, one)]))
"""


def test_the_order_of_a_set_decides_nothing() -> None:
    pytest.importorskip("ahocorasick_rs")
    said = []
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-c", _ASK], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        said.append(done.stdout.splitlines())
    assert len(said[0]) == 120
    assert said[0] == said[1] == said[2]
