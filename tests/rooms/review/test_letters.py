"""Letters to reviewers: figures and a time, nothing of any message; at once, daily, and before the time is over."""

import pytest

from carepost.ground.errors import Refused, Unavailable
from carepost.review import letters, settings
from carepost.review.models import Setting
from carepost.rfc import mime
from carepost.tenancy.actions import staff
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP, Forbidden
from carepost.wire.types import Actor
from tests.support.mailroom import NOON, KeptDoor
from tests.support.outbox import office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])

HOUR = letters.HOUR_US
DAY = letters.DAY_US


class Door(KeptDoor):
    def waits(self) -> dict[bytes, tuple[int, int, int]]:
        if self.closed:
            raise Unavailable("engine-away", "No engine answers.")
        return self.waiting


def people(org: Organisation) -> None:
    for role in ("operator", "administrator", "auditor", "sender"):
        staff.add_staff(org.pk, f"{role}@{org.slug}.test", role.title(), role, actor=BOOTSTRAP)


def sent(door: Door) -> list[str]:
    return [s.envelope.recipients[0].address for s in door.taken]


def test_everybody_who_may_release_is_told_once(maple: Organisation, harbour: Organisation) -> None:
    people(maple)
    people(harbour)
    door = Door()
    door.waiting = {maple.pk.bytes: (3, NOON, NOON + 90 * HOUR)}
    assert letters.send(door, NOON + 1, "https://console.test") == 2
    assert sent(door) == ["administrator@maple.test", "operator@maple.test"]
    text = mime.read(door.taken[0].body).text
    assert "3 messages wait to be decided about" in text and "https://console.test/held" in text
    assert "2026-11-25 06:00 UTC" in text
    assert letters.send(door, NOON + 2 * HOUR) == 0, "nothing new"
    door.waiting = {maple.pk.bytes: (4, NOON + HOUR // 2, 0)}
    assert letters.send(door, NOON + HOUR // 2 + 1) == 0, "within an hour of the last letter"
    assert letters.send(door, NOON + 2 * HOUR) == 2, "something new"
    assert letters.send(door, NOON + 2 * HOUR + DAY) == 2, "and daily while anything waits"


def test_nothing_waits_and_nothing_is_read_or_sent(maple: Organisation, django_assert_num_queries: object) -> None:
    door = Door()
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert letters.send(door, NOON) == 0
        door.closed = True
        assert letters.send(door, NOON) == 0


def test_a_crash_before_the_note_of_it_sends_the_same_letter_again(
    maple: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COMMIT POINT: handed in and not noted; again under the same key it is the same letter."""
    people(maple)
    door = Door()
    door.waiting = {maple.pk.bytes: (1, NOON, 0)}

    def dies(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(Setting.objects, "update_or_create", dies)
        with pytest.raises(RuntimeError):
            letters.send(door, NOON + 1)
    assert letters.send(door, NOON + 60_000_000) == 2
    assert len(door.taken) == 2


def test_before_the_time_is_over_it_is_told_once_more(maple: Organisation) -> None:
    people(maple)
    settings.change(
        maple.pk, letters="daily", address="office@maple.test", remind=6, actor=BOOTSTRAP, reason="as agreed"
    )
    door = Door()
    ends = NOON + 20 * HOUR
    door.waiting = {maple.pk.bytes: (1, NOON, ends)}
    assert letters.send(door, NOON) == 1
    assert letters.send(door, ends - 7 * HOUR) == 0
    assert letters.send(door, ends - 6 * HOUR) == 1
    assert letters.send(door, ends - 5 * HOUR) == 0
    assert sent(door) == ["office@maple.test"] * 2
    assert "nobody can release it any more" in mime.read(door.taken[1].body).text


def test_off_is_off(maple: Organisation) -> None:
    people(maple)
    settings.change(maple.pk, letters="off", address="", remind=24, actor=BOOTSTRAP, reason="too many")
    door = Door()
    door.waiting = {maple.pk.bytes: (1, NOON, NOON + HOUR)}
    assert letters.send(door, NOON) == 0


def test_settings_are_the_administrators_and_on_record(maple: Organisation, harbour: Organisation) -> None:
    people(maple)
    ada = staff.add_staff(maple.pk, "ada@maple.test", "Ada", "administrator", actor=BOOTSTRAP)
    olga = staff.add_staff(maple.pk, "olga@maple.test", "Olga", "operator", actor=BOOTSTRAP)
    given = {"letters": "daily", "address": "", "remind": 12, "reason": "fewer letters"}
    for org, by in ((maple, olga.staff), (harbour, ada.staff)):
        with pytest.raises(Forbidden):
            settings.change(org.pk, actor=Actor("staff", str(by)), **given)  # type: ignore[arg-type]
    settings.change(maple.pk, actor=Actor("staff", str(ada.staff)), **given)  # type: ignore[arg-type]
    (made,) = office_events("review.changed")
    assert made.actor.id == str(ada.staff)
    assert settings.of(maple.pk) == settings.Told("daily", "", 12)
    assert settings.of(harbour.pk) == settings.Told()
    for wrong in ({"letters": "often"}, {"remind": 9000}, {"address": "nobody"}, {"reason": " "}):
        with pytest.raises(Refused):
            settings.change(maple.pk, actor=BOOTSTRAP, **{**given, **wrong})  # type: ignore[arg-type]
