"""A burst is what comes at the same moment; it is made way for until it has lasted too long."""

import pytest

from carepost.ground import clock
from carepost.reception.http import pressing
from carepost.reception.http.pressing import Pressing

pytestmark = pytest.mark.fast
ORG, OTHER = b"1" * 16, b"2" * 16


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 1000.0
        monkeypatch.setattr(clock, "monotonic", lambda: self.at)


def test_one_after_the_other_is_no_burst() -> None:
    made = Pressing()
    for _ in range(100):
        made.begin(ORG)
        assert not made.now(ORG)
        made.end(ORG)


def test_many_at_the_same_moment_are_one_and_only_their_organisation_presses() -> None:
    made = Pressing()
    for _ in range(pressing.MANY):
        assert not made.now(ORG)
        made.begin(ORG)
    assert made.now(ORG)
    assert not made.now(OTHER)


def test_a_batch_counts_its_messages_and_the_moment_after(monkeypatch: pytest.MonkeyPatch) -> None:
    time, made = Clock(monkeypatch), Pressing()
    made.begin(ORG, 500)
    made.end(ORG, 500)
    time.at += pressing.RECENT / 2
    assert made.now(ORG)
    time.at += pressing.RECENT
    assert not made.now(ORG)


def test_after_a_while_nothing_makes_way_any_more_until_it_was_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    time, made = Clock(monkeypatch), Pressing()
    for _ in range(int(pressing.BURST / 0.1) + 2):
        made.begin(ORG, 10)
        made.end(ORG, 10)
        time.at += 0.1
    assert not made.now(ORG)
    made.begin(ORG, 10)
    assert not made.now(ORG)
    time.at += pressing.QUIET + 1
    made.begin(ORG, 10)
    assert made.now(ORG)
