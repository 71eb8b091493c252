"""Whatever bytes come, the readers of OpenPGP end in a value or in one of our own errors, and what was sealed comes
back or is refused (BI-068..070)."""

import functools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carepost.crypto.openpgp import (
    autocrypt,
    certificate,
    cipher,
    content,
    keypackets,
    keys,
    message,
    packets,
    secret,
    signatures,
)
from carepost.crypto.openpgp.errors import Malformed, OpenPgpError
from carepost.rfc import lines, protected, signable
from carepost.rfc import message as rfc_message
from carepost.rfc.errors import RfcError
from tests.support.openpgp import JANE, NURSE, Gpg, key, letter, now


class World:
    """The keys and good samples, made when the first test asks: nothing is made while tests are only collected."""

    def __init__(self) -> None:
        self.jane, self.nurse, self.curve = key(JANE), key(NURSE), key(JANE, suite="p256")
        self.rsa = self._rsa()
        self.to = [(JANE, self.jane.certificate)]
        self.signer = keys.signer(self.nurse, NURSE, now())
        self.sealed = message.seal(letter(), self.to, at=now(), signer=self.signer)
        armored = cipher.encrypt(b"All is well.", self.to, now(), self.signer)
        self.block = packets.unwrap(armored, packets.MESSAGE, most=99_999)
        self.signature = cipher.decrypt(self.block, [self.jane]).content.signatures[0]
        other = cipher.encrypt(b"x", [(JANE, self.rsa.certificate)], now())
        self.samples = {
            "p256": self.curve.raw,
            "rsa": self.rsa.raw,
            "rsa-certificate": self.rsa.certificate.raw,
            "rsa-message": packets.unwrap(other, packets.MESSAGE, most=99_999),
            "certificate": self.jane.certificate.raw,
            "private": self.jane.raw,
            "message": self.block,
            "sealed": self.sealed,
            "signed": message.sign(letter(), self.signer),
        }
        self.secrets = [(made, s) for made in (self.jane, self.rsa, self.curve) for s in made.secrets]

    @staticmethod
    def _rsa() -> secret.PrivateKey:
        """The library takes seconds for one, GnuPG does not."""
        home = Gpg()
        try:
            home.make(JANE, "Key-Type: RSA", "Key-Length: 2048", "Subkey-Type: RSA", "Subkey-Length: 2048")
            return keys.bring_in(home.secret(JANE))
        finally:
            home.close()


@functools.cache
def world() -> World:
    return World()


SAMPLES = ("certificate", "message", "p256", "private", "rsa", "rsa-certificate", "rsa-message", "sealed", "signed")
AT = st.integers(0, 100_000)

quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


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
    "brought-in": lambda raw: keys.bring_in(raw, "x"),
    "message": lambda raw: cipher.decrypt(raw, [world().jane, world().rsa, world().curve]),
    "open": lambda raw: message.open_(raw, [world().jane], [world().nurse.certificate], at=now()),
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
    raw = bytearray(world().samples[draw(st.sampled_from(SAMPLES))])
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
@given(at=AT, bit=st.integers(0, 7))
def test_a_certificate_with_one_flipped_bit_is_never_encrypted_to_a_new_key(at: int, bit: int) -> None:
    raw = bytearray(world().jane.certificate.raw)
    raw[at % len(raw)] ^= 1 << bit
    try:
        found = certificate.read(bytes(raw))
        sealed = cipher.encrypt(b"for Jane", [(JANE, found)], now())
    except OpenPgpError:
        return
    assert cipher.decrypt(sealed, [world().jane]).content.data == b"for Jane"


@quick
@given(which=st.integers(0, 20), at=AT, octets=st.binary(max_size=3))
def test_a_private_key_with_spoiled_numbers_is_refused_or_opens(which: int, at: int, octets: bytes) -> None:
    """Checksums set right: what reaches the arithmetic is any number at all."""
    made, part = world().secrets[which % len(world().secrets)]
    material = bytearray(part.material)
    start = at % len(material)
    material[start : start + len(octets)] = octets
    ends(keys.bring_in, with_secret(made, part, bytes(material)))


def with_secret(made: secret.PrivateKey, part: secret.Secret, material: bytes) -> bytes:
    body = part.key.public + b"\0" + material + (sum(material) & 0xFFFF).to_bytes(2, "big")
    raw = b""
    for packet in packets.read(made.raw):
        this = packet.tag in (packets.SECRET_KEY, packets.SECRET_SUBKEY) and packet.body.startswith(part.key.public)
        raw += packets.frame(packet.tag, body if this else packet.body)
    return raw


def integer(number: int) -> bytes:
    return number.bit_length().to_bytes(2, "big") + number.to_bytes((number.bit_length() + 7) // 8, "big")


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("number", [0, 1, 2, 1 << 64, (1 << 2048) - 1, (1 << 4096) + 1], ids=int.bit_length)
def test_rsa_secrets_of_any_size_are_refused(place: int, number: int) -> None:
    """d, p, q and u replaced: no division by nought, no endless inverse, no crash of what computes with them."""
    part = next(s for s in world().rsa.secrets if s.key.fingerprint != world().rsa.certificate.fingerprint)
    numbers, at = [], 0
    for _ in range(4):
        octets, at = keypackets.mpi(part.material, at)
        numbers.append(int.from_bytes(octets, "big"))
    numbers[place] = number
    raw = with_secret(world().rsa, part, b"".join(map(integer, numbers)))
    if place == 3:
        # u is not used: it is computed anew
        assert keys.bring_in(raw).certificate.fingerprint == world().rsa.certificate.fingerprint
        return
    with pytest.raises(OpenPgpError):
        keys.bring_in(raw)


@pytest.mark.parametrize("curve", ["jane", "curve"])
@pytest.mark.parametrize("number", [0, 1, (1 << 256) - 1, 1 << 300], ids=int.bit_length)
def test_scalars_of_any_size_are_refused(curve: str, number: int) -> None:
    made: secret.PrivateKey = getattr(world(), curve)
    part = next(s for s in made.secrets if s.key.algorithm == keypackets.ECDH)
    with pytest.raises(OpenPgpError):
        keys.bring_in(with_secret(made, part, integer(number)))


@quick
@given(at=AT, bit=st.integers(0, 7))
def test_one_flipped_bit_inside_a_signature_is_read_or_refused(at: int, bit: int) -> None:
    body = bytearray(world().signature)
    body[at % len(body)] ^= 1 << bit
    ends(signatures.read, bytes(body))


@quick
@given(at=AT, bit=st.integers(0, 7))
def test_one_flipped_bit_of_a_sealed_message_changes_nothing_of_what_it_says(at: int, bit: int) -> None:
    """Refused, or what it says is as it was: the frame of a message is nobody's secret and nobody's proof."""
    raw = bytearray(world().sealed)
    raw[at % len(raw)] ^= 1 << bit
    try:
        opened = message.open_(bytes(raw), [world().jane], [world().nurse.certificate], at=now())
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
    sealed = message.seal(raw, world().to, at=now(), signer=world().signer)
    lines.check(sealed)
    opened = message.open_(sealed, [world().jane], [world().nurse.certificate], at=now())
    assert opened.verdict.valid
    assert rfc_message.read(opened.message).subject == rfc_message.read(raw).subject
    assert opened.message.partition(b"\r\n\r\n")[2] == raw.partition(b"\r\n\r\n")[2]
    signed = message.open_(message.sign(raw, world().signer), [], [world().nurse.certificate], at=now())
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
            READERS[reader](world().jane.certificate.raw + bytes(20 << 20))
