"""Known keys looked for anew by the clock: which, when, and how many of one domain."""

import uuid
from typing import Any

import pytest

from carepost.ground import clock
from carepost.keyring import acts, anew, found, looking
from carepost.keyring.models import RecipientKey
from carepost.policy.types import Method
from carepost.tenancy import scope
from tests.rooms.keyring.test_found_keys import pgp_key, smime
from tests.rooms.keyring.test_recipient_keys import BO
from tests.support.mailroom import KeptDoor

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

DAY = 86_400_000_000


def rows(org: uuid.UUID) -> list[RecipientKey]:
    with scope.organisation(org):
        return list(RecipientKey.objects.filter(org_id=org).order_by("pk"))


def due(org: uuid.UUID, at: int = 1) -> None:
    with scope.organisation(org):
        RecipientKey.objects.filter(org_id=org).update(ask_at=at)


def test_a_known_key_is_asked_for_every_week_a_pinned_one_every_month_and_one_that_ends_daily(cast: Any) -> None:
    now, engine = clock.now(), KeptDoor()
    found.take(cast.clinic, smime())
    assert anew.look(engine, now) == 0, "not all that are known at once"
    (row,) = rows(cast.clinic)
    assert now <= row.ask_at < now + anew.FOUND_US
    due(cast.clinic)
    assert (anew.look(engine, now), engine.sought) == (1, [(BO, Method.SMIME)])
    assert anew.look(engine, now) == 0
    (row,) = rows(cast.clinic)
    assert 0.9 * anew.FOUND_US <= row.ask_at - now <= anew.FOUND_US
    acts.pin_key(cast.clinic, row.pk, actor=cast.ada, reason="read to me")
    due(cast.clinic)
    assert anew.look(engine, now) == 1
    (row,) = rows(cast.clinic)
    assert 0.9 * anew.PINNED_US <= row.ask_at - now <= anew.PINNED_US
    ends = row.not_after
    due(cast.clinic)
    assert anew.look(engine, ends - 40 * DAY) == 1
    assert rows(cast.clinic)[0].ask_at == ends - anew.NEAR_US, "from then on daily"
    for at in (ends - 29 * DAY, ends + 9 * DAY):
        due(cast.clinic)
        assert anew.look(engine, at) == 1
        assert rows(cast.clinic)[0].ask_at == at + DAY


def test_one_near_its_end_is_asked_for_at_once(cast: Any) -> None:
    engine = KeptDoor()
    found.take(cast.clinic, smime(days=20))
    assert anew.look(engine, clock.now()) == 1


def test_only_what_is_published_somewhere_the_organisation_looks(cast: Any) -> None:
    engine = KeptDoor()
    found.take(cast.clinic, smime())
    found.take(cast.clinic, pgp_key())
    looking.choose(cast.clinic, ["wkd", "signed-mail"], unknown_ok=False, actor=cast.ada, reason="their choice")
    due(cast.clinic)
    assert (anew.look(engine, clock.now()), engine.sought) == (1, [(BO, Method.OPENPGP)])
    due(cast.clinic)
    with scope.organisation(cast.clinic):
        RecipientKey.objects.filter(org_id=cast.clinic).update(state="changed")
    assert anew.look(engine, clock.now()) == 0, "a person decides about it"


def test_one_domain_is_asked_a_bounded_number_and_keeps_no_other_waiting(cast: Any) -> None:
    now, engine = clock.now(), KeptDoor()
    for number in range(anew.OF_A_DOMAIN + 3):
        found.take(cast.clinic, smime(address=f"p{number}@big.test"))
    found.take(cast.clinic, smime(address="one@small.test"))
    due(cast.clinic)
    assert anew.look(engine, now) == anew.OF_A_DOMAIN + 1
    assert [a for a, _ in engine.sought if "small" in a] == ["one@small.test"]
    waiting = [row.ask_at for row in rows(cast.clinic) if row.ask_at < now + DAY]
    assert len(waiting) == 3 and all(now + anew.HOUR_US <= at < now + 2 * anew.HOUR_US for at in waiting)


def test_without_an_engine_what_is_due_stays_due(cast: Any) -> None:
    engine = KeptDoor()
    found.take(cast.clinic, smime(days=20))
    engine.closed = True
    assert anew.look(engine, clock.now()) == 0
    engine.closed = False
    assert anew.look(engine, clock.now()) == 1
