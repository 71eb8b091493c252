"""A certificate that the same authority renewed: what counts as one, and accepting it in one act."""

import uuid
from typing import Any

import pytest

from carepost.crypto.smime.identity import Identity
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.keyring import acts, found, looking, renewal, select
from carepost.keyring.models import RecipientKey
from carepost.policy.types import Ternary
from carepost.tenancy.permissions import Forbidden
from carepost.wire.found import Found
from tests.rooms.keyring.test_recipient_keys import BO, held
from tests.support.smime import Authority

__all__ = ["held"]

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

DAY = 86_400_000_000


def authority(name: str = "Invented Partner CA") -> Authority:
    now = clock.now()
    return Authority(name, start=now - 900 * DAY, end=now + 900 * DAY)


def issue(by: Authority, *, days: int, since: int = 100, **more: Any) -> Identity:
    now = clock.now()
    return by.issue("ec-p256", more.pop("address", BO), start=now - since * DAY, end=now + days * DAY, **more)


def published(one: Identity, *chain: bytes, source: str = "smimea", address: str = BO) -> Found:
    known = one.certificate
    return Found(address, "smime", source, known.der, known.fingerprint, known.not_after, chain, vouched=True)


def row_of(one: Identity) -> RecipientKey:
    return next(r for r in RecipientKey.objects.all() if acts.opened(r).fingerprint == one.certificate.fingerprint)


@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "found"])
def test_the_renewed_certificate_holds_the_mail_until_it_is_accepted_in_one_act(
    cast: Any, told: Any, held: Any, pinned: bool
) -> None:
    """BI-072: never by itself; the pin goes over to it."""
    ca = authority()
    old, new = issue(ca, days=9), issue(ca, days=400, since=1, number=1)
    found.take(cast.clinic, published(old, ca.der))
    if pinned:
        acts.pin_key(cast.clinic, row_of(old).pk, actor=cast.ada, reason="read to me")
    assert found.take(cast.clinic, published(new, ca.der)) == "changed"
    assert held().changed, "mail waits"
    shown = {one.fingerprint: one.renews for one in select.beside(cast.clinic, cast.ada, row_of(new).pk)}
    assert shown == {old.certificate.fingerprint: False, new.certificate.fingerprint: True}
    told()
    renewal.accept(cast.clinic, row_of(new).pk, actor=cast.ada)
    (event,) = told()
    assert event.event.kind == "keyring.key-renewed"
    assert event.event.on == [str(row_of(old).pk), str(row_of(new).pk)]
    assert event.event.facts == {"method": "smime", "source": "smimea", "state": "in use"}
    assert (row_of(old).state, row_of(new).state, row_of(new).pinned) == ("replaced", "in use", pinned)
    assert (held().smime, held().changed) == (Ternary.YES, ())


def cases() -> dict[str, Any]:
    ca, other = authority(), authority()
    old = issue(ca, days=9)
    return {
        "another-authority-of-its-name": (ca, old, published(issue(other, days=400, number=1), other.der)),
        "another-owner": (ca, old, published(issue(ca, days=400, number=1, name="Somebody Else"), ca.der)),
        "another-address-too": (
            ca, old, published(issue(ca, days=400, number=1, address=f"{BO},eve@partner.test"), ca.der)
        ),
        "no-longer-valid": (ca, old, published(issue(ca, days=8, number=1), ca.der)),
        "older": (ca, old, published(issue(ca, days=400, since=300, number=1), ca.der)),
    }  # fmt: skip


@pytest.mark.parametrize("case", list(cases()))
def test_what_is_no_renewal_is_left_to_a_person(cast: Any, told: Any, case: str) -> None:
    ca, old, new = cases()[case]
    found.take(cast.clinic, published(old, ca.der))
    assert found.take(cast.clinic, new) == "changed"
    told()
    (row,) = RecipientKey.objects.filter(state="changed")
    assert not any(one.renews for one in select.beside(cast.clinic, cast.ada, row.pk))
    with pytest.raises(Refused, match="telephone"):
        renewal.accept(cast.clinic, row.pk, actor=cast.ada)
    assert [e.event.kind for e in told()] == ["keyring.keys-viewed"]
    assert RecipientKey.objects.get(pk=row.pk).state == "changed"


def test_an_issuer_that_came_with_the_new_one_alone_proves_nothing_but_one_that_is_believed_does(cast: Any) -> None:
    ca = authority()
    old, new = issue(ca, days=9), issue(ca, days=400, since=1, number=1)
    found.take(cast.clinic, published(old))
    found.take(cast.clinic, published(new, ca.der))
    with pytest.raises(Refused):
        renewal.accept(cast.clinic, row_of(new).pk, actor=cast.ada)
    looking.believe(cast.clinic, ca.der, actor=cast.ada, reason="our partner's own")
    renewal.accept(cast.clinic, row_of(new).pk, actor=cast.ada, reason="told by telephone")
    assert row_of(new).state == "in use"


def test_one_in_use_a_stranger_and_another_organisation(cast: Any) -> None:
    ca = authority()
    old, new = issue(ca, days=9), issue(ca, days=400, since=1, number=1)
    found.take(cast.clinic, published(old, ca.der))
    with pytest.raises(Refused):
        renewal.accept(cast.clinic, row_of(old).pk, actor=cast.ada)
    found.take(cast.clinic, published(new, ca.der))
    pk = row_of(new).pk
    for nobody in (cast.olga, cast.hal):
        with pytest.raises(Forbidden):
            renewal.accept(cast.clinic, pk, actor=nobody)
    with pytest.raises(NotFound):
        renewal.accept(cast.clinic, uuid.uuid4(), actor=cast.ada)
