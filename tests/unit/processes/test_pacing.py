"""Answers that wait while the processor is the limit, and how often it is looked."""

import asyncio
import time

import pytest

from carepost.processes import pacing
from carepost.processes.pacing import EVERY, HIGH, REST, Paced
from carepost.wire.types import Accepted

pytestmark = [pytest.mark.fast, pytest.mark.asyncio]

ANSWER = Accepted("message", ())


class House:
    """`held` deliveries are under way."""

    def __init__(self, held: int) -> None:
        self.held = held
        self.paced = Paced(None, lambda: self.held)  # type: ignore[arg-type]

    @property
    def rest(self) -> float:
        assert self.paced._timer is not None
        return self.paced._timer.when() - asyncio.get_running_loop().time()

    def punctual(self) -> None:
        self.paced._expected = asyncio.get_running_loop().time() + 1
        self.paced._look()


async def test_a_quiet_engine_is_woken_seldom_and_a_busy_one_often() -> None:
    house = House(0)
    house.paced.start()
    assert house.rest <= REST
    house.held = pacing.FEW + 1
    house.paced._look()
    assert house.rest <= EVERY
    house.held = 0
    now = asyncio.get_running_loop().time()
    house.punctual()
    assert house.rest + asyncio.get_running_loop().time() >= now + REST - 0.001
    house.paced.stop()


async def test_an_answer_waits_while_the_loop_lags_and_goes_when_a_look_is_punctual() -> None:
    house = House(HIGH + 1)
    told: list[Accepted] = []
    house.paced.start()
    house.paced.due(told.append, ANSWER)
    assert told == [ANSWER] and not house.paced.busy()
    # the loop was held up, as by more work than it can do
    time.sleep(EVERY + 2 * pacing.LATE)
    house.paced._look()
    assert house.paced.busy()
    house.paced.due(told.append, ANSWER)
    assert len(told) == 1 and house.rest <= EVERY
    house.punctual()
    assert len(told) == 2
    house.paced.stop()
