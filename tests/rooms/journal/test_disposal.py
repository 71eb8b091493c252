"""By the clock: content past its retention goes, what is held or still needed stays, and rows that had their time."""

import secrets
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from typing import Any
from uuid import UUID

import pytest
from django.contrib.sessions.models import Session

from carepost.archive import retention
from carepost.archive.access import access_message
from carepost.archive.marks import Marks
from carepost.ground import clock, ids
from carepost.journal import sweeping
from carepost.journal.chores import Chores
from carepost.journal.disposal import STEP, Disposal
from carepost.mailbox import deposits, notify, sessions
from carepost.mailbox.models import Body, Deposit, Mailed, PortalSession
from carepost.proof import kinds
from carepost.tenancy import scope
from carepost.tenancy.actions import holds, staff
from carepost.tenancy.actions import retention as keeping
from carepost.tenancy.models import Organisation, SignInLink
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import Actor
from tests.support.mailroom import KeptDoor, lay
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])
NOON = 1_795_262_400_000_000
DAY = 86_400_000_000
JOURNAL = Actor("system", "journal")


@pytest.fixture
def at() -> Any:
    now = [NOON]
    clock.set_source(lambda: now[0])
    yield now
    clock.set_source(None)


def sent(outbox: Outbox, org: bytes) -> bytes:
    message, (delivery,) = outbox.accepted(org)
    outbox.sent(org, message, delivery)
    return message


def gone() -> set[str]:
    return {one for event in office_events(kinds.MESSAGE_DISPOSED) for one in event.on}


def test_a_hold_placed_a_moment_ago_counts_before_the_journal_has_carried_it_out(
    cast: Any, outbox: Outbox, at: list[int]
) -> None:
    org = UUID(bytes=cast.maple)
    keeping.keep_content(org, 30, actor=BOOTSTRAP, reason="our policy of 2026")
    old, kept = sent(outbox, cast.maple), sent(outbox, cast.maple)
    outbox.commit()
    at[0] += 31 * DAY
    holds.place_hold(org, UUID(bytes=kept), actor=BOOTSTRAP, reason="a law suit")
    Disposal(outbox.store, Marks(outbox.store)).step(at[0])
    assert gone() == {ids.text(old)}


def test_content_goes_when_its_days_are_over_and_legal_hold_comes_first(
    cast: Any, outbox: Outbox, at: list[int]
) -> None:
    keeping.keep_content(UUID(bytes=cast.maple), 30, actor=BOOTSTRAP, reason="our policy of 2026")
    old, held = sent(outbox, cast.maple), sent(outbox, cast.maple)
    waiting, _ = outbox.accepted(cast.maple)
    others = sent(outbox, cast.harbour)
    at[0] += 20 * DAY
    young = sent(outbox, cast.maple)
    outbox.commit()
    retention.hold(outbox.store, cast.maple, held, actor=JOURNAL, reason="a law suit")
    work = Chores(outbox.store, KeptDoor(), Flag())
    work.step()
    assert gone() == set()
    at[0] += 11 * DAY
    for _ in range(4):
        work.step()
    assert gone() == {ids.text(old)}
    assert access_message(cast.maple, old, cast.operator).subject == ""
    for kept in (held, young, waiting):
        assert access_message(cast.maple, kept, cast.operator).subject
    assert not outbox.store.rows("SELECT 1 FROM archive_message_key WHERE id = ?", (old.hex(),))
    assert outbox.store.rows("SELECT 1 FROM archive_message_key WHERE id = ?", (others.hex(),)), "six years there"
    (event,) = office_events(kinds.MESSAGE_DISPOSED)
    assert (event.org, event.actor.id) == (str(UUID(bytes=cast.maple)), "journal")
    # a hold that is lifted lets it go the next day
    retention.lift(outbox.store, cast.maple, held, actor=JOURNAL, reason="settled")
    at[0] += DAY
    for _ in range(4):
        work.step()
    assert gone() == {ids.text(old), ids.text(held)}


def test_a_long_list_is_done_in_small_steps(cast: Any, outbox: Outbox, at: list[int]) -> None:
    keeping.keep_content(UUID(bytes=cast.maple), 1, actor=BOOTSTRAP, reason="short")
    every = {ids.text(sent(outbox, cast.maple)) for _ in range(STEP + 5)}
    outbox.commit()
    at[0] += 2 * DAY
    work = Chores(outbox.store, KeptDoor(), Flag())
    work.step()
    assert len(gone()) == STEP
    # the journal starts again in between
    work = Chores(outbox.store, KeptDoor(), Flag())
    work.step()
    assert gone() == every


def test_content_is_kept_for_ever_where_the_organisation_says_so(cast: Any, outbox: Outbox, at: list[int]) -> None:
    keeping.keep_content(UUID(bytes=cast.maple), 0, actor=BOOTSTRAP, reason="research")
    sent(outbox, cast.maple)
    outbox.commit()
    at[0] += 4000 * DAY
    work = Chores(outbox.store, KeptDoor(), Flag())
    for _ in range(3):
        work.step()
    assert gone() == set()


def test_what_can_still_be_read_in_the_portal_stays_and_goes_with_all_of_it_later(
    cast: Any, outbox: Outbox, at: list[int]
) -> None:
    keeping.keep_content(UUID(bytes=cast.maple), 10, actor=BOOTSTRAP, reason="short")
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.deposited(cast.maple, message, delivery, "jane@patient.test")
    outbox.commit()
    with scope.every("the test's own eyes"):
        org = Organisation.objects.get(pk=UUID(bytes=cast.maple))
        lay(org, message=message)
    at[0] += 11 * DAY
    work = Chores(outbox.store, KeptDoor(), Flag())
    for _ in range(3):
        work.step()
    assert gone() == set()
    at[0] += 20 * DAY
    deposits.expire(cast.maple)
    for _ in range(3):
        work.step()
    assert gone() == {ids.text(message)}
    with scope.every("the test's own eyes"):
        assert (Deposit.objects.count(), Body.objects.count()) == (0, 0)


def test_rows_that_had_their_time_are_swept_out(at: list[int], cast: Any, outbox: Outbox) -> None:
    today = datetime.fromtimestamp(NOON / 1e6, UTC)
    for days in (-1, 1):
        key = secrets.token_hex(16)
        Session.objects.create(session_key=key, session_data="x", expire_date=today + timedelta(days=days))
    with scope.every("the test's own eyes"):
        org = Organisation.objects.get(pk=UUID(bytes=cast.maple))
        row = lay(org)
    door = KeptDoor()
    notify.notice(cast.maple, row.delivery.bytes, door=door)
    with scope.organisation(org.pk):
        sessions.open_session(row, "MAILBOX", device="a phone", trusted=False, cookie="")
    links = SignInLink.objects.count()
    staff.add_staff(org.pk, "new@maple.test", "Newt Heron", "sender", actor=BOOTSTRAP)
    assert SignInLink.objects.count() == links + 1
    sweeping.sweep(at[0])
    with scope.every("the test's own eyes"):
        assert (PortalSession.objects.count(), Mailed.objects.count()) == (1, 1), "still good"
    assert [s.expire_date for s in Session.objects.all()] == [today + timedelta(days=1)]
    at[0] += 40 * DAY
    sweeping.sweep(at[0])
    with scope.every("the test's own eyes"):
        assert (PortalSession.objects.count(), Mailed.objects.count()) == (0, 0)
    assert (Session.objects.count(), SignInLink.objects.count()) == (0, 0)


def test_how_long_content_is_kept_is_an_act_of_an_administrator(cast: Any) -> None:
    maple = UUID(bytes=cast.maple)
    assert keeping.content_days(maple) == keeping.DEFAULT
    with pytest.raises(Exception, match="not allowed"):
        keeping.keep_content(maple, 5, actor=cast.sender, reason="x")
    with pytest.raises(Exception, match="for ever"):
        keeping.keep_content(maple, -1, actor=BOOTSTRAP, reason="x")
    keeping.keep_content(maple, 365, actor=BOOTSTRAP, reason="a year")
    assert keeping.content_days(maple) == 365
    assert keeping.content_days(UUID(bytes=cast.harbour)) == keeping.DEFAULT
    (event,) = [e for e in office_events("org.changed") if e.facts.get("setting") == "content-days"]
    assert {"old", "new", "reason"} <= set(event.commit)
