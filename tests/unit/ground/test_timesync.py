"""The kernel's word on the clock: one of three, whatever the machine."""

import sys

import pytest

from carepost.ground import timesync

pytestmark = pytest.mark.fast


def test_the_state_is_one_of_three_and_costs_no_privilege() -> None:
    state, error = timesync.state()
    assert state in (timesync.SYNCHRONISED, timesync.UNSYNCHRONISED, timesync.UNKNOWN)
    assert error >= 0
    if sys.platform == "linux":
        # adjtimex(2) always answers to a reader
        assert state != timesync.UNKNOWN
        assert 0 < error <= 16_000_000


def test_elsewhere_it_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert timesync.state() == (timesync.UNKNOWN, 0)
