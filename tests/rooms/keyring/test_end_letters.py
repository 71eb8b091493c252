"""The letter that says that the organisation's own keys end: at each step once, with nobody's name in it."""

from typing import Any

import pytest

from carepost.ground import clock
from carepost.ground.errors import Unavailable
from carepost.keyring import acts, authorities, end_letters, found, issuing, own_acts, own_select, warnings
from carepost.keyring.models import Authority, OwnKey, RecipientKey
from carepost.keyring.words import DAY_US
from carepost.policy.types import Method
from carepost.tenancy.actions import domains, organisations
from carepost.tenancy.permissions import BOOTSTRAP
from tests.rooms.keyring.test_found_keys import smime
from tests.rooms.keyring.test_key_letters import Door

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)


class Kept:
    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.readings = 0

    def get(self, name: str) -> int:
        return self.values.get(name, 0)

    def several(self, names: list[str]) -> list[int]:
        self.readings += 1
        return [self.get(name) for name in names]

    def put(self, name: str, value: int) -> None:
        self.values[name] = value


@pytest.fixture
def keys(cast: Any) -> list[OwnKey]:
    domains.add_domain(cast.clinic, "letters.test", actor=BOOTSTRAP)
    organisations.change_settings(cast.clinic, actor=BOOTSTRAP, alerts="privacy@letters.test")
    return [
        own_acts.generate_key(cast.clinic, f"{who}@letters.test", method=Method.SMIME, actor=cast.ada, reason="new")
        for who in ("nora", "olaf")
    ]


def test_each_step_of_own_keys_is_one_letter(keys: list[OwnKey]) -> None:
    door, kept, now = Door(), Kept(), clock.now()
    assert warnings.ending(now) == 0 and end_letters.mail(door, kept, now) == 0
    end = now + 300 * DAY_US
    OwnKey.objects.filter(pk__in=[key.pk for key in keys]).update(not_after=end)
    seen = []
    for left in (29, 20, 7, 6, 0, -1):
        at = end - left * DAY_US - DAY_US // 2
        warnings.ending(at)
        for _ in range(2):
            seen += [left] * end_letters.mail(door, kept, at, "https://console.test")
    assert seen == [29, 7, 0]
    texts = [letter.body.decode() for letter in door.letters]
    assert "Keys: 2." in texts[0] and "ends in 29 days" in texts[0] and "ends today" in texts[2]
    assert all("https://console.test/our-keys" in text and "olaf" not in text for text in texts)
    assert len({letter.key for letter in door.letters}) == 3


def test_what_was_not_taken_is_tried_again_and_a_moved_end_begins_anew(keys: list[OwnKey]) -> None:
    door, kept, now = Door(), Kept(), clock.now()
    one = OwnKey.objects.filter(pk=keys[0].pk)
    one.update(not_after=now + 3 * DAY_US)
    assert warnings.ending(now) == 1
    door.away = True
    with pytest.raises(Unavailable):
        end_letters.mail(door, kept, now)
    door.away = False
    assert (end_letters.mail(door, kept, now), end_letters.mail(door, kept, now)) == (1, 0)
    one.update(not_after=now + 400 * DAY_US, warned=99)
    later = now + 380 * DAY_US
    assert warnings.ending(later) >= 1
    assert end_letters.mail(door, kept, later) == 1


def test_those_beyond_what_is_read_at_once_are_told_of_too(
    cast: Any, keys: list[OwnKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys += [
        own_acts.generate_key(cast.clinic, f"{who}@letters.test", method=Method.SMIME, actor=cast.ada, reason="new")
        for who in ("pia", "quinn", "rosa")
    ]
    monkeypatch.setattr(end_letters, "_ROUND", 2)
    door, kept, now = Door(), Kept(), clock.now()
    OwnKey.objects.filter(pk__in=[key.pk for key in keys]).update(not_after=now + 5 * DAY_US)
    assert warnings.ending(now) == 5
    assert [end_letters.mail(door, kept, now) for _ in range(5)] == [1, 1, 1, 0, 0]
    counts = [one for letter in door.letters for one in letter.body.decode().splitlines() if "Keys:" in one]
    assert counts == ["- Keys: 2.", "- Keys: 2.", "- Keys: 1."]
    assert len({letter.key for letter in door.letters}) == 3
    # a look at keys of which everything was told reads marks by parts, not one by one
    kept.readings = 0
    assert (end_letters.mail(door, kept, now), kept.readings) == (0, 3)


def test_without_an_address_or_in_another_state_nobody_is_told(cast: Any, keys: list[OwnKey]) -> None:
    door, kept, now = Door(), Kept(), clock.now()
    OwnKey.objects.filter(pk=keys[0].pk).update(not_after=now, warned=0, state=own_acts.REVOKED)
    assert end_letters.mail(door, kept, now) == 0
    OwnKey.objects.filter(pk=keys[1].pk).update(not_after=now, warned=0)
    organisations.change_settings(cast.clinic, actor=BOOTSTRAP, alerts="")
    assert end_letters.mail(door, kept, now) == 0


def test_each_step_of_the_authority_is_an_event_and_one_letter_while_it_issues(cast: Any, told: Any) -> None:
    domains.add_domain(cast.clinic, "letters.test", actor=BOOTSTRAP)
    organisations.change_settings(cast.clinic, actor=BOOTSTRAP, alerts="privacy@letters.test")
    row = authorities.make_authority(
        cast.clinic, actor=BOOTSTRAP, reason="r", algorithm="ec-p384", days=60, where="http://portal.letters.test"
    )
    told()
    door, kept, seen, days = Door(), Kept(), [], []
    for left in (40, 30, 29, 7, 0, -2):
        at = row.not_after - left * DAY_US - DAY_US // 2
        warnings.ending(at)
        events = [one.event for one in told()]
        assert all(one.kind == "keyring.authority-ending" and one.org == str(cast.clinic) for one in events)
        days += [one.facts["days"] for one in events]
        seen += [left] * (end_letters.mail(door, kept, at, "https://console.test") + end_letters.mail(door, kept, at))
    assert (seen, days) == ([30, 7, 0], ["30", "7", "0"])
    texts = [letter.body.decode() for letter in door.letters]
    assert "ends in 30 days" in texts[0] and "ends today" in texts[2]
    assert all("https://console.test/our-keys/authority" in text and "make" in text for text in texts)
    Authority.objects.filter(pk=row.pk).update(warned=99, state=issuing.RETIRED)
    assert (warnings.ending(row.not_after), end_letters.mail(door, Kept(), row.not_after)) == (0, 0)


def test_keys_of_recipients_are_told_of_once_a_step_in_one_letter_a_day(cast: Any) -> None:
    domains.add_domain(cast.clinic, "letters.test", actor=BOOTSTRAP)
    organisations.change_settings(cast.clinic, actor=BOOTSTRAP, alerts="privacy@letters.test")
    door, kept = Door(), Kept()
    for who in ("one", "two", "three"):
        found.take(cast.clinic, smime(address=f"{who}@elsewhere.test"))
    row, other, distrusted = RecipientKey.objects.filter(org_id=cast.clinic).order_by("pk")
    end = clock.now() + 300 * DAY_US
    RecipientKey.objects.filter(pk=row.pk).update(not_after=end)
    RecipientKey.objects.filter(pk=other.pk).update(not_after=end + DAY_US)
    RecipientKey.objects.filter(pk=distrusted.pk).update(not_after=end, state=acts.DISTRUSTED)
    seen = []
    for half in range(2 * 40, -2 * 4, -1):
        at = end - half * DAY_US // 2 - DAY_US // 24
        seen += [half / 2] * end_letters.mail(door, kept, at, "https://console.test")
    # of two keys a day apart each has a letter of its own at each step, none has a second
    assert seen == [30, 29, 7, 6, 0, -1]
    texts = [letter.body.decode() for letter in door.letters]
    assert all("Keys: 1." in text and "https://console.test/certificates?attention=1" in text for text in texts)
    assert (
        "ends in 30 days" in texts[0]
        and "ends today" in texts[4]
        and "ends today" in texts[5]
        and not any("elsewhere" in t for t in texts)
    )
    assert len({letter.key for letter in door.letters}) == 6
    # both at once, after days in which nobody looked; and what was not taken is told at the next look
    again = Kept()
    again.put(f"recipient-keys-letter:{cast.clinic}", end - 60 * DAY_US)
    door.away = True
    with pytest.raises(Unavailable):
        end_letters.mail(door, again, end - 5 * DAY_US)
    door.away = False
    assert [end_letters.mail(door, again, end - 5 * DAY_US) for _ in range(2)] == [1, 0]
    assert "Keys: 2." in door.letters[-1].body.decode()


def test_a_key_that_comes_near_its_end_is_told_of(cast: Any) -> None:
    organisations.change_settings(cast.clinic, actor=BOOTSTRAP, alerts="privacy@letters.test")
    domains.add_domain(cast.clinic, "letters.test", actor=BOOTSTRAP)
    door, kept, now = Door(), Kept(), clock.now()
    assert end_letters.mail(door, kept, now) == 0
    found.take(cast.clinic, smime(address="late@elsewhere.test"))
    RecipientKey.objects.filter(org_id=cast.clinic).update(not_after=now + 20 * DAY_US, found_at=now + 1)
    assert end_letters.mail(door, kept, now + DAY_US) == 1
    assert "ends in 19 days" in door.letters[-1].body.decode()


def test_what_stands_on_the_overview_counts_what_ends_and_only_ours(cast: Any, keys: list[OwnKey]) -> None:
    assert own_select.attention(cast.clinic) == 0
    OwnKey.objects.filter(pk=keys[0].pk).update(not_after=clock.now() + 30 * DAY_US)
    OwnKey.objects.filter(pk=keys[1].pk).update(not_after=clock.now() - DAY_US)
    assert (own_select.attention(cast.clinic), own_select.attention(cast.harbour)) == (2, 0)
    authorities.make_authority(
        cast.clinic, actor=BOOTSTRAP, reason="r", algorithm="ec-p384", days=20, where="http://portal.letters.test"
    )
    assert own_select.attention(cast.clinic) == 3
    OwnKey.objects.filter(pk=keys[1].pk).update(state=own_acts.RETIRED)
    assert own_select.attention(cast.clinic) == 2
