"""The cast: Ada administers the clinic, Olga operates it, Hal administers another organisation, Stan is a stranger."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from carepost.proof import openings
from carepost.proof.event import Event, read
from carepost.queue.sealing import month_key
from carepost.tenancy import events, keys, scope
from carepost.tenancy.actions import organisations, staff
from carepost.tenancy.models import Organisation, OrgEpoch, OutboxEvent
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import Actor


@dataclass(frozen=True)
class Cast:
    clinic: uuid.UUID
    harbour: uuid.UUID
    ada: Actor
    olga: Actor
    hal: Actor
    stan: Actor


@pytest.fixture(autouse=True)
def eyes() -> Iterator[None]:
    """A test sees all rows; what it calls must ask for its own organisation."""
    with scope.every("the test's own eyes"):
        yield


@pytest.fixture
def cast(db: None) -> Cast:
    clinic = organisations.create_organisation("clinic", "Willow Clinic", actor=BOOTSTRAP, phone="+1 555 0100")
    harbour = organisations.create_organisation("harbour", "Harbour Health", actor=BOOTSTRAP)

    def person(org: Organisation, email: str, role: str) -> Actor:
        made = staff.add_staff(org.pk, email, email.partition("@")[0].title(), role, actor=BOOTSTRAP)
        return Actor("staff", str(made.staff))

    return Cast(
        clinic.pk,
        harbour.pk,
        person(clinic, "ada@clinic.test", "administrator"),
        person(clinic, "olga@clinic.test", "operator"),
        person(harbour, "hal@harbour.test", "administrator"),
        Actor("staff", str(uuid.uuid4())),
    )


@dataclass(frozen=True)
class Told:
    """An event and what it committed to, opened."""

    event: Event
    personal: dict[str, str]


@pytest.fixture
def told(cast: Cast) -> Callable[[], list[Told]]:
    """The events since this fixture was set up, or since it was last asked."""
    seen = [events.head()]

    def since() -> list[Told]:
        found = []
        for row in OutboxEvent.objects.filter(seq__gt=seen[0]).order_by("seq"):
            event = read(bytes(row.event))
            assert event.seq == row.seq
            assert event.source == "office"
            personal = {}
            if row.sealed:
                with scope.organisation(row.organisation):
                    key = keys.version(row.organisation, "evidence", openings.key_version(bytes(row.sealed)))
                month = month_key(key, event.at)
                opened = openings.open_(month, row.organisation.bytes, event.id, bytes(row.sealed))
                personal = {name: value.decode() for name, (_, value) in opened.items()}
                assert set(personal) == set(event.commit)
            found.append(Told(event, personal))
            assert row.seq == seen[0] + 1
            seen[0] = row.seq
        return found

    return since


@pytest.fixture
def epoch(cast: Cast) -> Callable[[uuid.UUID], int]:
    def of(org: uuid.UUID) -> int:
        with scope.organisation(org):
            return OrgEpoch.objects.get(org=org).epoch

    return of
