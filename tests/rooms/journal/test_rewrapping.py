"""After a rotation of the master key: every key in tables comes under the newest, also where the journal was killed."""

import uuid
from typing import Any

import pytest
from django.conf import settings

from carepost.archive.marks import Marks
from carepost.ground import clock, orgkeys
from carepost.ground.keys import PurposeKeys, WrongKey
from carepost.journal.rewrapping import PUT_BACK, Rewrapping
from carepost.proof import kinds
from carepost.tenancy import keys, rewrapping, scope
from carepost.tenancy.models import DkimKey, OrgKey
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


class Killed(BaseException):
    pass


def rotated(held: PurposeKeys) -> PurposeKeys:
    """The same keys and a newest one: what a process is given after `carepost keyring rotate`."""
    newest = held.current + 1
    fresh = PurposeKeys.ephemeral()
    return PurposeKeys({p: {**held._keks[p], newest: fresh._keks[p][1]} for p in held.purposes}, newest)


def only_newest(held: PurposeKeys) -> PurposeKeys:
    return PurposeKeys({p: {held.current: held._keks[p][held.current]} for p in held.purposes}, held.current)


@pytest.fixture
def held(cast: Any, outbox: Outbox) -> PurposeKeys:
    """`cast` made keys under version 1."""
    found: PurposeKeys = settings.CAREPOST_KEYS
    return found


def every_key_opens_with(held: PurposeKeys) -> bool:
    with scope.every("the test's own eyes"):
        try:
            for row in OrgKey.objects.all():
                held.unwrap(row.purpose, bytes(row.wrapped), orgkeys.aad(row.org_id.bytes, row.purpose, row.version))
            for one in DkimKey.objects.select_related("domain"):
                place = b"dkim|" + one.org_id.bytes + b"|" + one.domain.domain.encode() + b"|" + one.selector.encode()
                held.unwrap("dkim", bytes(one.wrapped), place)
        except WrongKey:
            return False
    return True


def test_keys_come_under_the_newest_in_small_steps_and_an_event_says_when(
    held: PurposeKeys, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrapping, "STEP", 5)
    after = rotated(held)
    total = rewrapping.left(after.current)
    assert total > 10
    work = Rewrapping(after, Marks(outbox.store))
    work.step()
    assert rewrapping.left(after.current) == total - 5
    assert not every_key_opens_with(only_newest(after)) and every_key_opens_with(after)
    assert office_events(kinds.KEYS_REWRAPPED) == []
    for _ in range(20):
        work.step()
    assert rewrapping.left(after.current) == 0
    assert every_key_opens_with(only_newest(after))
    (event,) = office_events(kinds.KEYS_REWRAPPED)
    assert event.facts == {"master": "2", "rewrapped": str(total)} and set(event.facts) <= kinds.FACTS
    Rewrapping(after, Marks(outbox.store)).step()
    assert len(office_events(kinds.KEYS_REWRAPPED)) == 1


@pytest.mark.parametrize("at", [0, 1, 7])
def test_a_journal_killed_in_between_leaves_every_key_open_and_the_next_goes_on(
    held: PurposeKeys, outbox: Outbox, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    after = rotated(held)
    total = rewrapping.left(after.current)
    real, calls = PurposeKeys.rewrap, iter(range(1000))

    def killed(self: PurposeKeys, purpose: str, wrapped: bytes, aad: bytes) -> bytes | None:
        if next(calls) == at:
            raise Killed
        return real(self, purpose, wrapped, aad)

    monkeypatch.setattr(PurposeKeys, "rewrap", killed)
    with pytest.raises(Killed):
        Rewrapping(after, Marks(outbox.store)).step()
    monkeypatch.undo()
    assert rewrapping.left(after.current) == total - at
    assert every_key_opens_with(after)
    work = Rewrapping(after, Marks(outbox.store))
    for _ in range(6):
        work.step()
    assert every_key_opens_with(only_newest(after)) and rewrapping.left(after.current) == 0
    assert len(office_events(kinds.KEYS_REWRAPPED)) == 1


def test_a_key_nothing_opens_keeps_no_other_from_being_done(held: PurposeKeys, outbox: Outbox, cast: Any) -> None:
    after = rotated(held)
    with scope.every("the test's own eyes"):
        broken = OrgKey.objects.filter(org_id=uuid.UUID(bytes=cast.maple), purpose="portal")
        broken.update(wrapped=b"\0\1" + bytes(60))
    work = Rewrapping(after, Marks(outbox.store))
    for _ in range(6):
        work.step()
    assert rewrapping.left(after.current) == 1
    assert office_events(kinds.KEYS_REWRAPPED) == []


HOUR = 3_600_000_000


def put_back(held: PurposeKeys, org: bytes, key: bytes) -> bytes:
    """What a thief of the former master key writes into the database: his own key, bound as it must be."""
    with scope.every("the test's own eyes"):
        row = OrgKey.objects.filter(org_id=uuid.UUID(bytes=org), purpose="portal").order_by("version").last()
        assert row is not None
        aad = orgkeys.aad(org, "portal", row.version)
        row.wrapped = held.wrap("portal", key, aad)
        row.save()
        return bytes(row.wrapped)


def test_bi_079_a_key_put_back_from_before_a_rotation_is_on_record_and_is_never_made_one_of_ours(
    held: PurposeKeys, outbox: Outbox, cast: Any
) -> None:
    after, marks = rotated(held), Marks(outbox.store)
    work = Rewrapping(after, marks)
    start = clock.now()
    now = [start]
    clock.set_source(lambda: now[0])
    try:
        for _ in range(6):
            work.step()
        assert rewrapping.left(after.current) == 0
        work.step()
        assert office_events(kinds.KEYS_PUT_BACK) == [] and marks.get(PUT_BACK) == 0
        theirs = put_back(held, cast.maple, b"k" * 32)
        now[0] += HOUR - 1
        work.step()
        assert office_events(kinds.KEYS_PUT_BACK) == [], "looked at by the hour"
        for _ in range(3):
            now[0] += HOUR
            work.step()
        # a restart looks at once, and tells nothing twice
        Rewrapping(after, marks).step()
        (event,) = office_events(kinds.KEYS_PUT_BACK)
        assert event.facts == {"master": "2", "former": "1"} and set(event.facts) <= kinds.FACTS
        assert marks.get(PUT_BACK) == 1
        with scope.every("the test's own eyes"):
            assert OrgKey.objects.filter(wrapped=theirs).exists(), "wrapped anew it would be one of ours"
            OrgKey.objects.filter(wrapped=theirs).delete()
        now[0] += HOUR
        work.step()
        assert marks.get(PUT_BACK) == 0
    finally:
        clock.set_source(None)


def test_bi_079_a_key_of_a_master_key_that_is_gone_is_refused(held: PurposeKeys, cast: Any) -> None:
    gone = only_newest(rotated(held))
    with scope.every("the test's own eyes"):
        row = OrgKey.objects.filter(org_id=uuid.UUID(bytes=cast.maple), purpose="portal").first()
        assert row is not None
        aad = orgkeys.aad(cast.maple, "portal", row.version)
        with pytest.raises(WrongKey):
            gone.unwrap("portal", bytes(row.wrapped), aad)
        # nor is it taken for one of the newest
        with pytest.raises(WrongKey):
            gone.unwrap("portal", gone.current.to_bytes(2, "big") + bytes(row.wrapped)[2:], aad)


def test_without_a_rotation_nothing_is_told(held: PurposeKeys, outbox: Outbox) -> None:
    work = Rewrapping(held, Marks(outbox.store))
    for _ in range(6):
        work.step()
    assert office_events(kinds.KEYS_REWRAPPED) == []
    assert Marks(outbox.store).get("rewrapped") == 1
    assert keys.purposes() is held
