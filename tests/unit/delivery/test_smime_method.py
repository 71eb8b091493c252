"""One recipient's copy by S/MIME: encrypted to a certificate that may be used now, DKIM last, or not at all."""

import dkim as peer
import pytest

from carepost.crypto import dkim
from carepost.crypto.smime import opening
from carepost.crypto.smime.signing import Signer
from carepost.crypto.smime.usable import Trust
from carepost.delivery.methods import smime
from carepost.delivery.methods.smime import Key, Sealer
from carepost.delivery.methods.tls import Preparer, Unready
from carepost.delivery.outcome import REASONS
from carepost.directory.types import DkimKey, OrgSnapshot, SenderDomain
from carepost.ground import clock
from carepost.ground.keys import PurposeKeys
from carepost.policy.types import Assurance, Method
from carepost.rfc import message as rfc_message
from tests.support.smime import ADDRESS, DAY, MESSAGE, NOW, Authority

pytestmark = pytest.mark.fast

ORG = b"willow-clinic-00"
PAT_ADDRESS = "pat@home.test"
KEYS = PurposeKeys.ephemeral()
CA = Authority()
TRUST = CA.trust()
PAT, NURSE = CA.issue("rsa-2048", PAT_ADDRESS), CA.issue("ec-p256", ADDRESS)
PRIVATE, RECORD = dkim.generate(dkim.ED25519)
WRAPPED = KEYS.wrap("dkim", PRIVATE, b"dkim|" + ORG + b"|clinic.test|e")
SNAPSHOT = OrgSnapshot(
    id=ORG, name="W", epoch=1, policy_version="1", notice_name="W", phone="", auditor="", portal_url="",
    portal_address="", floor=Assurance.VERIFIED, patience=1, rules=(), routes=(), keys={},
    domains=(SenderDomain("clinic.test", (DkimKey("e", dkim.ED25519, WRAPPED),)),),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _time() -> object:
    clock.set_source(lambda: NOW)
    yield
    clock.set_source(None)


def prepared(
    key: Key | None = None, trust: Trust = TRUST, sealer: Sealer | None = None, delivery: bytes = b"d", **more: object
) -> bytes:
    found = sealer or Sealer(Preparer(KEYS))
    how = {
        "address": PAT_ADDRESS,
        "key": key or Key(PAT.certificate.der),
        "trust": trust,
        "header_from": ADDRESS,
        **more,
    }
    return found.prepare(delivery, MESSAGE, SNAPSHOT, **how).data  # type: ignore[arg-type]


def test_it_is_encrypted_signed_and_dkim_comes_last() -> None:
    made = prepared(signer=Signer(NURSE))
    assert made.startswith(b"DKIM-Signature: ") and made.endswith(b"\r\n") and made.isascii()
    assert peer.verify(made, dnsfunc=lambda *_, **__: RECORD.encode())
    found = opening.open_(made, [PAT], TRUST, NOW)
    assert found.verdict.valid and found.layers == ("cbc", "signed")
    assert rfc_message.read(found.message).subject == "Canary results"
    assert b"canary" not in made.lower()


def test_nobody_but_its_recipient_is_named_in_it() -> None:
    """Standards 3.4: one that is for many, blind ones among them, is made for each alone."""
    sealer = Sealer(Preparer(KEYS))
    blind = CA.issue("rsa-2048", "blind@home.test")
    for one, address in ((PAT, PAT_ADDRESS), (blind, "blind@home.test"), (PAT, PAT_ADDRESS)):
        made = prepared(Key(one.certificate.der), sealer=sealer, address=address, signer=Signer(NURSE))
        assert opening.recipients(made) == (one.certificate.issuer_and_serial,)


def test_what_tls_sent_of_the_same_message_is_never_taken_for_it() -> None:
    preparer = Preparer(KEYS)
    clear = preparer.prepare(b"d", MESSAGE, SNAPSHOT, header_from=ADDRESS)
    sealer = Sealer(preparer)
    first, second = prepared(sealer=sealer), prepared(sealer=sealer)
    assert b"canary" in clear.data and b"canary" not in first + second and first != second
    assert preparer.prepare(b"d", MESSAGE, SNAPSHOT, header_from=ADDRESS) is clear


def test_gcm_for_those_who_said_in_a_signed_message_that_they_read_it() -> None:
    made = prepared(Key(PAT.certificate.der, capabilities=frozenset({"aes256-gcm"})))
    assert opening.open_(made, [PAT], TRUST, NOW).layers == ("gcm",)


@pytest.mark.parametrize(
    ("key", "trust"),
    [
        (Key(CA.issue("rsa-2048", "other@home.test").certificate.der), TRUST),
        (Key(CA.issue("rsa-2048", PAT_ADDRESS, end=NOW - DAY).certificate.der), TRUST),
        (Key(CA.issue("rsa-1024", PAT_ADDRESS).certificate.der), TRUST),
        (Key(CA.issue("rsa-2048", PAT_ADDRESS, usage=("digital_signature",)).certificate.der), TRUST),
        (Key(Authority("Another CA").issue("rsa-2048", PAT_ADDRESS).certificate.der), TRUST),
        (Key(PAT.certificate.der), CA.trust(CA.crl(PAT))),
    ],
    ids=["address", "expired", "weak", "key usage", "stranger", "revoked"],
)
def test_bi_071_a_certificate_that_may_not_be_used_sends_nothing(key: Key, trust: Trust) -> None:
    with pytest.raises(Unready) as caught:
        prepared(key, trust)
    assert str(caught.value) == smime.UNUSABLE and smime.UNUSABLE in REASONS
    assert smime.reasons(key, PAT_ADDRESS, NOW, trust)
    assert not smime.reasons(Key(PAT.certificate.der), PAT_ADDRESS, NOW, TRUST)


def test_bi_071_unknown_revocation_has_a_reason_of_its_own_and_only_where_nothing_else_stands_against_it() -> None:
    unknown = CA.trust(b"no list")
    with pytest.raises(Unready) as caught:
        prepared(Key(PAT.certificate.der), unknown)
    assert str(caught.value) == smime.UNCHECKED and smime.UNCHECKED in REASONS
    with pytest.raises(Unready) as caught:
        prepared(Key(CA.issue("rsa-2048", PAT_ADDRESS, usage=("digital_signature",)).certificate.der), unknown)
    assert str(caught.value) == smime.UNUSABLE


def test_a_certificate_that_cannot_be_read_is_no_reason_to_send_in_clear() -> None:
    with pytest.raises(Unready):
        prepared(Key(b"no certificate"))
    assert smime.reasons(Key(b"no certificate"), PAT_ADDRESS, NOW, TRUST) == ("certificate",)


def test_a_judgement_does_not_outlive_the_certificate_or_a_revocation() -> None:
    sealer, soon = Sealer(Preparer(KEYS)), CA.issue("rsa-2048", PAT_ADDRESS, end=NOW + 10_000_000)
    prepared(Key(soon.certificate.der), sealer=sealer)
    with pytest.raises(Unready):
        prepared(Key(soon.certificate.der), CA.trust(CA.crl(soon)), sealer=sealer)
    prepared(Key(soon.certificate.der), sealer=sealer)
    clock.set_source(lambda: NOW + 20_000_000)
    with pytest.raises(Unready):
        prepared(Key(soon.certificate.der), sealer=sealer)


def test_the_sealed_value_names_its_method() -> None:
    ready = Sealer(Preparer(KEYS)).prepare(
        b"d", MESSAGE, SNAPSHOT, address=PAT_ADDRESS, key=Key(PAT.certificate.der), trust=TRUST
    )
    made = smime.seal(ready, floor=0, sender=ADDRESS, recipient=PAT_ADDRESS, utf8=False)
    assert (made.method, made.floor, made.eightbit) == (Method.SMIME.value, 0, False)
    with pytest.raises(Unready):
        smime.seal(ready, floor=0, sender=ADDRESS, recipient="a\r\nb", utf8=False)
