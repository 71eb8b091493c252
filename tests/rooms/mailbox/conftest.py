"""Two clinics, a door that keeps what enters, and a clock that the test moves."""

from collections.abc import Callable, Iterator

import pytest

from carepost.ground import clock
from carepost.tenancy.models import Organisation
from tests.support.mailroom import NOON, KeptDoor, clinic


@pytest.fixture
def maple(db: None) -> Organisation:
    return clinic("maple", "maple.test")


@pytest.fixture
def harbour(db: None) -> Organisation:
    return clinic("harbour", "harbour.test")


@pytest.fixture
def door() -> KeptDoor:
    return KeptDoor()


@pytest.fixture
def pass_time() -> Iterator[Callable[[int], None]]:
    """Call it with microseconds; the clock stands still otherwise."""
    at = [NOON]
    clock.set_source(lambda: at[0])

    def move(by: int) -> None:
        at[0] += by

    yield move
    clock.set_source(None)
