"""A message for a server without 8BITMIME: the same to its reader, in ASCII; or no message at all."""

import email
import email.policy

import pytest

from carepost.delivery.methods.sevenbit import convert

pytestmark = pytest.mark.fast

HEAD = b"From: nurse@clinic.test\r\nSubject: Invented\r\nMIME-Version: 1.0\r\n"


def parsed(raw: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[arg-type]


def test_a_plain_body_becomes_quoted_printable() -> None:
    raw = HEAD + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    raw += "Grüße = aus der Praxis \r\n.\r\nzweite Zeile\t\r\n".encode()
    made = convert(raw)
    assert made is not None and made.isascii()
    assert max(map(len, made.split(b"\r\n"))) <= 76
    assert parsed(made).get_content() == "Grüße = aus der Praxis \r\n.\r\nzweite Zeile\t\r\n"
    assert made.count(b"Content-Transfer-Encoding") == 1


def test_each_part_is_converted_and_the_others_are_not_touched() -> None:
    raw = HEAD + (
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\nFür ältere Programme\r\n'
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nplain -- ascii\r\n--not a boundary\r\n"
        "--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n\x80ÿ data\r\n"
        "--b--\r\n"
    ).replace("Für ältere Programme", "preamble").encode()  # fmt: skip
    made = convert(raw)
    assert made is not None and made.isascii()
    parts = list(parsed(made).iter_parts())
    assert parts[0].get_content().strip() == "Grüße"
    assert (parts[1]["Content-Transfer-Encoding"], parts[1].get_content()) == (
        None,
        "plain -- ascii\r\n--not a boundary",
    )
    assert parts[2]["Content-Transfer-Encoding"] == "base64"
    assert parts[2].get_content() == "\x80ÿ data".encode()


@pytest.mark.parametrize(
    "raw",
    [
        HEAD.replace(b"Invented", "Befund für Sie".encode()) + b"\r\nplain\r\n",
        HEAD
        + (
            'Content-Type: multipart/signed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n'
            "Content-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n--b\r\n\r\nsignature\r\n--b--\r\n"
        ).encode(),
        HEAD
        + (
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n'
            "Content-Transfer-Encoding: 8bit\r\n\r\nSubject: inner\r\n\r\nGrüße\r\n--b--\r\n"
        ).encode(),
        HEAD + "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nGrüße\r\n".encode(),
        HEAD
        + 'Content-Type: multipart/mixed; boundary="b"\r\n\r\nGrüße im Vorspann\r\n--b\r\n\r\nx\r\n--b--\r\n'.encode(),
    ],
    ids=["raw header", "signed", "a message within", "a false label", "a preamble"],
)
def test_what_cannot_be_converted_without_changing_it_is_not(raw: bytes) -> None:
    assert convert(raw) is None


def test_a_field_that_looks_like_a_delimiter_does_not_mislead() -> None:
    raw = (
        HEAD
        + (
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
            "--b\r\n--odd: header\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n--b--\r\n"
        ).encode()
    )
    made = convert(raw)
    if made is not None:
        assert next(parsed(made).iter_parts()).get_content().strip() == "Grüße"
