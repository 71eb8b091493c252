"""Keys of the organisation: made, requested, brought in, taken out; what is wrong is said in a sentence."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from carepost.crypto.smime import certificate, der, identity, usable
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.errors import BadCertificate
from tests.support.smime import ADDRESS, DAY, NOW, Authority, key, old_p12

pytestmark = pytest.mark.fast

CA = Authority()
PASSWORD = "a long invented password"


@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256", "ec-p384"])
def test_a_certificate_of_our_own_is_usable_where_it_is_pinned(kind: str) -> None:
    one = identity.self_signed(key(kind), ADDRESS, NOW - DAY, name="Invented Clinic")
    pinned = usable.Trust(TrustStore(), pinned=frozenset({one.certificate.fingerprint}))
    assert usable.for_encryption(one.certificate, ADDRESS, NOW, pinned).usable
    assert usable.for_signature(one.certificate, ADDRESS, NOW, pinned).usable
    assert "aes256-gcm" in one.certificate.capabilities
    assert one.certificate.subject == "CN=Invented Clinic"
    assert usable.for_encryption(one.certificate, ADDRESS, NOW + 731 * DAY, pinned).reasons == ("expired",)


@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p384"])
def test_a_request_carries_what_an_authority_needs(kind: str) -> None:
    found = x509.load_pem_x509_csr(identity.request(key(kind), ADDRESS))
    assert found.is_signature_valid
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.RFC822Name) == [ADDRESS]


@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256"])
def test_pkcs12_there_and_back(kind: str) -> None:
    between = Authority("Between", CA)
    one = between.issue(kind)
    found = identity.import_pkcs12(identity.export_pkcs12(one, PASSWORD, "Nurse"), PASSWORD)
    assert found.certificate.fingerprint == one.certificate.fingerprint
    assert found.chain == one.chain and identity.private_bytes(found.key) == identity.private_bytes(one.key)


def test_what_openssl_exported_is_read() -> None:
    one = CA.issue("rsa-2048")
    assert identity.import_pkcs12(old_p12(one), "secret").certificate.fingerprint == one.certificate.fingerprint


def code(raw: bytes, password: str = PASSWORD) -> str:
    with pytest.raises(BadCertificate) as caught:
        identity.import_pkcs12(raw, password)
    return caught.value.code


def test_a_wrong_password_and_a_damaged_file_look_alike() -> None:
    made = identity.export_pkcs12(CA.issue("rsa-2048"), PASSWORD)
    assert code(made, "another password") == code(made[:-30] + bytes((made[-30] ^ 1,)) + made[-29:]) == "pkcs12"
    assert code(b"no file") == "pkcs12"
    assert code(bytes(300_000)) == "pkcs12-size"


def test_a_file_that_would_keep_us_busy_for_days_is_refused() -> None:
    """Rounds of key derivation are the sender's choice (as BI-081's p2c)."""
    made = identity.export_pkcs12(CA.issue("rsa-2048"), PASSWORD)
    slow = made.replace(der.integer(200_000), der.tlv(der.INTEGER, b"\x7f\xff\xff"))
    assert slow != made and code(slow) == "pkcs12-slow"
    # each of its parts alone could be waited for
    parts = made.replace(der.integer(200_000), der.integer(3_000_000))
    assert made.count(der.integer(200_000)) == 2 and code(parts) == "pkcs12-slow"
    enough = made.replace(der.integer(200_000), der.integer(100_000))
    assert code(enough) == "pkcs12"


def test_a_file_without_a_key_or_with_a_weak_one() -> None:
    one = CA.issue("ec-p256").certificate.x509
    only = pkcs12.serialize_key_and_certificates(None, None, one, None, serialization.NoEncryption())
    assert code(only, "") == "pkcs12-empty"
    weak = CA.issue("rsa-1024")
    with pytest.raises(BadCertificate) as caught:
        identity.load(identity.private_bytes(weak.key), weak.certificate.der)
    assert caught.value.code == "weak-key"


def test_a_key_of_another_certificate() -> None:
    one = CA.issue("ec-p256")
    with pytest.raises(BadCertificate) as caught:
        identity.load(identity.private_bytes(key("ec-p256", 9)), one.certificate.pem())
    assert caught.value.code == "key-mismatch"
    assert identity.load(identity.private_bytes(one.key), one.certificate.pem()).certificate.der == one.certificate.der


def test_a_weak_password_protects_nothing() -> None:
    with pytest.raises(BadCertificate):
        identity.export_pkcs12(CA.issue("ec-p256"), "short")


@pytest.mark.parametrize("address", ["no address", "a@b", "a@clinic.test\r\nBcc: b@c.test", "\u7537@clinic.test"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(BadCertificate):
        identity.self_signed(key("ec-p256"), address, NOW)


def test_a_kind_there_is_none_of() -> None:
    with pytest.raises(BadCertificate):
        identity.generate("rsa-1024")
    assert isinstance(identity.generate("rsa-2048"), rsa.RSAPrivateKey)


def test_no_private_key_in_words() -> None:
    one = CA.issue("ec-p256")
    assert repr(one) == f"Identity({one.certificate.fingerprint[:16]})"
    assert certificate.parse(one.certificate.der).subject not in repr(one)
