"""Two looks at one sender domain at the same moment note a change once, whoever looks (decision 0068)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, connections

from carepost.senders import changes, history, looking
from carepost.senders.models import Change
from carepost.tenancy import scope, select
from carepost.tenancy.actions import access
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.wire.types import Actor
from tests.rooms.senders.test_history import Dns
from tests.support.front import maple
from tests.support.outbox import office_events

__all__ = ["maple"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "records"])

CLOCK = Actor("system", "journal")
#: seconds the first waits before it compares, for the other to come as far: one that is kept out does not come
APART = 1.5


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both stand before the comparison at once, where nothing keeps them apart."""
    met, real = threading.Barrier(2), changes.between

    def between(*given: Any) -> Any:
        try:
            met.wait(APART)
        except threading.BrokenBarrierError:
            pass
        return real(*given)

    monkeypatch.setattr(looking.changes, "between", between)


def both(org: Organisation, dns: Dns, *by: Actor) -> None:
    (row,) = select.domains(org.pk)

    ended = threading.Event()

    def look(actor: Actor) -> None:
        try:
            while True:
                try:
                    looking.look(org.pk, row, dns.ask, actor=actor)
                    break
                except OperationalError:
                    # SQLite in memory, as in tests, lets nobody wait for another's transaction; a file does
                    assert connection.vendor == "sqlite"
                    ended.wait(0.05)
        finally:
            ended.set()
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(look, actor) for actor in by]:
            done.result(60)


def noted(org: Organisation, kind: str) -> int:
    with scope.organisation(org.pk):
        return Change.objects.filter(org_id=org.pk, kind=kind).count()


@pytest.mark.parametrize("by", ["clock", "program"])
def test_a_change_is_noted_told_and_put_on_record_once(maple: Organisation, together: None, by: str) -> None:
    dns, asked = Dns(), by == "program"
    key = access.add_key(maple.pk, "machine", ("domains",), actor=COMMAND_LINE)
    actors = (CLOCK, Actor("key", key.id) if asked else CLOCK)
    both(maple, dns, *actors)
    assert noted(maple, "first") == 1
    dns.txt.pop("_dmarc.maple.test")
    both(maple, dns, *actors)
    assert noted(maple, "record") == 1
    assert [one.facts["from"] for one in office_events(looking.CHANGED)] == ["right"]
    # a look that was asked for is on record each time
    assert len(office_events(looking.CHECKED)) == 2 * asked
    with scope.organisation(maple.pk):
        found = history.history(maple.pk, COMMAND_LINE, "maple.test")
    assert [one.kind for one in found.changes if not one.kind.startswith("key")] == ["record", "first", "added"]
