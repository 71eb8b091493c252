"""Hostile MIME: one reading within limits, or a refusal; a damaged part is marked and harms no other."""

import pytest

from carepost.rfc import mime
from carepost.rfc.errors import MimeError
from carepost.rfc.parts import parameters

pytestmark = pytest.mark.fast

HEAD = b"From: a@b.test\r\nMIME-Version: 1.0\r\n"


def multipart(*parts: bytes, boundary: bytes = b"b", kind: bytes = b"mixed", close: bool = True) -> bytes:
    body = b"".join(b"--" + boundary + b"\r\n" + p + b"\r\n" for p in parts)
    end = b"--" + boundary + b"--\r\n" if close else b""
    return HEAD + b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"\r\n\r\n' + body + end


TEXT = b"Content-Type: text/plain\r\n\r\nhello"
HTML = b"Content-Type: text/html\r\n\r\n<p>hello</p>"


def refused(raw: bytes) -> str:
    with pytest.raises(MimeError) as error:
        mime.read(raw)
    return error.value.code


def test_plain_text_without_any_mime() -> None:
    assert mime.read(b"From: a@b.test\r\n\r\nhello\r\n").text == "hello\n"
    assert mime.read(b"").text == ""


def test_alternative_and_attachment() -> None:
    described = b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n"
    file = described + b"Content-Transfer-Encoding: base64\r\n\r\nYWJj"
    content = mime.read(multipart(TEXT, HTML, file))
    assert (content.text, content.html) == ("hello", "<p>hello</p>")
    assert [(a.name, a.content_type, a.data, a.fault) for a in content.attachments] == [
        ("a.pdf", "application/pdf", b"abc", "")
    ]


def test_depth_and_number_are_bounded() -> None:
    """BI-052: a thousand deep, fifty thousand parts: refused whole, at once."""
    deep = HEAD + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1_000)
    )
    assert refused(deep) == "mime-depth"
    assert refused(multipart(*[TEXT] * 50_000)) == "mime-parts"
    nested = HEAD + b"Content-Type: message/rfc822\r\n\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 2_000
    assert len(mime.read(nested).attachments) == 1


@pytest.mark.parametrize("boundary", [b"", b"x" * 71, b"x" * 200, b"b ", b"b\\\x22", b"b;c*", "ü".encode()])
def test_a_boundary_that_is_none(boundary: bytes) -> None:
    """BI-053."""
    assert refused(multipart(TEXT, boundary=boundary)) == "boundary"


def test_boundaries_that_try_to_split_readers() -> None:
    """BI-053: missing, given twice, repeated inside, prefix of another, not closed."""
    assert refused(HEAD + b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n") == "boundary"
    assert refused(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\nno parts\r\n") == "boundary"
    twice = HEAD + b"Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\nx\r\n--a--\r\n"
    assert refused(twice) == "boundary"
    inner = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nx\r\n--b--'
    assert refused(multipart(inner)) == "boundary"
    prefix = b'Content-Type: multipart/mixed; boundary="bb"\r\n\r\n--bb\r\n\r\nx\r\n--bb--'
    assert mime.read(multipart(prefix)).text == "x"
    assert mime.read(multipart(b"\r\nx", close=False)).text == "x\n"
    assert mime.read(multipart(b"\r\n--b trailing\r\nnot a --b\r\n--bx")).text == "--b trailing\nnot a --b\n--bx"
    assert mime.read(multipart(TEXT) + b"\r\n--b\r\n\r\nafter the end\r\n").text == "hello"
    assert mime.read(multipart(b"")).text == ""


@pytest.mark.parametrize(
    "part",
    [
        b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx",
        b"Content-Transfer-Encoding: 7bit\r\ncontent-transfer-encoding: base64\r\n\r\nx",
        b"Content-Disposition: inline\r\nContent-Disposition: attachment\r\n\r\nx",
    ],
)
def test_content_described_twice(part: bytes) -> None:
    """BI-054."""
    assert refused(multipart(part)) == "duplicate-content-field"


def test_an_encoded_multipart() -> None:
    """BI-054."""
    assert (
        refused(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\nLS1i")
        == "mime-encoding"
    )


@pytest.mark.parametrize(
    "kind", [b"message/partial; id=1; number=1", b"message/external-body; access-type=URL; URL=\x22http://x.test\x22"]
)
def test_bodies_kept_elsewhere(kind: bytes) -> None:
    """BI-060."""
    assert refused(multipart(b"Content-Type: " + kind + b"\r\n\r\nx")) == "mime-type"


@pytest.mark.parametrize(
    "data", [b"YWJj!!!!", b"YWJ", b"YW=j", b"YWJj=", b"YW\0Jj", b"====", "YWJjü".encode(), b"YWJj\r\n--not"]
)
def test_base64_that_is_not_strict_is_marked(data: bytes) -> None:
    """BI-055: the attachment is rejected, the rest stays readable."""
    part = b"Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + data
    content = mime.read(multipart(TEXT, part))
    assert content.text == "hello"
    assert [(a.data, a.fault) for a in content.attachments] == [(b"", "bad-encoding")]


@pytest.mark.parametrize("encoding", [b"x-uuencode", b"rot13", b"7bit, base64", b""])
def test_unknown_encodings_are_marked(encoding: bytes) -> None:
    part = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\nhello"
    assert [a.fault for a in mime.read(multipart(part)).attachments] == ["bad-encoding"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/x", "x"),
        ("C:\\x", "x"),
        ("a.pdf\0.exe", "a.pdf.exe"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("..", "attachment"),
        ("", "attachment"),
        (".htaccess", "htaccess"),
        ("a\r\nb.pdf", "ab.pdf"),
        ("a" * 4_096 + ".pdf", "a" * 146 + ".pdf"),
        ("=?utf-8?q?=2E=2E=2Fx=2Epdf?=", "x.pdf"),
        ("re\u0301sume\u0301.pdf", "résumé.pdf"),
        ("a<b>:|?*.txt", "ab.txt"),
        ("x.pdf . .", "x.pdf"),
        ("\ud800.pdf", "pdf"),
    ],
)
def test_names_of_files(name: str, shown: str) -> None:
    """BI-056."""
    assert mime.filename(name) == shown


def test_parameters_in_pieces_and_out_of_order() -> None:
    """BI-056, RFC 2231."""
    value = "attachment; filename*2=c.pdf; filename*0*=utf-8''%C3%A4; filename*1*=%62; filename=plain.pdf"
    assert parameters(value) == ("attachment", {"filename": "äbc.pdf"})
    assert parameters("attachment; filename*1=b; filename*3=d")[1] == {}
    assert parameters('attachment; filename="a\\"b;c.pdf"; x')[1] == {"filename": 'a"b;c.pdf'}
    assert parameters("attachment; filename*=utf-7''+ADw-")[1] == {"filename": "+ADw-"}


@pytest.mark.parametrize("charset", [b"utf-7", b"x-unknown", b"unicode_escape", b"utf-16", b"\xff", b"", b'"'])
def test_charsets_that_hide_markup(charset: bytes) -> None:
    """BI-061: UTF-7 and its kind never become markup."""
    page = (
        b"Content-Type: text/html; charset="
        + charset
        + b"\r\n\r\n+ADw-script+AD4-\\u003cscript\xc0\xbc\xed\xa0\x80\x00"
    )
    content = mime.read(multipart(page))
    assert "<" not in content.html and "\0" not in content.html
    content.html.encode("utf-8")


def test_two_pages_are_not_joined() -> None:
    """BI-067: the second page cannot be captured by the first."""
    first = b'Content-Type: text/html\r\n\r\n<img src="http://x.test/'
    content = mime.read(multipart(first, TEXT, b'Content-Type: text/html\r\n\r\nsecret">'))
    assert content.html == '<img src="http://x.test/'
    assert [a.content_type for a in content.attachments] == ["text/html"]


def test_a_type_that_cannot_be_read_is_bytes() -> None:
    content = mime.read(multipart(b"Content-Type: text\r\n\r\n<script>"))
    assert [(a.content_type, a.data) for a in content.attachments] == [("application/octet-stream", b"<script>")]
