"""The one writer of hits: nobody waits for it, what comes while the database is away is written later, in bounds."""

from typing import Any

import pytest
from django.db import OperationalError

from carepost.engagement import arriving
from carepost.engagement.arriving import Arrivals, Arrived
from carepost.engagement.models import Copy, Hit
from carepost.ground import ids
from carepost.tenancy import scope
from carepost.tracking.types import Seen
from tests.rooms.engagement.conftest import Copies

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def hit(org: bytes, delivery: bytes, link: int = 1) -> Arrived:
    seen = Seen("click", "link", 5_000_000, link=link)
    return Arrived(org, delivery, 3, True, 1_795_000_000_000_000, seen, bytes(8))


@pytest.fixture
def arrivals(monkeypatch: pytest.MonkeyPatch) -> Arrivals:
    """Its thread never runs: the test is the thread."""
    made = Arrivals()
    monkeypatch.setattr(arriving.threading.Thread, "start", lambda _: None)
    monkeypatch.setattr(arriving.atexit, "register", lambda _: None)
    return made


@pytest.fixture
def maple(cast: Any, outbox: Any) -> Copies:
    return Copies(cast.maple, outbox, None, [0])  # type: ignore[arg-type]  # nothing is fetched here


def written(maple: Copies) -> int:
    with scope.organisation(maple.owner):
        return Hit.objects.filter(org_id=maple.owner).count()


def test_what_waits_is_written_together(maple: Copies, arrivals: Arrivals) -> None:
    delivery = ids.new(1)
    assert all(arrivals.put(hit(maple.org, delivery, link)) for link in (1, 2, 3))
    assert written(maple) == 0
    assert arrivals.step()
    assert written(maple) == 3
    with scope.organisation(maple.owner):
        copy = Copy.objects.get(org_id=maple.owner)
    assert (copy.hits, copy.links, copy.decoy) == (3, 3, True)
    assert copy.due_at == 1_795_000_000_000_000 + arriving.SETTLE_US


def test_while_the_database_is_away_hits_wait_in_their_order(
    maple: Copies, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = ids.new(1)
    arrivals.put(hit(maple.org, delivery, 1))
    arrivals.put(hit(maple.org, delivery, 2))

    def away(*_: Any) -> None:
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr(arriving, "write", away)
        patched.setattr(arriving, "close_old_connections", lambda: None)
        assert not arrivals.step()
        assert not arrivals.step()
    assert written(maple) == 0
    assert arrivals.step()
    assert written(maple) == 2


def test_more_than_fits_is_let_go(maple: Copies, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "WAITING", 2)
    delivery = ids.new(1)
    assert [arrivals.put(hit(maple.org, delivery, link)) for link in (1, 2, 3)] == [True, True, False]


def test_an_organisation_that_is_no_more_stops_nobody(maple: Copies, arrivals: Arrivals) -> None:
    arrivals.put(hit(ids.new(), ids.new(1)))
    arrivals.put(hit(maple.org, ids.new(1)))
    assert arrivals.step()
    assert written(maple) == 1
