"""SMIMEA (RFC 8162): the name that is asked for, and which answers name a certificate."""

import hashlib

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from carepost.crypto.smime import smimea
from carepost.crypto.smime.smimea import Record
from carepost.rfc.errors import AddressError
from tests.support.smime import Authority

pytestmark = pytest.mark.fast

CA = Authority()
ONE, OTHER = CA.issue().certificate, CA.issue("ec-p384").certificate
SPKI = ONE.x509.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_the_name_of_the_example_the_rfcs_share() -> None:
    """RFC 7929 3, RFC 8162 3: hugh@example.com."""
    digest = "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6"
    assert hashlib.sha256(b"hugh").hexdigest()[:56] == digest
    assert smimea.owner("hugh@example.com") == f"{digest}._smimecert.example.com"


def test_the_local_part_keeps_its_case_and_the_domain_does_not() -> None:
    """Standards 3.4: another case is another name."""
    assert smimea.owner("Hugh@Example.COM") != smimea.owner("hugh@example.com")
    assert smimea.owner("hugh@Example.COM") == smimea.owner("hugh@example.com")


@pytest.mark.parametrize("address", ["nobody", '"a b"@clinic.test', "a@b\0.test"])
def test_what_has_no_name(address: str) -> None:
    with pytest.raises(AddressError):
        smimea.owner(address)


def test_whole_certificates_of_end_entities() -> None:
    records = [
        Record(3, 0, 0, ONE.der), Record(1, 0, 0, OTHER.der), Record(2, 0, 0, CA.der), Record(0, 0, 0, CA.der),
        Record(3, 1, 0, SPKI), Record(3, 0, 1, hashlib.sha256(ONE.der).digest()), Record(3, 0, 0, b"damaged"),
    ]  # fmt: skip
    found = smimea.certificates(records)
    assert [(f.certificate.fingerprint, f.vouched) for f in found] == [
        (ONE.fingerprint, True),
        (OTHER.fingerprint, False),
    ]
    assert smimea.certificates([Record(3, 0, 0, b"")] * 20 + [Record(3, 0, 0, ONE.der)]) == []


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (Record(3, 0, 0, ONE.der), True),
        (Record(3, 0, 1, hashlib.sha256(ONE.der).digest()), True),
        (Record(1, 0, 2, hashlib.sha512(ONE.der).digest()), True),
        (Record(3, 1, 0, SPKI), True),
        (Record(3, 1, 1, hashlib.sha256(SPKI).digest()), True),
        (Record(3, 0, 1, hashlib.sha256(OTHER.der).digest()), False),
        (Record(3, 2, 0, ONE.der), False),
        (Record(3, 0, 3, ONE.der), False),
        (Record(2, 0, 0, ONE.der), False),
    ],
)
def test_a_certificate_got_elsewhere_agrees_or_not(record: Record, said: bool) -> None:
    assert smimea.agrees([record], ONE) is said
