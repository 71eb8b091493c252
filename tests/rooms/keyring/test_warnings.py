"""Certificates in use that run out: told at 30, 7 and 0 days, once each, and only while they are in use."""

from typing import Any

import pytest

from carepost.ground import clock
from carepost.keyring import acts, warnings
from carepost.keyring.models import RecipientKey
from carepost.keyring.words import DAY_US
from tests.rooms.keyring.test_recipient_keys import BO, openpgp, smime

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)


def test_each_step_is_told_once(cast: Any, told: Any) -> None:
    row = acts.add_key(cast.clinic, BO, smime(days=60), actor=cast.ada, reason="known")
    told()
    end = row.not_after
    found = []
    for left in (45, 31, 30, 29, 8, 7, 3, 1, 0, -1, -5):
        # half a day later than so many whole days before
        now = end - left * DAY_US - DAY_US // 2
        count = warnings.ending(now)
        events = told()
        assert len(events) == count
        found += [(left, event.event.facts["days"]) for event in events]
        assert all(event.event.kind == "keyring.key-ending" for event in events)
        assert all("partner" not in str(event.event) for event in events)
    assert found == [(30, "30"), (7, "7"), (0, "0")]
    row.refresh_from_db()
    assert (row.warned, row.state) == (0, "in use")


def test_one_that_is_met_late_is_told_once_and_each_organisation_of_its_own(cast: Any, told: Any) -> None:
    for org, who in ((cast.clinic, cast.ada), (cast.harbour, cast.hal)):
        acts.add_key(org, BO, smime(days=4), actor=who, reason="known")
    told()
    assert warnings.ending(clock.now()) == 2
    assert warnings.ending(clock.now()) == 0
    assert sorted(event.event.facts["days"] for event in told()) == ["2", "2"]


@pytest.mark.parametrize("state", ["changed", "replaced", "distrusted"])
def test_what_is_not_in_use_worries_nobody(cast: Any, told: Any, state: str) -> None:
    row = acts.add_key(cast.clinic, BO, smime(days=4), actor=cast.ada, reason="known")
    RecipientKey.objects.filter(pk=row.pk).update(state=state)
    told()
    assert warnings.ending(clock.now()) == 0
    assert told() == []


def test_what_never_ends_is_never_told_and_a_new_end_begins_anew(cast: Any) -> None:
    data = openpgp()
    row = acts.add_key(cast.clinic, BO, data, actor=cast.ada, reason="known")
    RecipientKey.objects.filter(pk=row.pk).update(not_after=0)
    assert warnings.ending(clock.now()) == 0
    RecipientKey.objects.filter(pk=row.pk).update(not_after=clock.now() + DAY_US)
    assert warnings.ending(clock.now()) == 1
    acts.add_key(cast.clinic, BO, data, actor=cast.ada, reason="its end was moved")
    row.refresh_from_db()
    assert (row.warned, warnings.ending(clock.now())) == (acts.NOT_WARNED, 0)
