"""PGP/MIME made and read: what was sent comes back, and nothing of it stands outside."""

import pytest

from carepost.crypto.openpgp import cipher, keys, message, packets, signatures
from carepost.crypto.openpgp.errors import Malformed, NotDecrypted, Unusable
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.rfc import compose, displayed, lines, mime, parts, protected
from carepost.rfc import message as rfc_message
from carepost.rfc.address import Mailbox
from tests.support.openpgp import JANE, MALLORY, NURSE, key, letter, now

pytestmark = pytest.mark.fast

CANARY = "Zebrafinch"


def rich() -> bytes:
    return compose.build(
        from_=Mailbox(f"{CANARY} Ward", NURSE), to=[Mailbox(f"Jané {CANARY}", JANE)],
        subject=f"Über {CANARY}", text=f"Dear {CANARY} \n-- \nFrom the ward\n", html=f"<p>{CANARY}é</p>",
        attachments=[compose.Attachment(f"{CANARY}.pdf", "application/pdf", bytes(range(256)))],
        headers=[("X-Patient", CANARY)], message_id="<1@clinic.test>", at=now(), eightbit=True,
    )  # fmt: skip


def bodies(raw: bytes) -> list[tuple[str, bytes]]:
    return [(part.type, mime.decode(raw, part)) for part in parts.walk(raw)]


def test_it_comes_back_as_it_was_sent_signed_and_encrypted(nurse: PrivateKey, jane: PrivateKey) -> None:
    raw = rich()
    signer = keys.signer(nurse, NURSE, now())
    sealed = message.seal(raw, [(JANE, jane.certificate)], at=now(), signer=signer)
    lines.check(sealed)
    assert sealed.isascii()
    assert CANARY.encode() not in sealed
    assert message.kind(sealed) == message.ENCRYPTED
    opened = message.open_(sealed, [jane], [nurse.certificate], at=now())
    assert opened.verdict.valid
    assert opened.verdict.signer == nurse.certificate.fingerprint
    assert (opened.encrypted, opened.protection, opened.warnings) == (True, "cipher", ())
    assert {"subject", "from", "to", "x-patient"} <= set(opened.hidden)
    assert opened.by == jane.certificate.fingerprint
    read = rfc_message.read(opened.message)
    assert (read.subject, read.get("x-patient")) == (f"Über {CANARY}", CANARY)
    assert bodies(opened.message) == bodies(raw)


def test_the_subject_others_put_into_the_text_is_taken_out_again(nurse: PrivateKey, jane: PrivateKey) -> None:
    """RFC 9788 4.5.3: a legacy display element is for readers that know no header protection."""
    split = protected.protect(letter(), encrypted=True, old_parameter=True)
    payload = displayed.add(split.payload)
    assert payload == displayed.add(split.payload, split.outline), "the short way writes the same"
    assert payload.count(b"Subject: Your results\r\n") == split.payload.count(b"Subject: Your results\r\n") + 1
    signer = keys.signer(nurse, NURSE, now())
    sealed = wrapped(cipher.encrypt(payload, [(JANE, jane.certificate)], now(), signer), split.outer)
    opened = message.open_(sealed, [jane], [nurse.certificate], at=now())
    assert opened.verdict.valid and mime.read(opened.message).text == "All is well.\n"
    assert b"hp-legacy-display" not in opened.message


@pytest.mark.parametrize("display", [True, False])
def test_the_subject_stands_in_the_text_for_programs_that_know_no_header_protection(
    jane: PrivateKey, display: bool
) -> None:
    """What gpg alone would show: the element stands there, and is taken out by whoever knows it."""
    raw = rich()
    sealed = message.seal(raw, [(JANE, jane.certificate)], at=now(), display=display)
    start = sealed.index(b"-----BEGIN PGP MESSAGE")
    inside = cipher.decrypt(sealed[start : sealed.index(b"-----END PGP MESSAGE-----") + 25], [jane]).content.data
    shown = mime.read(inside)
    # an ASCII text stays one
    assert shown.text.startswith(f"Subject: ?ber {CANARY}\n\n") is display
    assert (f"<pre>Subject: &#220;ber {CANARY}</pre>" in shown.html) is display
    assert inside.count(b'hp-legacy-display="1"') == (2 if display else 0)
    opened = message.open_(sealed, [jane], [], at=now())
    assert bodies(opened.message) == bodies(raw)


def test_each_recipient_opens_it_and_nobody_else(nurse: PrivateKey, jane: PrivateKey, mallory: PrivateKey) -> None:
    both = [(JANE, jane.certificate), (NURSE, nurse.certificate)]
    sealed = message.seal(letter(), both, at=now())
    for owner in (jane, nurse):
        assert b"All is well." in message.open_(sealed, [mallory, owner], [], at=now()).message
    with pytest.raises(NotDecrypted):
        message.open_(sealed, [mallory], [], at=now())
    with pytest.raises(NotDecrypted):
        message.open_(sealed, [], [], at=now())


def test_encrypted_without_a_signature_is_not_called_signed(jane: PrivateKey) -> None:
    opened = message.open_(message.seal(letter(), [(JANE, jane.certificate)], at=now()), [jane], [], at=now())
    assert (opened.verdict.state, opened.verdict.valid) == ("none", False)


def test_nobody_to_encrypt_to_is_refused() -> None:
    with pytest.raises(Unusable):
        message.seal(letter(), [], at=now())


def test_a_signed_message_says_what_it_said_in_seven_bits(nurse: PrivateKey) -> None:
    raw = rich()
    signed = message.sign(raw, keys.signer(nurse, NURSE, now()))
    lines.check(signed)
    assert message.kind(signed) == message.SIGNED
    _, _, body = signed.partition(b"\r\n\r\n")
    assert body.isascii()
    assert b" \r\n" not in body
    assert b"\nFrom " not in body
    opened = message.open_(signed, [], [nurse.certificate], at=now())
    assert (opened.verdict.state, opened.protection, opened.hidden) == ("valid", "clear", ())
    assert bodies(opened.message) == bodies(raw)


@pytest.mark.parametrize("suite", ["curve25519", "p256", "p384"])
def test_micalg_names_the_digest_of_the_signature(suite: str) -> None:
    """RFC 3156 5: a reader hashes on the way by what it says, before it comes to the signature."""
    signed = message.sign(letter(), keys.signer(key(NURSE, suite=suite), NURSE, now()))
    block = signed[signed.index(b"-----BEGIN PGP SIG") :].partition(b"\r\n--=_")[0]
    said = signatures.read(packets.read(packets.unwrap(block, packets.SIGNED, most=9_999))[0].body)
    name = {8: b"pgp-sha256", 9: b"pgp-sha384", 10: b"pgp-sha512"}[said.hash_algorithm]
    assert b"multipart/signed; micalg=" + name + b";\r\n" in signed


def test_a_signed_message_is_bad_after_any_change_to_what_is_signed(nurse: PrivateKey) -> None:
    signed = message.sign(letter(), keys.signer(nurse, NURSE, now()))
    for old, new in (
        (b"All is well", b"All is bad."),
        (b"Your results", b"Your resulte"),
        (b'hp="clear"', b'hp="cleaR"'),
    ):
        first, second = signed.split(b"\r\n\r\n", 1)
        changed = first + b"\r\n\r\n" + second.replace(old, new)
        assert changed != signed
        found = message.open_(changed, [], [nurse.certificate], at=now())
        assert (found.verdict.state, found.verdict.reason) == ("invalid", "bad")


def test_a_changed_header_outside_a_signed_message_is_not_shown(nurse: PrivateKey) -> None:
    signed = message.sign(letter(), keys.signer(nurse, NURSE, now()))
    changed = signed.replace(b"Subject: Your results", b"Subject: Pay at once", 1)
    opened = message.open_(changed, [], [nurse.certificate], at=now())
    assert opened.verdict.valid
    assert rfc_message.read(opened.message).subject == "Your results"


def test_what_cannot_be_put_into_seven_bits_is_not_signed(nurse: PrivateKey) -> None:
    inner = b'Content-Type: multipart/signed; boundary="i"\r\n\r\n--i\r\n\r\n\xc3\xa9\r\n--i\r\n\r\nx\r\n--i--\r\n'
    raw = b"From: nurse@clinic.test\r\nMIME-Version: 1.0\r\n" + inner
    with pytest.raises(Unusable) as refused:
        message.sign(raw, keys.signer(nurse, NURSE, now()))
    assert refused.value.code == "not-signable"


def test_an_entity_with_line_ends_of_its_own_system_is_read(jane: PrivateKey) -> None:
    text = cipher.encrypt(b"Content-Type: text/plain\n\none\ntwo\n", [(JANE, jane.certificate)], now())
    opened = message.open_(wrapped(text), [jane], [], at=now())
    assert opened.message.endswith(b"\r\n\r\none\r\ntwo\r\n")
    lines.check(opened.message)


def wrapped(armored: bytes, head: bytes = b"From: nurse@clinic.test\r\nSubject: x\r\n") -> bytes:
    return (
        head
        + b'MIME-Version: 1.0\r\nContent-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="b"'
        b"\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
        b"--b\r\nContent-Type: application/octet-stream\r\n\r\n" + armored + b"\r\n--b--\r\n"
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: m.replace(b"Version: 1", b"Version: 2"),
        lambda m: m.replace(b"Content-Type: application/octet-stream", b"Content-Type: text/html"),
        lambda m: m.replace(b"--b--", b"--b\r\nContent-Type: text/html\r\n\r\n<img src='\r\n--b--"),
        lambda m: m.replace(b"--b\r\nContent-Type: application/pgp-encrypted", b"--x\r\nContent-Type: text/plain"),
    ],
)
def test_bi_067_only_the_two_parts_of_rfc_3156_are_opened(spoil: object, jane: PrivateKey) -> None:
    sealed = message.seal(letter(), [(JANE, jane.certificate)], at=now())
    mark = sealed.partition(b'boundary="')[2].partition(b'"')[0]
    plain = sealed.replace(mark, b"b")
    assert message.open_(plain, [jane], [], at=now()).encrypted
    with pytest.raises(Malformed):
        message.open_(spoil(plain), [jane], [], at=now())  # type: ignore[operator]


def test_what_is_not_ours_is_said_to_be_nothing() -> None:
    for raw in (letter(), b"", b"\r\n", b"Content-Type: multipart/encrypted\r\n\r\n", b"nothing"):
        assert message.kind(raw) == ""
    with pytest.raises(Malformed):
        message.open_(letter(), [], [], at=now())


def test_an_address_that_is_not_ascii(nurse: PrivateKey) -> None:
    """RFC 6531: the address is in UTF-8 outside too, where it must be; the name is not."""
    who = "jané@home.test"
    owner = key(who, "Jané")
    raw = letter(to=who)
    sealed = message.seal(raw, [(who, owner.certificate)], at=now())
    assert "To: jané@home.test\r\n".encode() in sealed
    assert message.open_(sealed, [owner], [], at=now()).encrypted


def test_what_is_encrypted_to_another_key_than_was_chosen_does_not_leave(
    monkeypatch: pytest.MonkeyPatch, jane: PrivateKey, mallory: PrivateKey
) -> None:
    """RFC 9580 10.3 and law 1: the library's choice of keys is looked at, octet by octet, before anything is sent."""
    real = cipher.library.encrypt

    def elsewhere(data: bytes, _known: object, *rest: object, **named: object) -> bytes:
        other = cipher.usable.ready(mallory.certificate, MALLORY, now()).known
        return real(data, [other], *rest, **named)  # type: ignore[arg-type]

    def besides(data: bytes, known: list[object], *rest: object, **named: object) -> bytes:
        other = cipher.usable.ready(mallory.certificate, MALLORY, now()).known
        return real(data, [*known, other], *rest, **named)  # type: ignore[list-item, arg-type]

    for wrong in (elsewhere, besides):
        monkeypatch.setattr(cipher.library, "encrypt", wrong)
        with pytest.raises(Unusable) as refused:
            message.seal(letter(), [(JANE, jane.certificate)], at=now())
        assert refused.value.code == "key-choice" and "Nothing was sent" in str(refused.value)
