"""Whatever bytes come, the readers of OpenPGP end in a value or in one of our own errors, and what was sealed comes
back or is refused (BI-068..070)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carepost.crypto.openpgp import autocrypt, certificate, cipher, content, keys, message, packets, secret, signatures
from carepost.crypto.openpgp.errors import Malformed, OpenPgpError
from carepost.rfc import lines, protected, signable
from carepost.rfc import message as rfc_message
from carepost.rfc.errors import RfcError
from tests.support.openpgp import JANE, NURSE, key, letter, now

JANES, NURSES = key(JANE), key(NURSE)
TO = [(JANE, JANES.certificate)]
SIGNER = keys.signer(NURSES, NURSE, now())
SEALED = message.seal(letter(), TO, at=now(), signer=SIGNER)
SIGNED = message.sign(letter(), SIGNER)
BLOCK = packets.unwrap(cipher.encrypt(b"All is well.", TO, now(), SIGNER), packets.MESSAGE, most=99_999)
INSIDE = cipher.decrypt(BLOCK, [JANES]).content.signatures[0]
SAMPLES = {
    "certificate": JANES.certificate.raw,
    "private": JANES.raw,
    "message": BLOCK,
    "sealed": SEALED,
    "signed": SIGNED,
}

quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def ends(read: object, raw: bytes) -> None:
    try:
        read(raw)  # type: ignore[operator]
    except (OpenPgpError, RfcError):
        pass


READERS = {
    "packets": packets.read,
    "armor": lambda raw: packets.unwrap(raw, packets.MESSAGE, most=1 << 20),
    "content": content.read,
    "signature": signatures.read,
    "certificate": certificate.read,
    "split": certificate.split,
    "private": secret.load,
    "private-passphrase": lambda raw: secret.load(raw, "x"),
    "message": lambda raw: cipher.decrypt(raw, [JANES]),
    "open": lambda raw: message.open_(raw, [JANES], [NURSES.certificate], at=now()),
    "kind": message.kind,
    "unprotected": message.unprotected,
    "autocrypt": autocrypt.read,
    "signable": signable.convert,
    "protect": lambda raw: protected.protect(raw, encrypted=True, old_parameter=True),
    "payload": lambda raw: protected.open_(b"From: a@b.test\r\n\r\n", raw, encrypted=True),
}


@pytest.mark.parametrize("reader", READERS)
@quick
@given(raw=st.binary(max_size=600))
def test_any_bytes(reader: str, raw: bytes) -> None:
    ends(READERS[reader], raw)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A good one with a few octets changed, a piece cut out, or a piece of another put in."""
    raw = bytearray(SAMPLES[draw(st.sampled_from(sorted(SAMPLES)))])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw) - 1))
        change = draw(st.integers(0, 3))
        if change == 0:
            raw[at] ^= 1 << draw(st.integers(0, 7))
        elif change == 1:
            del raw[at : at + draw(st.integers(1, 60))]
        elif change == 2:
            raw[at:at] = draw(st.binary(max_size=20))
        else:
            raw[at : at + 1] = draw(st.sampled_from([b"\xff", b"\x00", b"\r\n", b"\xd2", b"\xc2\x05"]))
        if not raw:
            break
    return bytes(raw)


@pytest.mark.parametrize("reader", READERS)
@quick
@given(raw=spoiled())
def test_nearly_right_bytes(reader: str, raw: bytes) -> None:
    ends(READERS[reader], raw)


@quick
@given(at=st.integers(0, len(JANES.certificate.raw) - 1), bit=st.integers(0, 7))
def test_a_certificate_with_one_flipped_bit_is_never_encrypted_to_a_new_key(at: int, bit: int) -> None:
    raw = bytearray(JANES.certificate.raw)
    raw[at] ^= 1 << bit
    try:
        found = certificate.read(bytes(raw))
        sealed = cipher.encrypt(b"for Jane", [(JANE, found)], now())
    except OpenPgpError:
        return
    assert cipher.decrypt(sealed, [JANES]).content.data == b"for Jane"


@quick
@given(at=st.integers(0, len(INSIDE) - 1), bit=st.integers(0, 7))
def test_one_flipped_bit_inside_a_signature_is_read_or_refused(at: int, bit: int) -> None:
    body = bytearray(INSIDE)
    body[at] ^= 1 << bit
    ends(signatures.read, bytes(body))


@quick
@given(at=st.integers(0, len(SEALED) - 1), bit=st.integers(0, 7))
def test_one_flipped_bit_of_a_sealed_message_changes_nothing_of_what_it_says(at: int, bit: int) -> None:
    """Refused, or what it says is as it was: the frame of a message is nobody's secret and nobody's proof."""
    raw = bytearray(SEALED)
    raw[at] ^= 1 << bit
    try:
        opened = message.open_(bytes(raw), [JANES], [NURSES.certificate], at=now())
    except (OpenPgpError, RfcError):
        return
    if opened.encrypted:
        assert opened.message.endswith(b"All is well.\r\n")
        assert rfc_message.read(opened.message).subject == "Your results"


TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=60)


@quick
@given(subject=TEXT, body=st.lists(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=80), max_size=8))
def test_there_and_back(subject: str, body: list[str]) -> None:
    raw = letter("\n".join(body), subject=subject)
    sealed = message.seal(raw, TO, at=now(), signer=SIGNER)
    lines.check(sealed)
    opened = message.open_(sealed, [JANES], [NURSES.certificate], at=now())
    assert opened.verdict.valid
    assert rfc_message.read(opened.message).subject == rfc_message.read(raw).subject
    assert opened.message.partition(b"\r\n\r\n")[2] == raw.partition(b"\r\n\r\n")[2]
    signed = message.open_(message.sign(raw, SIGNER), [], [NURSES.certificate], at=now())
    assert signed.verdict.valid


@quick
@given(
    value=TEXT,
    name=st.sampled_from(["Subject", "To", "Cc", "Date", "References", "In-Reply-To", "Content-Type", "X-A"]),
)
def test_no_header_however_odd_keeps_a_word_outside(value: str, name: str) -> None:
    """The canary stands in every field that a person can fill; outside it is in none."""
    raw = f"From: a@b.test\r\n{name}: {value} Zebrafinch {value}\r\nMessage-ID: <1@b.test>\r\n\r\nx\r\n".encode()
    try:
        made = protected.protect(raw, encrypted=True)
    except RfcError:
        return
    assert b"Zebrafinch" not in made.outer
    assert b"Zebrafinch" in made.payload or name == "Content-Type"


def test_bi_070_twenty_megabytes_end_at_once() -> None:
    for reader in ("certificate", "private"):
        with pytest.raises(Malformed):
            READERS[reader](JANES.certificate.raw + bytes(20 << 20))
