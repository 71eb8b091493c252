"""GnuPG and Sequoia read what we write, and we what they write: RSA, Curve25519, NIST curves, several recipients."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from carepost.crypto.openpgp import certificate, cipher, keys, message, packets, verdict
from carepost.crypto.openpgp.errors import NotDecrypted
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.rfc import displayed, mime
from carepost.rfc import message as rfc_message
from tests.support.openpgp import NURSE, Gpg, key, letter, now, sq

pytestmark = pytest.mark.peers

KINDS = {
    "rsa": ("Key-Type: RSA", "Key-Length: 2048", "Subkey-Type: RSA", "Subkey-Length: 2048"),
    "curve25519": ("Key-Type: eddsa", "Key-Curve: ed25519", "Subkey-Type: ecdh", "Subkey-Curve: cv25519"),
    "p256": ("Key-Type: ecdsa", "Key-Curve: nistp256", "Subkey-Type: ecdh", "Subkey-Curve: nistp256"),
    "p384": ("Key-Type: ecdsa", "Key-Curve: nistp384", "Subkey-Type: ecdh", "Subkey-Curve: nistp384"),
    "p521": ("Key-Type: ecdsa", "Key-Curve: nistp521", "Subkey-Type: ecdh", "Subkey-Curve: nistp521"),
}


def address(kind: str) -> str:
    return f"{kind}@home.test"


@pytest.fixture(scope="module")
def people() -> Iterator[Gpg]:
    home = Gpg()
    for kind, lines in KINDS.items():
        home.make(address(kind), *lines)
    yield home
    home.close()


def block(sealed: bytes) -> bytes:
    start = sealed.index(b"-----BEGIN PGP MESSAGE")
    return sealed[start : sealed.index(b"-----END PGP MESSAGE-----") + 27]


def known(people: Gpg, kind: str) -> certificate.Certificate:
    return certificate.read(people.public(address(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_gnupg_opens_and_verifies_what_we_seal(people: Gpg, nurse: PrivateKey, kind: str) -> None:
    people.run("--import", data=keys.armored(nurse.certificate))
    raw = letter()
    sealed = message.seal(
        raw, [(address(kind), known(people, kind))], at=now(), signer=keys.signer(nurse, NURSE, now())
    )
    opened = people.all("--status-fd", "2", "--decrypt", data=block(sealed))
    assert opened.returncode == 0, opened.stderr
    assert b"GOODSIG" in opened.stderr
    assert b"Subject: Your results\r\n" in opened.stdout
    # programs that know no header protection show the subject in the text, the others take it out again (RFC 9788 5.2)
    head, _, body = opened.stdout.partition(b"\r\n\r\n")
    assert b'hp-legacy-display="1"' in head
    assert body == b"Subject: Your results\r\n\r\n" + raw.partition(b"\r\n\r\n")[2]
    assert mime.read(displayed.remove(opened.stdout)).text == mime.read(raw).text


def test_a_key_that_asks_for_old_ciphers_gets_aes_and_integrity(people: Gpg) -> None:
    """Standards 3.4: IDEA, 3DES and CAST5 are never written, whatever a certificate prefers (RFC 9580 12.1)."""
    who = "old-ways@home.test"
    lines = ("Key-Type: RSA", "Key-Length: 2048", "Subkey-Type: RSA", "Subkey-Length: 2048")
    people.make(who, *lines, "Preferences: S1 S2 S3 H2 Z1")
    theirs = people.run("-r", who, "--encrypt", data=b"x")
    ours = cipher.encrypt(b"x", [(who, certificate.read(people.public(who)))], now())
    private = keys.bring_in(people.secret(who))
    with pytest.raises(NotDecrypted):
        cipher.decrypt(theirs, [private])
    # only AES with an integrity check is opened here
    assert cipher.decrypt(ours, [private]).content.data == b"x"


def test_whatever_the_length_the_armor_ends_where_gnupg_sees_it(people: Gpg, nurse: PrivateKey) -> None:
    """Without a checksum GnuPG 2.2 reads past base64 that ends without padding."""
    known_rsa = known(people, "rsa")
    for size in range(9):
        sealed = cipher.encrypt(b"x" * size, [(address("rsa"), known_rsa)], now())
        assert people.run("--decrypt", data=sealed) == b"x" * size
    names = {len(key(NURSE, "N" * size).certificate.raw) % 3: key(NURSE, "N" * size) for size in range(1, 7)}
    assert set(names) == {0, 1, 2}
    for made in names.values():
        people.run("--import", data=keys.armored(made.certificate))


def test_gnupg_opens_one_message_with_the_key_of_each_of_five(people: Gpg) -> None:
    to = [(address(kind), known(people, kind)) for kind in KINDS]
    sealed = block(message.seal(letter(), to, at=now()))
    for kind in KINDS:
        alone = Gpg()
        try:
            alone.run("--import", data=people.secret(address(kind)))
            assert b"All is well." in alone.run("--decrypt", data=sealed)
        finally:
            alone.close()


@pytest.mark.parametrize("kind", KINDS)
def test_we_open_and_verify_what_gnupg_writes(people: Gpg, kind: str) -> None:
    """GnuPG compresses by default, which the library's own verifying decryption cannot read."""
    key = keys.bring_in(people.secret(address(kind)))
    who = address(kind)
    for compression in ("none", "zip", "zlib", "bzip2"):
        sealed = people.run(
            "-u", who, "-r", who, "-r", address("rsa"), "--compress-algo", compression, "--sign", "--encrypt",
            data=b"All is well.\n" * 500,
        )  # fmt: skip
        found = cipher.decrypt(sealed, [key])
        assert found.content.data == b"All is well.\n" * 500
        judged = verdict.judge(found.content.data, found.content.signatures, [key.certificate], now(), [who])
        assert judged.valid, judged


@pytest.mark.parametrize("kind", KINDS)
def test_gnupg_verifies_what_we_sign_and_we_what_it_signs(people: Gpg, tmp_path: Path, kind: str) -> None:
    key = keys.bring_in(people.secret(address(kind)))
    signed = message.sign(letter(sender=address(kind)), keys.signer(key, address(kind), now()))
    mark = signed.partition(b'boundary="')[2].partition(b'"')[0]
    _, payload, rest, _ = signed.split(b"--" + mark)
    (tmp_path / "payload").write_bytes(payload.removeprefix(b"\r\n").removesuffix(b"\r\n"))
    (tmp_path / "signature").write_bytes(rest.partition(b"\r\n\r\n")[2])
    people.run("--verify", str(tmp_path / "signature"), str(tmp_path / "payload"))
    for options in ((), ("--textmode",)):
        made = people.run(*options, "-u", address(kind), "--detach-sign", data=b"one\r\ntwo\r\n")
        bodies = [p.body for p in packets.read(made)]
        assert verdict.judge(b"one\r\ntwo\r\n", bodies, [key.certificate], now(), [address(kind)]).valid


def test_a_whole_pgp_mime_message_of_another_program(people: Gpg) -> None:
    """Encapsulated (RFC 3156 6.1): multipart/signed inside multipart/encrypted, LF line ends, the older header mark."""
    who = address("curve25519")
    key = keys.bring_in(people.secret(who))
    inner = (
        b'Content-Type: multipart/mixed; boundary="m"; protected-headers="v1"\r\nFrom: '
        + who.encode() + b"\r\nSubject: Inside\r\n\r\n--m\r\nContent-Type: text/plain\r\n\r\nAll is well.\r\n"
        b"\r\n--m--\r\n"
    )  # fmt: skip
    signature = people.run("--armor", "-u", who, "--digest-algo", "SHA256", "--detach-sign", data=inner)
    signed = (
        b'Content-Type: multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"; boundary="s"'
        b"\r\n\r\n--s\r\n" + inner + b"\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\n"
        + signature.replace(b"\n", b"\r\n") + b"\r\n--s--\r\n"
    )  # fmt: skip
    sealed = people.run("--armor", "-r", who, "--encrypt", data=signed.replace(b"\r\n", b"\n"))
    raw = (
        b"Received: from x by y; Sat, 21 Nov 2026 18:00:00 +0000\r\nFrom: " + who.encode() + b"\r\nSubject: ...\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="e"'
        b"\r\n\r\n--e\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--e\r\n"
        b"Content-Type: application/octet-stream\r\n\r\n" + sealed.replace(b"\n", b"\r\n") + b"\r\n--e--\r\n"
    )  # fmt: skip
    opened = message.open_(raw, [key], [key.certificate], at=now())
    assert (opened.verdict.state, opened.encrypted, opened.protection) == ("valid", True, "cipher")
    read = rfc_message.read(opened.message)
    assert (read.subject, len(read.all("received"))) == ("Inside", 1)


# Sequoia's own program


@pytest.fixture(scope="module")
def sequoia(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sq")
    for suite in ("cv25519", "rsa3k"):
        done = sq("key", "generate", "-u", f"<{address('sq-' + suite)}>", "-c", suite, "--export", str(folder / suite))
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("suite", ["cv25519", "rsa3k"])
def test_sq_opens_what_we_seal_and_we_what_it_writes(sequoia: Path, nurse: PrivateKey, suite: str) -> None:
    who = address("sq-" + suite)
    path = sequoia / suite
    key = keys.bring_in(path.read_bytes())
    (sequoia / "nurse").write_bytes(keys.armored(nurse.certificate))
    sealed = message.seal(letter(), [(who, key.certificate)], at=now(), signer=keys.signer(nurse, NURSE, now()))
    opened = sq("decrypt", "--recipient-key", str(path), "--signer-cert", str(sequoia / "nurse"), data=block(sealed))
    assert opened.returncode == 0, opened.stderr
    assert b"All is well." in opened.stdout
    assert b"1 good signature" in opened.stderr
    (sequoia / "cert").write_bytes(keys.armored(key.certificate))
    written = sq(
        "encrypt", "--recipient-cert", str(sequoia / "cert"), "--signer-key", str(path), "--compression", "zlib",
        data=b"All is well.",
    )  # fmt: skip
    assert written.returncode == 0, written.stderr
    found = cipher.decrypt(written.stdout, [key])
    assert found.content.data == b"All is well."
    assert verdict.judge(b"All is well.", found.content.signatures, [key.certificate], now(), [who]).valid


def test_sq_verifies_what_we_sign(sequoia: Path, nurse: PrivateKey, tmp_path: Path) -> None:
    signed = message.sign(letter(), keys.signer(nurse, NURSE, now()))
    mark = signed.partition(b'boundary="')[2].partition(b'"')[0]
    _, payload, rest, _ = signed.split(b"--" + mark)
    (tmp_path / "nurse").write_bytes(keys.armored(nurse.certificate))
    (tmp_path / "signature").write_bytes(rest.partition(b"\r\n\r\n")[2])
    (tmp_path / "payload").write_bytes(payload.removeprefix(b"\r\n").removesuffix(b"\r\n"))
    done: subprocess.CompletedProcess[bytes] = sq(
        "verify", "--signer-cert", str(tmp_path / "nurse"), "--detached", str(tmp_path / "signature"),
        str(tmp_path / "payload"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
