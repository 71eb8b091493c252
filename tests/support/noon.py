"""A clock that stands: noon of a day, moved by the test."""

from collections.abc import Iterator
from typing import Final

import pytest

from carepost.ground import clock

HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
#: 2026-11-21 12:00 UTC
NOON: Final = 1_795_262_400_000_000


@pytest.fixture
def at() -> Iterator[list[int]]:
    """`at[0]` is the time, UTC microseconds."""
    now = [NOON]
    clock.set_source(lambda: now[0])
    yield now
    clock.set_source(None)


@pytest.fixture(name="at")
def at_present() -> Iterator[list[int]]:
    """The same from the present moment on: for what looks at certificates that others made now."""
    now = [clock.now()]
    clock.set_source(lambda: now[0])
    yield now
    clock.set_source(None)
