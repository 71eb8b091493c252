"""From what engines saw to each organisation's destinations: history, alerts, mails; nobody sees another's."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from msgspec.structs import replace

from carepost.archive.marks import Marks
from carepost.destinations import alerts, merging, reading
from carepost.destinations.models import Alert, Change, Day, Destination
from carepost.ground import clock
from carepost.ground.errors import Unavailable
from carepost.ground.home import create
from carepost.journal.destinations import Follower
from carepost.policy.types import Assurance
from carepost.posture import Measured, Posture
from carepost.posture.types import Failure, Policy
from carepost.rfc import mime
from carepost.tenancy import scope
from carepost.tenancy.actions import organisations, routes
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.mailroom import KeptDoor
from tests.support.outbox import office_events, writable
from tests.support.sides import DAY_US, NOON, certificate, counted, host, record

pytestmark = pytest.mark.django_db(databases=["default", "records"])


@pytest.fixture(autouse=True)
def at() -> Iterator[list[int]]:
    now = [NOON]
    clock.set_source(lambda: now[0])
    with scope.every("the test's own eyes"):
        yield now
    clock.set_source(None)


def of(org: bytes) -> Destination:
    return Destination.objects.get(org_id=uuid.UUID(bytes=org))


def kinds_of(org: bytes) -> list[str]:
    return list(Change.objects.filter(org_id=uuid.UUID(bytes=org)).order_by("at", "pk").values_list("kind", flat=True))


def test_the_first_session_makes_a_destination_for_that_organisation_alone(cast: Any) -> None:
    merging.take(record())
    assert Destination.objects.count() == 0
    merging.count(counted(cast.maple), {"lab.test": record()}.get)
    row = of(cast.maple)
    assert (row.domain, row.assurance, row.ends_at) == ("lab.test", Assurance.VERIFIED, NOON + 90 * DAY_US)
    assert (Destination.objects.count(), kinds_of(cast.maple)) == (1, ["first"])
    merging.count(counted(cast.harbour), {"lab.test": record()}.get)
    assert (kinds_of(cast.harbour), kinds_of(cast.maple)) == (["first"], ["first"])


def test_what_is_told_twice_is_recorded_once_and_a_change_reaches_every_organisation(cast: Any, at: list[int]) -> None:
    for org in (cast.maple, cast.harbour):
        merging.count(counted(org), {"lab.test": record()}.get)
    for _ in range(3):
        merging.take(record())
    assert kinds_of(cast.maple) == ["first"]
    at[0] += 60_000_000
    renewed = record("lab.test", host(certificate=certificate(2), at=NOON + 1))
    for _ in range(3):
        merging.take(renewed)
    assert kinds_of(cast.maple) == kinds_of(cast.harbour) == ["first", "key"]
    assert office_events(merging.WEAKENED) == []


def test_an_older_sight_of_a_host_by_another_engine_changes_nothing(cast: Any) -> None:
    newer = record("lab.test", host(certificate=certificate(2), at=NOON + 5))
    merging.count(counted(cast.maple), {"lab.test": newer}.get)
    merging.take(record("lab.test", host(certificate=certificate(1), at=NOON)))
    assert kinds_of(cast.maple) == ["first"]


def test_counts_of_several_processes_add_and_a_later_one_of_the_same_replaces(cast: Any) -> None:
    for run, good in (("a", 1), ("a", 5), ("b", 2)):
        merging.count(counted(cast.maple, good=good, run=run), {}.get)
    assert merging.counted(Day.objects.all()) == (7, {"certificate-expired": 4})


def test_counts_older_than_a_year_go_and_a_move_is_believed_again_after_a_day(cast: Any, at: list[int]) -> None:
    maple = uuid.UUID(bytes=cast.maple)
    merging.count(counted(cast.maple, day=20_000), {}.get)
    merging.count(counted(cast.maple), {"lab.test": record()}.get)
    assert [row.day for row in Day.objects.all()] == [NOON // DAY_US]
    moved = replace(record(), moved_at=NOON, moved_hosts=("mx.new.test",))
    merging.take(moved)
    row = of(cast.maple)
    assert reading.page(maple, row.pk).line.mark.word == "Has just moved"
    at[0] += DAY_US
    assert reading.page(maple, row.pk).line.mark.word == "Verified"


def test_a_destination_that_weakens_is_an_alert_an_event_and_one_mail_an_hour(cast: Any, at: list[int]) -> None:
    """The mail is PHI-free: constants and counts, not even the domain."""
    maple = uuid.UUID(bytes=cast.maple)
    organisations.change_settings(maple, actor=BOOTSTRAP, alerts="watch@maple.test")
    merging.count(counted(cast.maple), {"lab.test": record()}.get)
    lost = record(
        "lab.test", host(tls="none", assurance=Assurance.NONE, fault="no-tls", certificate=None), lost_at=NOON
    )
    merging.take(lost)
    (event,) = office_events(merging.WEAKENED)
    assert (event.facts, event.cause) == ({"domain": "lab.test", "what": "assurance tls-lost"}, "assurance")
    assert event.on == [str(of(cast.maple).pk)]
    assert of(cast.maple).weakened == "tls-lost"
    door = KeptDoor()
    door.closed = True
    with pytest.raises(Unavailable):
        alerts.mail(door, clock.now())
    door.closed = False
    assert [alerts.mail(door, clock.now()) for _ in range(3)] == [1, 0, 0]
    (sent,) = door.taken
    assert [r.address for r in sent.envelope.recipients] == ["watch@maple.test"]
    assert b"lab.test" not in sent.body
    assert "can prove less than before: 1" in mime.read(sent.body).text
    merging.take(replace(lost, mta_sts="none", lost_at=NOON))
    merging.count(counted(cast.maple, "other.test"), {"other.test": record("other.test")}.get)
    merging.take(replace(record("other.test"), dane="yes"))
    merging.take(record("other.test"))
    assert alerts.mail(door, clock.now()) == 0, "one an hour"
    at[0] += alerts.HOUR_US
    assert alerts.mail(door, clock.now()) == 1


def test_a_certificate_that_ends_is_told_at_30_7_and_0_days_and_a_new_one_begins_anew(cast: Any, at: list[int]) -> None:
    ends = record("lab.test", host(certificate=certificate(1, ends=NOON + 40 * DAY_US)))
    merging.count(counted(cast.maple), {"lab.test": ends}.get)
    told = []
    for day in range(43):
        at[0] = NOON + day * DAY_US
        if day % 5 == 0:
            merging.count(counted(cast.maple), {}.get)
        if alerts.ending(clock.now()):
            told.append(day)
        assert alerts.ending(clock.now()) == 0
    assert told == [10, 33, 40]
    assert [event.facts["days"] for event in office_events(alerts.ENDING)] == ["30", "7", "0"]
    merging.take(record("lab.test", host(certificate=certificate(2, ends=at[0] + 5 * DAY_US), at=at[0])))
    assert alerts.ending(clock.now()) == 1


def test_nobody_is_told_of_a_destination_that_is_no_longer_used(cast: Any, at: list[int]) -> None:
    merging.count(counted(cast.maple), {"lab.test": record()}.get)
    at[0] += 85 * DAY_US
    assert alerts.ending(clock.now()) == 0


def test_a_pinned_host_is_its_organisations_alone(cast: Any) -> None:
    routes.add_route(uuid.UUID(bytes=cast.maple), "lab.test", "hub.inside.test", 25, actor=BOOTSTRAP)
    both = record("lab.test", host(), host("hub.inside.test", pinned=True, assurance=Assurance.AUTHENTICATED))
    for org in (cast.maple, cast.harbour):
        merging.count(counted(org), {"lab.test": both}.get)
    maple, harbour = (merging.state_of(of(org)) for org in (cast.maple, cast.harbour))
    assert maple is not None and [s.host for s in maple.sides] == ["mx.lab.test", "hub.inside.test"]
    assert harbour is not None and [s.host for s in harbour.sides] == ["mx.lab.test"]
    assert "hub.inside" not in of(cast.harbour).state


async def _seen(folder: Path, org: bytes) -> None:
    posture = Posture.open(folder, settings.CAREPOST_KEYS)
    posture.record("lab.test", Measured(hosts=("mx.lab.test",), starttls=True, tls=Assurance.VERIFIED, sides=(host(),)))
    posture.count(org, "lab.test", Policy("no-policy-found", "lab.test"))
    posture.count(org, "lab.test", Policy("sts", "lab.test"), Failure("sts-policy-invalid"))
    posture.close()


def test_the_journal_follows_the_engines_files(cast: Any, tmp_path: Path) -> None:
    """A file that is not there yet is looked for again; a second look takes nothing."""
    home = create(tmp_path / "home", sandbox=True)
    follower = Follower(home, settings.CAREPOST_KEYS, Marks(writable()))
    assert follower.step() == 0
    asyncio.run(_seen(home.shard(0), cast.maple))
    assert follower.step() == 2
    assert follower.step() == 0
    row = of(cast.maple)
    assert (row.domain, kinds_of(cast.maple)) == ("lab.test", ["first"])
    assert merging.counted(row.days.all()) == (1, {"sts-policy-invalid": 1})
    assert Alert.objects.count() == 0
    follower.close()
