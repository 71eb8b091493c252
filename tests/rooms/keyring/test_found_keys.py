"""What becomes of a key that was found beside what is known of its recipient: the order of trust, and who decides."""

import uuid
from typing import Any

import pytest

from carepost.crypto.openpgp import certificate as pgp_certificate
from carepost.crypto.smime import identity
from carepost.ground import clock
from carepost.keyring import acts, found, select
from carepost.keyring.models import RecipientKey
from carepost.policy.types import Method, Ternary
from carepost.tenancy.permissions import Forbidden
from carepost.wire.found import MOST, Found
from tests.rooms.keyring.test_recipient_keys import BO, held, openpgp

__all__ = ["held"]

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

DAY = 86_400_000_000


def smime(source: str = "smimea", *, days: int = 365, address: str = BO, **more: Any) -> Found:
    made = identity.self_signed(identity.generate("ec-p256"), address, clock.now() - DAY, days=days).certificate
    return Found(address, "smime", source, made.der, made.fingerprint, made.not_after, vouched=True, **more)


def pgp_key(source: str = "wkd") -> Found:
    made = pgp_certificate.read(openpgp())
    return Found(BO, "openpgp", source, made.raw, made.fingerprint, made.encrypts_until or 0)


def states(org: uuid.UUID) -> dict[str, str]:
    return {acts.opened(row).fingerprint: row.state for row in RecipientKey.objects.filter(org_id=org)}


def test_a_found_key_of_somebody_unknown_is_used_and_on_record(cast: Any, told: Any, epoch: Any, held: Any) -> None:
    before = epoch(cast.clinic)
    one = smime()
    assert found.take(cast.clinic, one) == "new"
    (event,) = told()
    assert event.event.kind == "keyring.key-taken"
    assert event.event.facts == {"method": "smime", "source": "smimea", "state": "in use"}
    assert (event.event.actor.kind, event.event.actor.id) == ("system", "journal")
    assert event.personal == {"address": BO, "fingerprint": one.fingerprint}
    assert epoch(cast.clinic) == before + 1
    assert held() == (Ternary.YES, Ternary.NO, (), ()), "in use, and nobody vouches for it"
    assert held(org=cast.harbour).smime is Ternary.NO, "another organisation knows nothing of it"
    assert acts.opened(RecipientKey.objects.get()).vouched
    # the same again, after a crash or a day later: nothing new, and no event
    assert found.take(cast.clinic, one) == "known"
    assert not told() and epoch(cast.clinic) == before + 1
    assert RecipientKey.objects.get().seen_at > 0


@pytest.mark.parametrize("source", ["smimea", "openpgpkey", "wkd", "signed-mail", "autocrypt"])
def test_a_pinned_key_is_never_replaced_by_a_found_one_and_mail_is_held(
    cast: Any, told: Any, held: Any, source: str
) -> None:
    """BI-072: hold and alert; the pinned key is kept."""
    pinned = acts.add_key(cast.clinic, BO, openpgp(), actor=cast.ada, reason="read to me by telephone")
    told()
    other = pgp_key(source)
    assert found.take(cast.clinic, other) == "changed"
    (event,) = told()
    assert (event.event.kind, event.event.facts["state"]) == ("keyring.key-changed", "changed")
    pinned.refresh_from_db()
    assert (pinned.state, pinned.pinned) == ("in use", True)
    assert held().changed == (Method.OPENPGP,)
    assert select.attention(cast.clinic) == 1
    # a second stranger changes nothing of that; a person who distrusts both ends it
    assert found.take(cast.clinic, pgp_key(source)) == "changed"
    for row in RecipientKey.objects.filter(state="changed"):
        acts.distrust_key(cast.clinic, row.pk, actor=cast.ada, reason="not theirs, they say")
    assert held().changed == () and held().openpgp is Ternary.YES
    assert found.take(cast.clinic, other) == "ignored", "what was distrusted is not taken up again"
    assert held().changed == ()


@pytest.mark.parametrize(
    ("known", "new", "said"),
    [
        ("autocrypt", "wkd", "used"),
        ("signed-mail", "wkd", "used"),
        ("wkd", "openpgpkey", "used"),
        ("wkd", "wkd", "changed"),
        ("wkd", "signed-mail", "changed"),
        ("openpgpkey", "autocrypt", "changed"),
        ("autocrypt", "autocrypt", "changed"),
        ("smimea", "openpgpkey", "changed"),
        ("openpgpkey", "recipient", "used"),
        ("recipient", "openpgpkey", "changed"),
        ("recipient", "wkd", "changed"),
    ],
)
def test_only_what_is_trusted_more_takes_the_place_of_another(
    cast: Any, told: Any, held: Any, known: str, new: str, said: str
) -> None:
    """The order of standards 3.4; anything else that differs is a person's to decide (BI-072, BI-073)."""
    first, second = pgp_key(known), pgp_key(new)
    found.take(cast.clinic, first)
    told()
    assert found.take(cast.clinic, second) == said
    if said == "used":
        assert states(cast.clinic) == {first.fingerprint: "replaced", second.fingerprint: "in use"}
        assert [e.event.kind for e in told()] == ["keyring.key-superseded", "keyring.key-taken"], "never silently"
        assert held().changed == ()
        assert found.take(cast.clinic, first) == "ignored", "what was put aside stays there"
    else:
        assert states(cast.clinic) == {first.fingerprint: "in use", second.fingerprint: "changed"}
        assert held().changed == (Method.OPENPGP,)


def test_the_same_key_from_a_better_source_is_better_known_and_an_old_copy_takes_nothing_away(cast: Any) -> None:
    one = pgp_key("autocrypt")
    found.take(cast.clinic, one)
    better = Found(BO, "openpgp", "openpgpkey", one.raw, one.fingerprint, one.not_after, vouched=True)
    assert found.take(cast.clinic, better) == "known"
    row = RecipientKey.objects.get()
    assert (row.source, row.state, acts.opened(row).vouched) == ("openpgpkey", "in use", True)
    assert found.take(cast.clinic, one) == "known"
    row.refresh_from_db()
    assert row.source == "openpgpkey"


def test_what_ran_out_gives_way_unless_somebody_vouched_for_it(cast: Any, held: Any) -> None:
    found.take(cast.clinic, smime(days=3))
    pinned = acts.add_key(cast.clinic, BO, openpgp(), actor=cast.ada, reason="known")
    RecipientKey.objects.filter(pk=pinned.pk).update(not_after=clock.now() + DAY)
    now = clock.now()
    clock.set_source(lambda: now + 5 * DAY)
    try:
        assert found.take(cast.clinic, smime("signed-mail")) == "used"
        assert held().smime is Ternary.YES
        assert found.take(cast.clinic, pgp_key("openpgpkey")) == "changed"
    finally:
        clock.set_source(None)


def test_what_is_not_an_offer_is_ignored_and_keys_of_one_person_are_counted(cast: Any, told: Any) -> None:
    """BI-070."""
    one = smime()
    assert found.take(cast.clinic, Found(BO, "smime", "keyserver", one.raw, one.fingerprint)) == "ignored"
    assert found.take(cast.clinic, Found("no address", "smime", "smimea", one.raw, one.fingerprint)) == "ignored"
    assert found.take(cast.clinic, Found(BO, "smime", "smimea", b"x" * (MOST + 1), one.fingerprint)) == "ignored"
    assert not told()
    many = [found.take(cast.clinic, smime("signed-mail")) for _ in range(found.MOST_KEYS + 2)]
    assert many[0] == "new" and set(many[1 : found.MOST_KEYS]) == {"changed"} and many[-1] == "ignored"


def test_a_use_is_noted_for_the_screen_and_only_in_its_organisation(cast: Any) -> None:
    found.take(cast.clinic, smime())
    row = RecipientKey.objects.get()
    found.used(cast.harbour, row.pk, clock.now())
    row.refresh_from_db()
    assert row.used_at == 0
    at = clock.now()
    found.used(cast.clinic, row.pk, at)
    found.used(cast.clinic, row.pk, at - DAY)
    row.refresh_from_db()
    assert row.used_at == at


def test_a_stranger_and_another_organisation_see_nothing_of_it(cast: Any) -> None:
    found.take(cast.clinic, smime())
    row = RecipientKey.objects.get()
    assert not select.keys_of(cast.harbour, cast.hal, BO)
    with pytest.raises(Forbidden):
        acts.pin_key(cast.clinic, row.pk, actor=cast.hal, reason="mine now")
