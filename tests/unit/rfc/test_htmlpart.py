"""The page of a message, changed and put back: nothing else moves, and what was signed is left alone."""

import pytest

from carepost.rfc import htmlpart, mime, parts

pytestmark = pytest.mark.fast

PAGE = b'<p>caf\xc3\xa9</p>\r\n<a href="https://a.test/">A</a>\r\n'


def message(encoding: str, body: bytes, charset: str = "utf-8", extra: str = "") -> bytes:
    return (
        f"From: n@clinic.test\r\n{extra}MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
        "preamble\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\n"
        f"Content-Type: text/html; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    ).encode() + body + b"\r\n--b--\r\nepilogue\r\n"  # fmt: skip


BODIES = {
    "8bit": PAGE,
    "base64": b"PHA+Y2Fmw6k8L3A+DQo8YSBocmVmPSJodHRwczovL2EudGVzdC8iPkE8L2E+DQo=",
    "quoted-printable": b'<p>caf=C3=A9</p>\r\n<a href=3D"https://a.te=\r\nst/">A</a>\r\n',
}


@pytest.mark.parametrize("encoding", BODIES)
def test_the_page_is_found_and_put_back(encoding: str) -> None:
    raw = message(encoding, BODIES[encoding])
    found = htmlpart.find(raw)
    assert found is not None
    assert found.page.rstrip() == PAGE.rstrip()
    new = found.page.replace(b"a.test", b"longer.test")
    made = htmlpart.put(raw, found, new)
    assert made is not None
    before, after = parts.walk(raw), parts.walk(made)
    assert mime.decode(made, after[1]) == new
    assert made[: before[1].start] == raw[: before[1].start]
    assert made[after[1].end :] == raw[before[1].end :]


@pytest.mark.parametrize("encoding", ["7bit", "8bit"])
def test_lines_too_long_for_a_mail_become_quoted_printable(encoding: str) -> None:
    raw = message(encoding, PAGE)
    found = htmlpart.find(raw)
    assert found is not None
    new = found.page.replace(b"a.test/", b"a.test/" + b"x" * 1200)
    made = htmlpart.put(raw, found, new)
    assert made is not None
    assert max(map(len, made.split(b"\r\n"))) <= 998
    assert b"Content-Transfer-Encoding: quoted-printable\r\n" in made
    assert mime.decode(made, parts.walk(made)[1]) == new


def test_a_message_that_is_a_page_itself() -> None:
    raw = b"From: n@clinic.test\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<p>caf\xe9</p>"
    found = htmlpart.find(raw)
    assert found is not None
    made = htmlpart.put(raw, found, b"<b>" + found.page)
    assert made == raw.replace(b"<p>", b"<b><p>")


LEFT = {
    "signed-by-its-sender": message("8bit", PAGE, extra="DKIM-Signature: v=1; a=x\r\n"),
    "multipart-signed": b"Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n"
    b"Content-Type: text/html\r\n\r\n<p>x</p>\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--s--\r\n",
    "encrypted": b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nxx",
    "utf-16": message("8bit", PAGE, charset="utf-16"),
    "iso-2022-jp": message("8bit", PAGE, charset="iso-2022-jp"),
    "unknown-charset": message("8bit", PAGE, charset="x-none"),
    "broken-base64": message("base64", b"!!!!"),
    "text-only": b"From: a@b.test\r\n\r\nhttps://a.test/",
    "two-boundaries": b"Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\nx\r\n--a--\r\n",
    "attached": b'Content-Type: text/html\r\nContent-Disposition: attachment; filename="a.html"\r\n\r\n<p>x</p>',
}


@pytest.mark.parametrize("raw", LEFT.values(), ids=LEFT.keys())
def test_what_may_not_be_changed_is_left_alone(raw: bytes) -> None:
    assert htmlpart.find(raw) is None
