"""What is to be signed is put into the form in which it arrives unchanged (RFC 3156 3), or is not signed."""

import pytest

from carepost.rfc import compose, mime, parts, signable
from carepost.rfc.address import Mailbox

pytestmark = pytest.mark.fast

HEAD = b"From: a@b.test\r\nMIME-Version: 1.0\r\n"


def plain(text: bytes, kind: bytes = b"text/plain; charset=utf-8", encoding: bytes = b"8bit") -> bytes:
    return HEAD + b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + text


@pytest.mark.parametrize(
    "raw",
    [
        plain("é\r\n".encode()),
        plain(b"blank \r\nand tab\t\r\n"),
        plain(b"ends in a blank "),
        plain(b"From here\r\nand there\r\nFrom =46 = From\r\n"),
        plain(b"one=20\r\nFrom two=C3=A9\r\n", encoding=b"quoted-printable"),
        plain(b"\x00\xff\r\n\x80", b"application/octet-stream", b"binary"),
        b"Subject: \r\n" + plain(b"x\r\n"),
        plain(b'{"a": "' + "é".encode() * 300 + b'"}\r\n', b"application/json"),
    ],
)
def test_it_says_what_it_said_in_a_form_nobody_changes(raw: bytes) -> None:
    made = signable.convert(raw)
    assert made is not None
    assert made.isascii()
    assert not any(line.endswith((b" ", b"\t")) or line.startswith(b"From ") for line in made.split(b"\r\n"))
    assert max(map(len, made.split(b"\r\n"))) <= 78
    (before,), (after,) = parts.walk(raw), parts.walk(made)
    assert mime.decode(made, after) == mime.decode(raw, before)
    assert (before.type, before.params) == (after.type, after.params)


def test_what_is_fit_already_is_the_same_object() -> None:
    raw = plain(b"All is well.\r\n", encoding=b"7bit")
    assert signable.convert(raw) is raw


def test_only_the_parts_that_need_it_are_touched() -> None:
    raw = compose.build(
        from_=Mailbox("", "a@b.test"), to=[], subject="x", text="é", html="<p>plain</p>",
        attachments=[compose.Attachment("a.pdf", "application/pdf", bytes(300))], message_id="<1@b.test>", at=0,
        eightbit=True,
    )  # fmt: skip
    made = signable.convert(raw)
    assert made is not None
    assert b"<p>plain</p>" in made
    assert [mime.decode(made, p) for p in parts.walk(made)] == [mime.decode(raw, p) for p in parts.walk(raw)]


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b'Content-Type: multipart/signed; boundary="b"\r\n\r\n--b\r\n\r\n\xc3\xa9\r\n--b\r\n\r\nx\r\n--b--\r\n',
        HEAD + b"Content-Type: message/rfc822\r\n\r\nSubject: x \r\n\r\n\xc3\xa9\r\n",
        HEAD + "Subject: é\r\n\r\nx\r\n".encode(),
        HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\npreamble \r\n--b\r\n\r\nx\r\n--b--\r\n',
        HEAD + b"Content-Type: multipart/mixed\r\n\r\n\xc3\xa9\r\n",
    ],
)
def test_what_cannot_be_had_without_changing_it_is_none(raw: bytes) -> None:
    assert signable.convert(raw) is None
