"""Mail as its owner sees it: hostile HTML, names and encodings come out harmless, and nothing raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepost.sandbox import people, reading

pytestmark = pytest.mark.fast


def test_a_sample_reads_as_it_was_written() -> None:
    sample = people.SAMPLES[0]
    read = reading.read(people.mime(sample))
    assert read.subject == sample.subject
    assert read.from_ == f'"{people.SENDER_NAME}" <{people.SENDER}>'
    assert "glucose 5.1 mmol/l" in read.text
    assert "<table>" in read.html
    assert [(part.name, part.content) for part in read.parts] == [(sample.attachment.filename, sample.attachment.data)]


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        '<a href="javascript:alert(1)">x</a>',
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        '<div style="background:url(https://evil.example/x)">x</div>',
        '<style>@import "https://evil.example/x"</style>',
        "<svg><foreignObject><script>alert(1)</script></foreignObject></svg>",
        '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
        '<base href="https://evil.example/">',
        '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
        '<form action="https://evil.example/"><input name=a></form>',
        '<iframe src="https://evil.example/"></iframe>',
    ],
)
def test_hostile_html_is_cleaned_bi_062(hostile: str) -> None:
    cleaned = reading.clean(f"<p>before</p>{hostile}<p>after</p>").lower()
    for token in ("<script", "onerror=", "javascript:", "data:text", "url(", "@import", "<base", "<meta", "<form",
                  "<iframe", "<svg", "<style"):  # fmt: skip
        assert token not in cleaned.replace("&lt;", "")
    assert "<p>before</p>" in cleaned


def test_links_open_outside_the_frame() -> None:
    cleaned = reading.clean('<a href="https://portal.clinic.test/m/x">open</a>')
    assert 'target="_blank"' in cleaned
    assert 'rel="noopener noreferrer"' in cleaned


def test_pictures_of_the_mail_are_placed_and_others_are_not() -> None:
    part = reading.Part(3, "logo.png", "image/png", b"", "logo@clinic")
    script = reading.Part(4, "x.svg", "image/svg+xml", b"", "bad@clinic")
    shown = reading.place_pictures(
        reading.clean('<img src="cid:logo@clinic"><img src="cid:bad@clinic">'), (part, script), "/sandbox/parts"
    )
    assert 'src="/sandbox/parts/3"' in shown
    assert "cid:" not in shown
    assert "/4" not in shown


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\report.pdf", "report.pdf"),
        ("a\u202etxt.exe", "a_txt.exe"),
        ("..", "part-1"),
        ("x" * 4000, "x" * 120),
    ],
)
def test_attachment_names_are_harmless_bi_056(given_name: str, name: str) -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/pdf\r\n"
        b"Content-Disposition: attachment; filename*=utf-8''"
        + b"".join(b"%%%02X" % byte for byte in given_name.encode())
        + b"\r\n\r\nx\r\n--b--\r\n"
    )
    assert [part.name for part in reading.read(raw).parts] == [name]


@pytest.mark.parametrize("charset", ["utf-7", "no-such-charset", "utf-8", "unicode_escape", "rot13", "zip"])
def test_odd_charsets_never_make_markup_bi_061(charset: str) -> None:
    raw = f"Content-Type: text/plain; charset={charset}\r\n\r\n+ADw-script+AD4- \udcff".encode("utf-8", "replace")
    assert "<script" not in reading.linked(reading.read(raw).text)


def test_addresses_in_text_become_links_and_nothing_else_does() -> None:
    linked = reading.linked('See https://portal.clinic.test/m/abc?x=1&y=2. <b>"no"</b> javascript:alert(1)')
    assert '<a href="https://portal.clinic.test/m/abc?x=1&amp;y=2" target="_blank"' in linked
    assert "&lt;b&gt;" in linked
    assert linked.count("<a ") == 1


@given(
    st.binary(max_size=400), st.sampled_from([b"", b"Subject: =?utf-8?q?=0ABcc:_x?=\r\n", b"From: a\r\nFrom: \xff\r\n"])
)
def test_no_mail_makes_the_reader_raise(raw: bytes, head: bytes) -> None:
    reading.read(head + b"Content-Type: multipart/mixed; boundary=b\r\nTo: \r\n\r\n--b\r\n" + raw)
    reading.read(head + raw)
