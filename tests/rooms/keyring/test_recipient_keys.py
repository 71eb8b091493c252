"""Certificates of recipients: handed in, pinned, distrusted, imported; what the engine sees of them, and who may."""

import uuid
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.db import connection

from carepost.crypto.openpgp import keys as pgp
from carepost.crypto.smime import identity
from carepost.directory import Directory
from carepost.directory.recipients import VIEW, SqlCertificates
from carepost.directory.sql import COLUMNS, LAZY
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.ground.orgkeys import OrgKeys
from carepost.intake.addresses import Tokens
from carepost.intake.keys import NONE, Keys
from carepost.keyring import acts, select
from carepost.keyring.models import RecipientKey
from carepost.policy.types import Method, Ternary
from carepost.tenancy.permissions import Forbidden
from tests.rooms.tenancy.test_engine_views import connecting, source

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

BO = "bo@partner.test"


def smime(address: str = BO, *, days: int = 365) -> bytes:
    made = identity.self_signed(identity.generate("ec-p256"), address, clock.now() - 86_400_000_000, days=days)
    return x509.load_der_x509_certificate(made.certificate.der).public_bytes(Encoding.PEM)


def openpgp(address: str = BO) -> bytes:
    return pgp.armored(pgp.generate([("Bo Sample", address)]).certificate)


def certificates() -> SqlCertificates:
    connect, begin, placeholder = connecting()
    return SqlCertificates(connect, begin=begin, placeholder=placeholder)


@pytest.fixture
def held(cast: Any) -> Any:
    """What the engine would know of an address."""
    directory = Directory(source(settings.CAREPOST_KEYS))
    keys = Keys(Tokens(OrgKeys(settings.CAREPOST_KEYS)))

    def look(address: str = BO, org: uuid.UUID | None = None) -> Any:
        directory.poll()
        return keys.look(directory.snapshot((org or cast.clinic).bytes), address)

    yield look
    directory.stop()


def test_a_certificate_handed_in_is_pinned_on_record_and_used_from_then_on(
    cast: Any, told: Any, epoch: Any, held: Any
) -> None:
    before = epoch(cast.clinic)
    assert held() == NONE
    row = acts.add_key(cast.clinic, " Bo@Partner.test", smime(), actor=cast.ada, reason="read to me by telephone")
    assert (row.method, row.state, row.pinned) == ("smime", "in use", True)
    (event,) = told()
    assert event.event.kind == "keyring.key-added"
    assert event.event.facts == {"method": "smime", "source": "administrator", "state": "in use"}
    assert event.personal["reason"] == "read to me by telephone"
    assert "partner.test" not in str(event.event), "addresses are sealed"
    assert epoch(cast.clinic) == before + 1
    assert held() == (Ternary.YES, Ternary.NO, (Method.SMIME,), ())
    assert held("someone@partner.test") == NONE
    assert held(org=cast.harbour) == NONE, "another organisation knows nothing of it"
    assert b"partner.test" not in bytes(row.sealed) + bytes(row.token) + bytes(row.mark)


def test_both_methods_stand_side_by_side_and_a_new_certificate_replaces_its_own_kind(cast: Any, held: Any) -> None:
    first = acts.add_key(cast.clinic, BO, smime(), actor=cast.ada, reason="first")
    acts.add_key(cast.clinic, BO, openpgp(), actor=cast.ada, reason="also")
    assert held() == (Ternary.YES, Ternary.YES, (Method.OPENPGP, Method.SMIME), ())
    second = acts.add_key(cast.clinic, BO, smime(), actor=cast.ada, reason="renewed")
    first.refresh_from_db()
    assert (first.state, second.state) == ("replaced", "in use")
    shown = select.keys_of(cast.clinic, cast.ada, BO)
    assert [(key.method, key.state) for key in shown] == [
        ("smime", "in use"), ("openpgp", "in use"), ("smime", "replaced"),
    ]  # fmt: skip
    assert {key.address for key in shown} == {BO}


def test_what_is_distrusted_is_never_used_again_and_not_pinned_by_mistake(cast: Any, held: Any, told: Any) -> None:
    row = acts.add_key(cast.clinic, BO, openpgp(), actor=cast.ada, reason="from the web")
    told()
    acts.distrust_key(cast.clinic, row.pk, actor=cast.ada, reason="stolen laptop")
    (event,) = told()
    assert event.event.kind == "keyring.key-distrusted"
    assert event.personal["reason"] == "stolen laptop"
    assert held() == NONE
    with pytest.raises(Refused) as refused:
        acts.pin_key(cast.clinic, row.pk, actor=cast.ada, reason="oops")
    assert refused.value.code == "key-distrusted"


def test_a_changed_certificate_is_a_fact_that_holds_until_somebody_pins_one(cast: Any, held: Any) -> None:
    """BI-072: another key for a recipient whose key is pinned is never used."""
    old = acts.add_key(cast.clinic, BO, smime(), actor=cast.ada, reason="known")
    other = acts.add_key(cast.clinic, BO, smime(), actor=cast.ada, reason="stands in for one that was found")
    RecipientKey.objects.filter(pk=other.pk).update(state="changed", pinned=False)
    acts.pin_key(cast.clinic, old.pk, actor=cast.ada, reason="the old one holds")
    RecipientKey.objects.filter(pk=other.pk).update(state="changed")
    from carepost.tenancy.models import OrgEpoch

    OrgEpoch.objects.filter(org=cast.clinic).update(epoch=99)
    assert held().changed == (Method.SMIME,)
    acts.pin_key(cast.clinic, other.pk, actor=cast.ada, reason="asked by telephone: it is theirs")
    assert held() == (Ternary.YES, Ternary.NO, (Method.SMIME,), ())
    old.refresh_from_db()
    assert old.state == "replaced"


def test_what_has_run_out_counts_as_no_key(cast: Any, held: Any) -> None:
    acts.add_key(cast.clinic, BO, smime(days=3), actor=cast.ada, reason="short")
    assert held().smime is Ternary.YES
    now = clock.now()
    clock.set_source(lambda: now + 5 * 86_400_000_000)
    try:
        assert held().smime is Ternary.NO
    finally:
        clock.set_source(None)


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"hello", "no-certificate", "no certificate"),
        (smime("eve@elsewhere.test"), "key-not-usable", "made for another address"),
        (openpgp("eve@elsewhere.test"), "key-not-usable", "not for this address"),
        (pgp.export(pgp.generate([("Bo", BO)])), "private-key", "its owner must replace the key"),
        (b"x" * 600_000, "key-too-large", "512 KB"),
    ],
    ids=["no certificate", "another's S/MIME", "another's OpenPGP", "a private key", "too large"],
)
def test_bi_071_what_cannot_be_used_is_refused_with_the_reason(cast: Any, data: bytes, code: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        acts.add_key(cast.clinic, BO, data, actor=cast.ada, reason="try")
    assert refused.value.code == code
    assert words in refused.value.public
    assert "partner.test" not in str(refused.value)
    assert not RecipientKey.objects.exists()


def test_an_import_is_tried_first_and_one_bad_line_stops_no_other(cast: Any, told: Any) -> None:
    lines = [(BO, smime()), ("cy@partner.test", b"nothing"), ("di@partner.test", openpgp("di@partner.test"))]
    tried = acts.import_keys(cast.clinic, lines, actor=cast.ada, reason="yearly", dry_run=True)
    assert [(one.address, one.done) for one in tried] == [
        (BO, "added"), ("cy@partner.test", "refused"), ("di@partner.test", "added"),
    ]  # fmt: skip
    assert not RecipientKey.objects.exists()
    assert told() == []
    done = acts.import_keys(cast.clinic, lines, actor=cast.ada, reason="yearly", dry_run=False)
    assert [one.done for one in done] == ["added", "refused", "added"]
    assert "no certificate" in done[1].why
    again = acts.import_keys(cast.clinic, lines, actor=cast.ada, reason="yearly", dry_run=False)
    assert [one.done for one in again] == ["known", "refused", "known"]
    assert RecipientKey.objects.count() == 2


@pytest.mark.parametrize("who", ["olga", "stan", "hal"])
def test_only_administrators_of_the_organisation_touch_or_see_them(cast: Any, who: str) -> None:
    row = acts.add_key(cast.clinic, BO, smime(), actor=cast.ada, reason="known")
    actor = getattr(cast, who)
    for attempt in (
        lambda: acts.add_key(cast.clinic, BO, smime(), actor=actor, reason="mine"),
        lambda: acts.distrust_key(cast.clinic, row.pk, actor=actor, reason="mine"),
        lambda: acts.pin_key(cast.clinic, row.pk, actor=actor, reason="mine"),
        lambda: acts.import_keys(cast.clinic, [(BO, smime())], actor=actor, reason="mine", dry_run=False),
        lambda: select.keys_of(cast.clinic, actor, BO),
        lambda: select.listing(cast.clinic, actor),
    ):
        with pytest.raises((Forbidden, NotFound)):
            attempt()
    with pytest.raises(NotFound):
        acts.distrust_key(cast.harbour, row.pk, actor=cast.hal, reason="not theirs")
    row.refresh_from_db()
    assert row.state == "in use"
    assert select.listing(cast.harbour, cast.hal).keys == ()


def test_a_list_comes_in_pages_newest_first(cast: Any, told: Any) -> None:
    for number in range(5):
        address = f"p{number}@partner.test"
        acts.add_key(cast.clinic, address, smime(address), actor=cast.ada, reason="known")
    told()
    first = select.listing(cast.clinic, cast.ada, limit=3)
    rest = select.listing(cast.clinic, cast.ada, after=first.cursor, limit=3)
    assert [key.address.partition("@")[0] for key in (*first.keys, *rest.keys)] == ["p4", "p3", "p2", "p1", "p0"]
    assert rest.cursor == ""
    assert [event.event.kind for event in told()] == ["keyring.keys-listed"] * 2
    with pytest.raises(NotFound):
        select.listing(cast.clinic, cast.ada, after="page-2")


def test_an_import_says_what_it_replaces_and_takes_back_nothing_distrusted(cast: Any) -> None:
    old = acts.add_key(cast.clinic, BO, smime(), actor=cast.ada, reason="known")
    bad = openpgp("cy@partner.test")
    row = acts.add_key(cast.clinic, "cy@partner.test", bad, actor=cast.ada, reason="known")
    acts.distrust_key(cast.clinic, row.pk, actor=cast.ada, reason="stolen laptop")
    lines = [(BO, smime()), ("cy@partner.test", bad)]
    for dry_run in (True, False):
        told = acts.import_keys(cast.clinic, lines, actor=cast.ada, reason="yearly", dry_run=dry_run)
        assert [(one.done, one.method) for one in told] == [("replaces", "smime"), ("refused", "openpgp")]
        assert "distrusted" in told[1].why
    row.refresh_from_db()
    old.refresh_from_db()
    assert (row.state, old.state) == ("distrusted", "replaced")


def test_a_dry_run_too_is_for_those_who_may(cast: Any) -> None:
    with pytest.raises(Forbidden):
        acts.import_keys(cast.clinic, [(BO, smime())], actor=cast.olga, reason="curious", dry_run=True)


def test_those_that_need_somebody_are_counted_and_listed_alike(cast: Any) -> None:
    acts.add_key(cast.clinic, BO, smime(), actor=cast.ada, reason="known")
    soon = acts.add_key(cast.clinic, "cy@partner.test", smime("cy@partner.test", days=20), actor=cast.ada, reason="k")
    changed = acts.add_key(cast.clinic, "di@partner.test", openpgp("di@partner.test"), actor=cast.ada, reason="k")
    RecipientKey.objects.filter(pk=changed.pk).update(state="changed")
    listed = select.listing(cast.clinic, cast.ada, attention=True).keys
    assert {key.id for key in listed} == {str(soon.pk), str(changed.pk)}
    assert (select.attention(cast.clinic), select.attention(cast.harbour)) == (2, 0)


def test_the_certificate_itself_is_fetched_when_it_is_used(cast: Any, held: Any) -> None:
    """All of them in every engine at each epoch would be hundreds of megabytes; a snapshot says who has one."""
    row = acts.add_key(cast.clinic, BO, smime(), actor=cast.ada, reason="known")
    directory, kept = Directory(source(settings.CAREPOST_KEYS)), certificates()
    try:
        directory.poll()
        snapshot = directory.snapshot(cast.clinic.bytes)
        key = Keys(Tokens(OrgKeys(settings.CAREPOST_KEYS))).find(snapshot, BO, Method.SMIME)
        assert key is not None and key.id == str(row.pk) and key.pinned
        assert kept.find(cast.clinic.bytes, key) == bytes(row.sealed)
        with pytest.raises(NotFound):
            kept.find(cast.harbour.bytes, key)
        acts.distrust_key(cast.clinic, row.pk, actor=cast.ada, reason="stolen laptop")
        with pytest.raises(NotFound):
            kept.find(cast.clinic.bytes, key)
    finally:
        directory.stop()
        kept.close()


def test_an_engine_reads_who_has_a_certificate_from_an_index_alone(cast: Any) -> None:
    """100,000 certificates take 200 MB: to pass over them at every change would take an engine seconds."""
    if connection.vendor != "sqlite":
        return
    names = ", ".join(n for n in COLUMNS[VIEW] if (VIEW, n) not in LAZY)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN SELECT {names} FROM {VIEW} WHERE org = %s", [cast.clinic.hex])
        plan = " ".join(row[-1] for row in cursor.fetchall())
    assert "COVERING INDEX keyring_recipientkey_engine" in plan
