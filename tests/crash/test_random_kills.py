"""Thirty processes of a home die by SIGKILL at random moments, under load from clients that count their 250s and 202s:
nothing acknowledged is lost, nothing arrives twice unless the record says `uncertain`, no message arrives by two
methods, every proof verifies, and the log is whole (BI-023; DESIGN 1.5, 1.6, 1.12). bench/soak.py does it for hours."""

import random
import time
from pathlib import Path

import pytest

from tests.support.house import House
from tests.support.storm import Storm

KILLS = 30
#: seconds all of them may take
WITHIN = 90


@pytest.mark.timeout(240)
def test_thirty_random_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    chosen = random.Random(seed)
    with House(tmp_path, CAREPOST_ENGINES=2) as house:
        storm = Storm(house)
        storm.begin()
        deadline = time.monotonic() + WITHIN
        for _ in range(KILLS):
            storm.kill(chosen)
            assert time.monotonic() < deadline, f"too slow (seed {seed})"
        storm.calm()
        print(f"seed {seed}: {storm.summary()}")
        storm.account()
        storm.proofs()
        house.stop()
        storm.log()
