"""Signatures: what we make holds, whatever is changed is named, and what proves nothing is not believed (BI-074)."""

import hashlib
from typing import Any

import msgspec
import pytest
from asn1crypto import cms
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.crypto.smime import der, oids, signing, verifying
from carepost.crypto.smime.errors import Malformed
from carepost.crypto.smime.signature import SignerInfo
from carepost.crypto.smime.verifying import Signed
from tests.support.smime import NOW, Authority

pytestmark = pytest.mark.fast

CA = Authority()
KINDS = ("rsa-2048", "ec-p256", "ec-p384")
ONES = {kind: CA.issue(kind) for kind in KINDS}
SIGNERS = {kind: signing.Signer(one) for kind, one in ONES.items()}
CONTENT = b"Content-Type: text/plain\r\n\r\nThe canary is well.\r\n"


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_sign_holds(kind: str) -> None:
    found = verifying.read(SIGNERS[kind].sign(CONTENT, NOW))
    (report,) = verifying.check(found, CONTENT)
    assert found.content is None and report.intact and report.signed_at == NOW
    assert report.certificate is not None and report.certificate.fingerprint == ONES[kind].certificate.fingerprint
    assert report.capabilities == {"aes256-gcm", "aes128-gcm", "aes256-cbc", "aes128-cbc"}
    inside = verifying.read(SIGNERS[kind].sign(CONTENT, NOW, detached=False))
    assert inside.content == CONTENT and verifying.check(inside, CONTENT)[0].intact


def test_asn1crypto_reads_it_and_the_attributes_are_in_order() -> None:
    found = cms.ContentInfo.load(SIGNERS["ec-p256"].sign(CONTENT, NOW), strict=True)
    info = found["content"]["signer_infos"][0]
    names = {attribute["type"].dotted.removeprefix("1.2.840.113549.1.9.") for attribute in info["signed_attrs"]}
    assert names == {"3", "4", "5", "15", "16.2.11", "16.2.47"}
    encoded = [attribute.dump() for attribute in info["signed_attrs"]]
    assert encoded == sorted(encoded)


def test_a_year_after_2049_is_a_generalized_time() -> None:
    later = 2_600_000_000_000_000
    (report,) = verifying.check(verifying.read(SIGNERS["ec-p256"].sign(CONTENT, later)), CONTENT)
    assert report.signed_at == later


WHOLE = SIGNERS["ec-p256"].sign(CONTENT, NOW, detached=False)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=len(WHOLE) - 1), st.integers(min_value=1, max_value=255))
def test_any_flipped_byte_is_refused_or_changes_nothing_that_was_signed(at: int, by: int) -> None:
    changed = WHOLE[:at] + bytes((WHOLE[at] ^ by,)) + WHOLE[at + 1 :]
    try:
        found = verifying.read(changed)
        reports = verifying.check(found, found.content or b"")
    except Malformed:
        return
    if reports and all(report.intact for report in reports):
        # what nobody signs: version numbers, the list of digests, and a curve's other name for the same signature
        assert found.content == CONTENT
        assert reports[0].certificate is not None
        assert reports[0].certificate.public_key == ONES["ec-p256"].certificate.public_key


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=len(CONTENT) - 1), st.integers(min_value=1, max_value=255))
def test_any_flipped_byte_of_the_content_is_named(at: int, by: int) -> None:
    changed = CONTENT[:at] + bytes((CONTENT[at] ^ by,)) + CONTENT[at + 1 :]
    assert verifying.check(verifying.read(SIGNERS["ec-p256"].sign(CONTENT, NOW)), changed)[0].faults == (
        "digest-differs",
    )


# Attributes as an attacker, or an old program, might write them, signed by the key itself.


def attribute(oid: bytes, *values: bytes) -> bytes:
    return der.sequence(der.tlv(der.OID, oid), der.set_of(*values))


TYPE = attribute(oids.CONTENT_TYPE, der.tlv(der.OID, oids.DATA))
DIGEST = attribute(oids.MESSAGE_DIGEST, der.tlv(der.OCTETS, hashlib.sha256(CONTENT).digest()))
OTHER = attribute(oids.MESSAGE_DIGEST, der.tlv(der.OCTETS, hashlib.sha256(b"other").digest()))
TIME = attribute(oids.SIGNING_TIME, b"\x17\x0d261121120000Z")


def signed(*attributes: bytes, **more: Any) -> Signed:
    signer = SIGNERS["rsa-2048"]
    raw = der.set_of(*attributes) if attributes else b""
    pairs: list[tuple[bytes, tuple[bytes, ...]]] = []
    for one in attributes:
        inside = der.Cursor(one).enter(der.SEQUENCE)
        oid, values = inside.oid(), inside.enter(der.SET)
        found = []
        while values.more():
            found.append(values.whole())
        pairs.append((oid, tuple(found)))
    info = SignerInfo(
        who=ONES["rsa-2048"].certificate.issuer_and_serial, digest=oids.SHA256, signed=raw, attributes=tuple(pairs),
        algorithm=oids.RSA, parameters=der.NULL, signature=signer._signed(raw or CONTENT),
    )  # fmt: skip
    info = msgspec.structs.replace(info, **{k: v for k, v in more.items() if k != "content_type"})
    return Signed(more.get("content_type", oids.DATA), None, (ONES["rsa-2048"].certificate.der,), (info,))


def faults(made: Signed) -> tuple[str, ...]:
    return verifying.check(made, CONTENT)[0].faults


def test_the_attributes_that_must_be_there() -> None:
    assert faults(signed(TYPE, DIGEST, TIME)) == ()
    assert faults(signed(TYPE, DIGEST)) == ()
    assert faults(signed(DIGEST, TIME)) == ("content-type-differs",)
    assert faults(signed(TYPE, TIME)) == ("no-message-digest",)
    assert faults(signed(TYPE, OTHER)) == ("digest-differs",)


def test_a_signature_without_attributes_is_not_believed() -> None:
    """One over attributes could be passed off as one over content, and the reverse."""
    assert faults(signed()) == ("no-signed-attributes",)


def test_an_attribute_stands_once_with_one_value() -> None:
    assert "duplicate-attribute" in faults(signed(TYPE, OTHER, DIGEST))
    assert "duplicate-attribute" in faults(signed(TYPE, DIGEST, DIGEST))
    both = attribute(
        oids.MESSAGE_DIGEST, der.tlv(der.OCTETS, hashlib.sha256(CONTENT).digest()), der.tlv(der.OCTETS, bytes(32))
    )
    assert "duplicate-attribute" in faults(signed(TYPE, both))
    assert "duplicate-attribute" in faults(signed(TYPE, DIGEST, attribute(oids.SIGNING_TIME)))


@pytest.mark.parametrize("weak", sorted(oids.WEAK_DIGESTS))
def test_weak_digests_prove_nothing(weak: bytes) -> None:
    assert faults(signed(TYPE, DIGEST, digest=weak)) == ("weak-digest",)


@pytest.mark.parametrize("weak", sorted(oids.WEAK_SIGNATURES))
def test_weak_signature_algorithms_prove_nothing(weak: bytes) -> None:
    assert "weak-digest" in faults(signed(TYPE, DIGEST, algorithm=weak))


def test_other_faults_by_name() -> None:
    assert faults(signed(TYPE, DIGEST, digest=der.oid("1.2.643.7.1.1.2.2"))) == ("unsupported-digest",)
    assert faults(signed(TYPE, DIGEST, algorithm=der.oid("1.2.840.113549.1.1.13"))) == ("algorithms-differ",)
    assert faults(signed(TYPE, DIGEST, algorithm=der.oid("1.2.3.4"))) == ("unsupported-signature",)
    assert faults(signed(TYPE, DIGEST, signature=bytes(256))) == ("signature-wrong",)
    assert faults(signed(TYPE, DIGEST, who=b"\x01")) == ("no-certificate",)
    assert "wrong-content-type" in faults(signed(TYPE, DIGEST, content_type=oids.ENVELOPED_DATA))
    assert faults(signed(TYPE, DIGEST, attribute(oids.SIGNING_TIME, b"\x17\x0d261321120000Z"))) == ("signing-time",)
    reference = attribute(
        oids.SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(der.sequence(der.tlv(der.OCTETS, bytes(32)))))
    )
    assert faults(signed(TYPE, DIGEST, reference)) == ("wrong-certificate",)
    assert faults(signed(TYPE, DIGEST, attribute(oids.SIGNING_CERTIFICATE_V2, der.NULL))) == ("wrong-certificate",)


def test_a_weak_key_proves_nothing() -> None:
    weak = CA.issue("rsa-1024")
    made = verifying.read(signing.Signer(weak).sign(CONTENT, NOW))
    assert "weak-key" in verifying.check(made, CONTENT)[0].faults


def test_nobody_signed() -> None:
    assert verifying.check(Signed(oids.DATA, None, (), ()), CONTENT) == ()
