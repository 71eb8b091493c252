"""Certificates: the facts, and the table of which may be used for what (BI-070, BI-071; standards 3.4, RFC 8550)."""

from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from carepost.crypto.smime import certificate, identity, preference, usable, verifying
from carepost.crypto.smime.envelope import Recipient
from carepost.crypto.smime.errors import BadCertificate, CannotSeal
from carepost.crypto.smime.identity import Identity
from carepost.crypto.smime.signing import Signer
from tests.support.smime import ADDRESS, DAY, NOW, Authority, openssl

pytestmark = pytest.mark.fast

CA = Authority()
STRANGER = Authority("Another CA")
TRUST = CA.trust()


def test_the_facts_of_a_certificate() -> None:
    one = CA.issue(
        "rsa-2048", "Nurse@Clinic.test,desk@clinic.test", gcm=True, crl_urls=("http://ca.test/1.crl",)
    ).certificate
    assert one.addresses == {"nurse@clinic.test", "desk@clinic.test"}
    assert (one.key, one.faults, one.authority, one.self_issued) == ("rsa-2048", (), False, False)
    assert one.key_usage == {"digital_signature", "key_encipherment"}
    assert one.extended_usage == {usable.EMAIL_PROTECTION}
    assert one.capabilities == {"aes256-gcm", "aes128-gcm", "aes256-cbc", "aes128-cbc"}
    assert one.crl_urls == ("http://ca.test/1.crl",)
    assert (one.not_before, one.not_after) == (NOW - 10 * DAY, NOW + 300 * DAY)
    assert len(one.fingerprint) == 64
    assert certificate.parse(one.pem()).der == one.der
    assert "nurse" not in repr(one).lower()


def test_an_address_in_the_subject_alone_is_no_address() -> None:
    """A common name is text (RFC 8550 3)."""
    one = CA.issue(address="", name=ADDRESS)
    assert one.certificate.addresses == frozenset()
    assert usable.for_encryption(one.certificate, ADDRESS, NOW, TRUST).reasons == ("no-address",)


def test_a_utf8_address_is_read_from_its_own_name_form() -> None:
    """RFC 9598: SmtpUTF8Mailbox."""
    value = "\u7537@clinic.test".encode()
    other = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.9"), bytes((0x0C, len(value))) + value)
    found = certificate._addresses(x509.SubjectAlternativeName([other]))
    assert found == {"\u7537@clinic.test"}


@pytest.mark.parametrize(
    "text", ["nurse@clinic.test\0@evil.test", "a b@clinic.test", "@clinic.test", "*@clinic.test.", "x"]
)
def test_bi_038_a_name_that_is_no_address_names_nobody(text: str) -> None:
    assert certificate.normal(text) == ""


# what is wrong with it, and the reason that must be given; the first row is right
MATRIX: list[tuple[str, dict[str, Any], str]] = [
    ("as it should be", {}, ""),
    ("an RSA one", {"kind": "rsa-2048"}, ""),
    ("P-384", {"kind": "ec-p384"}, ""),
    ("no key usage said", {"usage": None}, ""),
    ("no extended usage said", {"purpose": None}, ""),
    ("any extended usage", {"purpose": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}, ""),
    ("of another address", {"address": "doctor@clinic.test"}, "wrong-address"),
    ("of another domain", {"address": "nurse@clinic.test.evil.test"}, "wrong-address"),
    ("of no address", {"address": ""}, "no-address"),
    ("expired", {"start": NOW - 20 * DAY, "end": NOW - DAY}, "expired"),
    ("not yet valid", {"start": NOW + DAY}, "not-yet-valid"),
    ("EC without keyAgreement", {"usage": ("digital_signature",)}, "key-usage"),
    ("RSA without keyEncipherment", {"kind": "rsa-2048", "usage": ("digital_signature",)}, "key-usage"),
    ("RSA with keyAgreement only", {"kind": "rsa-2048", "usage": ("key_agreement",)}, "key-usage"),
    ("EC for those who encrypt to it", {"usage": ("key_agreement", "encipher_only")}, ""),
    ("EC of a sender's fixed key", {"usage": ("key_agreement", "decipher_only")}, "key-usage"),
    ("P-384 of a sender's fixed key", {"kind": "ec-p384", "usage": ("key_agreement", "decipher_only")}, "key-usage"),
    ("EC with both at once", {"usage": ("key_agreement", "encipher_only", "decipher_only")}, "key-usage"),
    # they narrow an agreement, and an RSA key is transported to
    (
        "RSA, its agreement narrowed",
        {"kind": "rsa-2048", "usage": ("key_encipherment", "key_agreement", "decipher_only")},
        "",
    ),
    ("for servers", {"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, "extended-usage"),
    ("RSA-1024", {"kind": "rsa-1024"}, "weak-key"),
    ("an authority", {"ca": True}, "authority"),
    ("with a critical extension nobody knows", {"unknown_critical": True}, "unknown-critical-extension"),
]


@pytest.mark.parametrize(("_what", "more", "reason"), MATRIX, ids=[row[0] for row in MATRIX])
def test_bi_071_which_certificate_is_encrypted_to(_what: str, more: dict[str, Any], reason: str) -> None:
    found = usable.for_encryption(CA.issue(**more).certificate, ADDRESS, NOW, TRUST)
    if reason:
        assert reason in found.reasons and not found.usable
    else:
        assert found.usable and found.revocation == "good"


def made_by_openssl(folder: Path, key_usage: str) -> bytes:
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
        "-keyout", folder / "key.pem", "-out", folder / "made.pem", "-subj", "/CN=Nurse Example",
        "-addext", f"subjectAltName=email:{ADDRESS}", "-addext", f"keyUsage=critical,{key_usage}",
    )  # fmt: skip
    return (folder / "made.pem").read_bytes()


@pytest.mark.parametrize(
    ("key_usage", "receives"), [("keyAgreement,encipherOnly", True), ("keyAgreement,decipherOnly", False)]
)
def test_bi_071_narrowed_agreement_as_openssl_writes_it(tmp_path: Path, key_usage: str, receives: bool) -> None:
    found = certificate.parse(made_by_openssl(tmp_path, key_usage))
    assert found.receives is receives
    assert ("key-usage" in usable.for_encryption(found, ADDRESS, NOW, TRUST).reasons) is not receives


def test_bi_071_narrowing_without_an_agreement_has_no_meaning_and_is_not_believed(tmp_path: Path) -> None:
    with pytest.raises(BadCertificate):
        certificate.parse(made_by_openssl(tmp_path, "digitalSignature,decipherOnly"))


def test_bi_071_sha1() -> None:
    """No library signs with SHA-1 any more: the algorithm's name is changed in a certificate that was made."""
    parsed = asn1.Certificate.load(CA.issue().certificate.der)
    parsed["tbs_certificate"]["signature"]["algorithm"] = "sha1_ecdsa"
    parsed["signature_algorithm"]["algorithm"] = "sha1_ecdsa"
    weak = certificate.parse(bytes(parsed.dump(force=True)))
    assert "weak-signature" in usable.for_encryption(weak, ADDRESS, NOW, TRUST).reasons


def pss_alone() -> tuple[Identity, usable.Trust]:
    """A certificate whose RSA key is for PSS alone (RFC 4055 1.2), vouched for by hand: its name of the key's kind is
    changed in one that was made, which its issuer's signature no longer fits."""
    one = CA.issue("rsa-2048")
    parsed = asn1.Certificate.load(one.certificate.der)
    parsed["tbs_certificate"]["subject_public_key_info"]["algorithm"] = {"algorithm": "rsassa_pss"}
    changed = certificate.parse(bytes(parsed.dump(force=True)))
    pinned = usable.Trust(TRUST.store, pinned=frozenset({changed.fingerprint}))
    return Identity(changed, one.key), pinned


def test_bi_071_an_rsa_key_for_pss_alone_signs_and_is_never_encrypted_to() -> None:
    one, pinned = pss_alone()
    assert one.certificate.key == "rsa-pss-2048"
    assert usable.for_encryption(one.certificate, ADDRESS, NOW, pinned).reasons == ("unsupported-key",)
    assert usable.for_signature(one.certificate, ADDRESS, NOW, pinned).usable
    assert not preference.encrypts(one.certificate)
    with pytest.raises(CannotSeal):
        Recipient(one.certificate)
    with pytest.raises(BadCertificate) as refused:
        identity.load(identity.private_bytes(one.key), one.certificate.der)
    assert refused.value.code == "key-kind"
    # a signature of the other kind by such a key is none of its owner's program
    raw = Signer(one).sign(b"text\r\n", NOW, detached=False)
    [report] = verifying.check(verifying.read(raw), b"text\r\n")
    assert report.faults == ("unsupported-signature",)


def test_bi_071_an_unknown_authority() -> None:
    one = STRANGER.issue().certificate
    assert usable.for_encryption(one, ADDRESS, NOW, TRUST).reasons == ("unknown-issuer",)


def test_a_pinned_certificate_needs_no_chain_but_all_else() -> None:
    one, old = STRANGER.issue().certificate, STRANGER.issue(start=NOW - 9 * DAY, end=NOW - DAY).certificate
    pinned = usable.Trust(TRUST.store, pinned=frozenset({one.fingerprint, old.fingerprint}))
    assert usable.for_encryption(one, ADDRESS, NOW, pinned) == usable.Usability((), "pinned")
    assert usable.for_encryption(old, ADDRESS, NOW, pinned).reasons == ("expired",)
    assert usable.for_encryption(one, "doctor@clinic.test", NOW, pinned).reasons == ("wrong-address",)


def test_for_a_signature_other_uses_are_asked_of_it() -> None:
    signing, sealing = CA.issue(usage=("digital_signature",)), CA.issue(usage=("key_agreement",))
    assert usable.for_signature(signing.certificate, ADDRESS, NOW, TRUST).usable
    assert usable.for_signature(sealing.certificate, ADDRESS, NOW, TRUST).reasons == ("key-usage",)
    assert usable.for_signature(CA.issue(usage=("content_commitment",)).certificate, ADDRESS, NOW, TRUST).usable


def test_bi_070_limits_of_what_is_read() -> None:
    one = CA.issue().certificate
    with pytest.raises(BadCertificate) as caught:
        certificate.parse(one.der + bytes(200_000))
    assert caught.value.code == "certificate-size"
    with pytest.raises(BadCertificate) as caught:
        certificate.bundle(one.pem() * 101)
    assert caught.value.code == "certificate-count"
    with pytest.raises(BadCertificate) as caught:
        certificate.bundle(one.pem() + bytes(1024 * 1024))
    assert caught.value.code == "certificate-size"
    with pytest.raises(BadCertificate) as caught:
        CA.issue(address=",".join(f"n{i}@clinic.test" for i in range(201)))
    assert caught.value.code == "certificate-addresses"


@pytest.mark.parametrize(
    "raw", [b"", b"\x30\x00", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"no"]
)
def test_what_is_no_certificate(raw: bytes) -> None:
    with pytest.raises(BadCertificate):
        certificate.parse(raw)


def test_several_certificates_are_a_bundle_not_one() -> None:
    one, two = CA.issue().certificate, CA.issue("ec-p384").certificate
    assert [c.fingerprint for c in certificate.bundle(one.pem() + two.pem())] == [one.fingerprint, two.fingerprint]
    with pytest.raises(BadCertificate):
        certificate.parse(one.pem() + two.pem())


def test_the_strong_digests_are_accepted() -> None:
    for digest in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):
        assert usable.for_encryption(CA.issue(digest=digest).certificate, ADDRESS, NOW, TRUST).usable


def test_the_files_people_export_certificates_in() -> None:
    """.p7b is what Windows gives; without the PEM words it is PKCS#7 in DER."""
    one, two = CA.issue().certificate, CA.issue("ec-p384").certificate
    both = [one.x509, two.x509]
    for encoding in (Encoding.DER, Encoding.PEM):
        found = certificate.bundle(pkcs7.serialize_certificates(both, encoding))
        assert {c.fingerprint for c in found} == {one.fingerprint, two.fingerprint}
    assert [c.fingerprint for c in certificate.bundle(one.der)] == [one.fingerprint]
    for raw in (b"", b"nothing", b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\x00\x00"):
        with pytest.raises(BadCertificate):
            certificate.bundle(raw)
