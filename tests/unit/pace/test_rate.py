"""Rates and shares of them."""

import pytest

from carepost.pace import rate
from carepost.pace.rate import MINUTE

pytestmark = pytest.mark.fast

NOW = 1_760_000_000_000_000


@pytest.mark.parametrize(("count", "burst"), [(1, 1), (10, 1), (600, 10)])
def test_a_rate_is_kept_over_a_minute(count: int, burst: int) -> None:
    step, tat, now, gone = rate.interval(count), 0, NOW, []
    while now < NOW + 3 * MINUTE:
        at, tat = rate.admit(tat, now, step, burst)
        if at == now:
            gone.append(now)
        else:
            now = at
    assert 3 * count <= len(gone) <= 3 * count + burst
    for first, last in zip(gone, gone[count + burst :], strict=False):
        assert last - first >= MINUTE


def test_who_must_wait_is_told_when_and_uses_nothing_up() -> None:
    _, tat = rate.admit(0, NOW, MINUTE)
    at, same = rate.admit(tat, NOW + 5, MINUTE)
    assert (at, same) == (NOW + MINUTE, tat)


@pytest.mark.parametrize(("limit", "parts"), [(5, 2), (1, 2), (1, 8), (10, 3), (4, 4), (2, 3)])
def test_shares_of_all_processes_are_the_limit_in_every_minute(limit: int, parts: int) -> None:
    for minute in range(20):
        at = NOW + minute * MINUTE
        assert sum(rate.share(limit, parts, part, at) for part in range(parts)) == limit


@pytest.mark.parametrize(("limit", "parts"), [(1, 2), (1, 8), (2, 3)])
def test_every_process_has_its_turn(limit: int, parts: int) -> None:
    for part in range(parts):
        turn = rate.next_turn(limit, parts, part, NOW)
        assert rate.share(limit, parts, part, turn) >= 1
        assert NOW < turn <= NOW + parts * MINUTE


def test_alone_a_process_has_all() -> None:
    assert rate.share(5, 1, 0, NOW) == 5
    assert rate.interval(10, parts=2) == 12_000_000
    assert rate.burst_of(6000) == 100
