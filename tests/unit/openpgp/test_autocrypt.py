"""The Autocrypt header: written, read, and refused where it has two readings (BI-072 is the keyring's)."""

import pytest

from carepost.crypto.openpgp import autocrypt, keys
from carepost.crypto.openpgp.errors import Unusable
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.rfc import lines
from tests.support.openpgp import JANE, NURSE, letter

pytestmark = pytest.mark.fast


def test_there_and_back(nurse: PrivateKey) -> None:
    for mutual in (False, True):
        raw = autocrypt.field(NURSE, nurse.certificate, mutual=mutual) + letter()
        lines.check(raw)
        offer = autocrypt.read(raw)
        assert offer is not None
        assert (offer.address, offer.certificate, offer.mutual) == (NURSE, nurse.certificate, mutual)


def test_only_the_senders_own_name_goes_along() -> None:
    two = keys.generate([("Nurse", NURSE), ("Jane", JANE)])
    offer = autocrypt.read(autocrypt.field(NURSE, two.certificate) + letter())
    assert offer is not None
    assert offer.certificate.addresses == (NURSE,)
    with pytest.raises(Unusable):
        autocrypt.field("june@home.test", two.certificate)


def spoiled(nurse: PrivateKey, old: bytes, new: bytes) -> bytes:
    field = autocrypt.field(NURSE, nurse.certificate)
    assert old in field
    return field.replace(old, new, 1) + letter()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"addr=nurse@clinic.test", b"addr=mallory@evil.test"),
        (b"addr=nurse@clinic.test;", b""),
        (b"addr=nurse@clinic.test;", b"addr=nurse@clinic.test; addr=nurse@clinic.test;"),
        (b"addr=nurse@clinic.test;", b"addr=nurse@clinic.test; colour=red;"),
        (b"keydata=", b"keydata=*"),
        (b"keydata=", b"keydata"),
    ],
)
def test_an_invalid_one_is_none(old: bytes, new: bytes, nurse: PrivateKey) -> None:
    assert autocrypt.read(spoiled(nurse, old, new)) is None


def test_what_may_be_passed_over_is(nurse: PrivateKey) -> None:
    assert autocrypt.read(spoiled(nurse, b"keydata=", b"_note=x; prefer-encrypt=maybe; keydata=")) is not None


def test_two_are_none_and_an_invalid_one_beside_a_good_one_is_not_counted(nurse: PrivateKey) -> None:
    field = autocrypt.field(NURSE, nurse.certificate)
    assert autocrypt.read(field + field + letter()) is None
    assert autocrypt.read(b"Autocrypt: addr=x\r\n" + field + letter()) is not None


def test_of_another_sender_or_of_several_is_none(nurse: PrivateKey) -> None:
    field = autocrypt.field(NURSE, nurse.certificate)
    assert autocrypt.read(field + letter(sender=JANE)) is None
    two = letter().replace(
        b"From: Ward Seven <nurse@clinic.test>", b"From: nurse@clinic.test, jane@home.test\r\nSender: nurse@clinic.test"
    )
    assert b"Sender:" in two
    assert autocrypt.read(field + two) is None


def test_none_and_nonsense_are_none() -> None:
    assert autocrypt.read(letter()) is None
    assert autocrypt.read(b"") is None
    assert autocrypt.read(b"Autocrypt: " + b"a" * 100_000 + b"\r\n" + letter()) is None
