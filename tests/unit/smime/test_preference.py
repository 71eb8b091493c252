"""Which certificate an answer goes to: the one its owner prefers, of those that can be encrypted to."""

import msgspec
import pytest

from carepost.crypto.smime import der, oids, preference, signing, verifying
from carepost.crypto.smime.certificate import Certificate
from carepost.crypto.smime.identity import Identity
from tests.support.smime import NOW, Authority

pytestmark = pytest.mark.fast

CA = Authority()
BOTH = CA.issue()
SIGNS = CA.issue(usage=("digital_signature",))
READS = CA.issue("rsa-2048", usage=("key_encipherment",))
FOREIGN = CA.issue("rsa-2048", "pat@home.test")


def found(signer: Identity, *others: Identity) -> Certificate | None:
    carried = msgspec.structs.replace(signer, chain=tuple(one.certificate.der for one in others))
    report = verifying.check(verifying.read(signing.Signer(carried).sign(b"x", NOW)), b"x")[0]
    assert report.intact
    return report.encryption


def test_the_one_he_signed_with_where_it_can_be_encrypted_to() -> None:
    chosen = found(BOTH, READS)
    assert chosen is not None and chosen.fingerprint == BOTH.certificate.fingerprint


def test_a_sender_s_fixed_key_is_nothing_to_answer_to() -> None:
    fixed = CA.issue(usage=("digital_signature", "key_agreement", "decipher_only"))
    chosen = found(fixed, READS)
    assert chosen is not None and chosen.fingerprint == READS.certificate.fingerprint
    assert found(fixed) is None


def test_another_of_the_same_address_where_it_cannot() -> None:
    chosen = found(SIGNS, FOREIGN, READS)
    assert chosen is not None and chosen.fingerprint == READS.certificate.fingerprint
    assert found(SIGNS, FOREIGN) is None


@pytest.mark.parametrize(
    "value",
    [
        der.tlv(0xA0, der.Cursor(READS.certificate.issuer_and_serial).enter(der.SEQUENCE).rest()),
        der.tlv(0xA1, der.tlv(der.OCTETS, READS.certificate.key_id)),
        der.tlv(0x82, READS.certificate.key_id),
    ],
    ids=["issuer and serial", "recipient key", "key identifier"],
)
def test_the_one_he_names(value: bytes) -> None:
    chosen = preference.chosen([value], BOTH.certificate, [READS.certificate])
    assert chosen is not None and chosen.fingerprint == READS.certificate.fingerprint


@pytest.mark.parametrize(
    "value",
    [b"", b"\x30\x00", der.tlv(0x82, b"unknown"), der.tlv(0x82, SIGNS.certificate.key_id)],
    ids=["empty", "odd", "unknown", "one nobody can encrypt to"],
)
def test_a_name_of_nothing_changes_nothing(value: bytes) -> None:
    chosen = preference.chosen([value], BOTH.certificate, [READS.certificate, SIGNS.certificate])
    assert chosen is not None and chosen.fingerprint == BOTH.certificate.fingerprint


def test_a_signature_that_is_wrong_says_nothing() -> None:
    made = verifying.read(signing.Signer(BOTH).sign(b"x", NOW))
    forged = msgspec.structs.replace(made.signers[0], signature=b"\0")
    report = verifying.check(msgspec.structs.replace(made, signers=(forged,)), b"x")[0]
    assert report.encryption is None and report.capabilities == frozenset()


def test_what_we_sign_names_its_own_certificate() -> None:
    info = verifying.read(signing.Signer(BOTH).sign(b"x", NOW)).signers[0]
    (value,) = dict(info.attributes)[oids.ENCRYPTION_KEY]
    assert preference._named(value) == BOTH.certificate.issuer_and_serial
    assert oids.ENCRYPTION_KEY not in dict(verifying.read(signing.Signer(SIGNS).sign(b"x", NOW)).signers[0].attributes)
