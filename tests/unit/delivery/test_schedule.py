"""When a delivery is tried again (RFC 5321 4.5.4.1)."""

import itertools

import pytest

from carepost.delivery.exchange import Timeouts
from carepost.delivery.schedule import SECOND, Schedule
from carepost.ground.config import Config

pytestmark = pytest.mark.fast

HOUR = 3600 * SECOND


def tries(schedule: Schedule, until: int) -> list[int]:
    at, found, attempt = 0, [0], 1
    while at < until:
        at = schedule.next(attempt, at)
        attempt += 1
        found.append(at)
    return found


def test_two_tries_in_the_first_hour_then_every_two_to_three_hours() -> None:
    found = tries(Schedule(), 96 * HOUR)
    assert sum(at < HOUR for at in found) == 2
    waits = [(b - a) / HOUR for a, b in itertools.pairwise(found)]
    assert waits[:4] == [0.5, 1.0, 2.0, 3.0]
    assert set(waits[3:]) == {3.0}


def test_it_gives_up_after_four_days_or_when_the_message_expires() -> None:
    assert Schedule().ends(0) == 96 * HOUR
    assert Schedule().ends(0, 5 * HOUR) == 5 * HOUR
    assert Schedule().ends(0, 500 * HOUR) == 96 * HOUR


def test_the_sender_hears_of_a_delay_after_four_hours() -> None:
    assert Schedule().tell_delay(0) == 4 * HOUR


def test_jitter_lengthens_and_never_shortens() -> None:
    """A greylisting server must not be asked too early."""
    assert Schedule().next(1, 0, 0.0) == 1800 * SECOND
    assert Schedule().next(1, 0, 1.0) == 1980 * SECOND


def test_a_sandbox_waits_seconds_and_never_longer_than_told() -> None:
    found = tries(Schedule(1.0, 2.0, 60.0), 6 * SECOND)
    assert [b - a for a, b in itertools.pairwise(found)][:3] == [SECOND, 2 * SECOND, 2 * SECOND]
    assert Schedule(1.0, 2.0).next(1000, 0) == 2 * SECOND


def test_a_server_is_given_the_time_the_standard_names() -> None:
    """RFC 5321 4.5.3.2: banner, MAIL and RCPT 5 minutes, DATA 2, a block 3, the final dot 10: a shorter wait makes
    copies (4.5.3.2.6)."""
    config = Config()
    for given in (Timeouts(), Timeouts.of(config.command_timeout, config.data_timeout)):
        assert given.banner >= 300 and given.command >= 300
        assert given.data >= 120 and given.block >= 180 and given.dot >= 600
