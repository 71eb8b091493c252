"""Deliveries of who presses with new mail are begun more slowly: in their order, never for long, never others'."""

import asyncio

import pytest

from carepost.delivery import easing
from carepost.delivery.easing import Easing

pytestmark = pytest.mark.fast
ONE, OTHER = b"1" * 16, b"2" * 16


class Begun:
    def __init__(self) -> None:
        self.works: list[int] = []
        self.all = asyncio.Event()
        self.wanted = 0

    def begin(self, work: int) -> None:
        self.works.append(work)
        if len(self.works) >= self.wanted:
            self.all.set()

    async def until(self, wanted: int) -> list[int]:
        self.wanted = wanted
        if len(self.works) < wanted:
            self.all.clear()
            await asyncio.wait_for(self.all.wait(), 30)
        return self.works


async def test_nothing_is_put_off_while_nobody_presses() -> None:
    made: Easing[int] = Easing(easing.never, Begun().begin)
    assert not made.put_off(ONE, 1)
    assert made.close() == []


async def test_only_who_presses_waits() -> None:
    begun = Begun()
    made: Easing[int] = Easing(lambda org: org == ONE, begun.begin)
    assert made.put_off(ONE, 1)
    assert not made.put_off(OTHER, 2)
    assert await begun.until(1) == [1]


async def test_all_begin_in_their_order_once_the_pressure_is_over() -> None:
    begun, pressed = Begun(), [True]
    made: Easing[int] = Easing(lambda org: pressed[0], begun.begin)
    assert all(made.put_off(ONE, n) for n in range(50))
    pressed[0] = False
    assert made.put_off(ONE, 50), "it goes behind those that wait"
    assert await begun.until(51) == list(range(51))
    assert not made.put_off(ONE, 51)


async def test_they_go_on_slowly_while_it_lasts() -> None:
    begun = Begun()
    made: Easing[int] = Easing(lambda org: True, begun.begin)
    for n in range(3 * easing.BEGUN):
        made.put_off(ONE, n)
    for looks in range(1, 4):
        made._look()
        assert begun.works == list(range(looks * easing.BEGUN))
    assert not made.close()


async def test_none_waits_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(easing, "LONGEST", 0.0)
    begun = Begun()
    made: Easing[int] = Easing(lambda org: True, begun.begin)
    for n in range(10 * easing.BEGUN):
        made.put_off(ONE, n)
    made._look()
    assert len(begun.works) == 10 * easing.BEGUN


async def test_what_waits_at_the_end_is_given_back() -> None:
    begun = Begun()
    made: Easing[int] = Easing(lambda org: True, begun.begin)
    made.put_off(ONE, 1)
    made.put_off(OTHER, 2)
    assert made.close() == [1, 2]
    assert made.close() == []
    assert not begun.works
