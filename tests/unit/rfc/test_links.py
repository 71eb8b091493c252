"""Links of a page: found as browsers find them, replaced in place, every other octet as it was, in bounded time."""

import gc
import time

import pytest

from carepost.rfc import links

pytestmark = pytest.mark.fast


def targets(page: bytes, charset: str = "utf-8") -> list[str]:
    return [anchor.target for anchor in links.read(page, charset).anchors]


PAGES = [
    ('<a href="https://a.test/">x</a>', ["https://a.test/"]),
    ("<A\nHREF = 'http://a.test/x?y=1&amp;z=2' >x</A>", ["http://a.test/x?y=1&z=2"]),
    ("<a href=https://a.test>x</a>", ["https://a.test"]),
    ("<a/href=https://a.test/b/c>x</a>", ["https://a.test/b/c"]),
    ('<a title=">" href="https://a.test/">x</a>', ["https://a.test/"]),
    ('<a href="https://first.test/" href="https://second.test/">x</a>', ["https://first.test/"]),
    ('<map><area href="https://a.test/"></map>', ["https://a.test/"]),
    ('<a href="  https://a.test/  ">x</a>', ["https://a.test/"]),
    ('<a href="https&colon;//a.test/">x</a>', ["https://a.test/"]),
    ('<a href="https://a.test/?a=1&copy=2&lt;b">x</a>', ["https://a.test/?a=1&copy=2%3Cb"]),
    ('<a href="https://a.test/é b">x</a>', ["https://a.test/%C3%A9%20b"]),
    ('<a href="HTTPS://A.test/">x</a>', ["HTTPS://A.test/"]),
    # what is no tag
    ('<!-- <a href="https://a.test/"> -->', []),
    ('<!--> <a href="https://a.test/">', ["https://a.test/"]),
    ('<!-- --!><a href="https://a.test/">', ["https://a.test/"]),
    ("<script>\"<a href='https://a.test/'>\"</script>", []),
    ('<style><a href="https://a.test/"></style><a href="https://b.test/">', ["https://b.test/"]),
    ('<title><a href="https://a.test/"></title>', []),
    ('<textarea><a href="https://a.test/"></textareax></textarea>', []),
    ("<img alt=\"<a href='https://a.test/'>\">", []),
    ('<plaintext><a href="https://a.test/">', []),
    ('< a href="https://a.test/">', []),
    ('<?x <a href="https://a.test/">', []),
    ('</a href="https://a.test/">', []),
    ('<a href="https://a.test/', []),
    ("1 < 2 <a href='https://a.test/'>", ["https://a.test/"]),
    ("<é <a href='https://a.test/'>", ["https://a.test/"]),
    # what is left alone
    ('<a href="javascript:alert(1)">x</a>', []),
    ('<a href="java&#10;script:alert(1)">x</a>', []),
    ('<a href="&#106;avascript:alert(1)">x</a>', []),
    ('<a href="data:text/html,x">x</a>', []),
    ('<a href="vbscript:x">x</a><a href="file:///etc">x</a><a href="ftp://a.test/">x</a>', []),
    ('<a href="mailto:a@b.test">x</a><a href="tel:+1">x</a><a href="#top">x</a><a href="/p">x</a>', []),
    ('<a href="//a.test/">x</a><a href="">x</a><a href>x</a><a name="n">x</a>', []),
    ('<a href="https://a.test/" data-carepost-notrack>x</a>', []),
    ('<a data-carepost-notrack="" href="https://a.test/">x</a>', []),
    ('<a href="https://user:pass@a.test/">x</a>', []),
    ('<a href="https://a.test\\@b.test/">x</a>', []),
    ('<a href="https://a.test/&#13;&#10;Set-Cookie: x=1">x</a>', []),
    ('<a href="https://a.test/\r\nX: 1">x</a>', []),
    ('<a href="https://a.test:99999/">x</a><a href="https://[::1/">x</a><a href="https:///x">x</a>', []),
    ('<a href="https://bücher.test/">x</a>', []),
    ('<base href="https://a.test/"><link href="https://a.test/"><form action="https://a.test/">', []),
]


@pytest.mark.parametrize(("page", "found"), PAGES, ids=[f"page-{n}" for n in range(len(PAGES))])
def test_links_are_read_as_browsers_read_them(page: str, found: list[str]) -> None:
    assert targets(page.encode()) == found


def test_bi_095_what_a_target_holds_can_never_become_a_header() -> None:
    """BI-095: neither a line end nor another scheme passes, however it is written."""
    for value in ("https://a.test/\r\nX: y", "https://a.test/\x00", "https://a.test/\u0085x", "\thttps://a.test/\n/x",
                  "javascript://a.test/%0aalert(1)", "https:a.test", "https:/a.test", "https:\\\\a.test/"):  # fmt: skip
        assert links.web(value) == ""


def test_everything_else_stays_octet_by_octet() -> None:
    page = (
        b"\xef\xbb\xbf<!doctype html><BODY  bgcolor=#fff>\r\n<p>caf\xe9 &nbsp;</p>"
        b'<a  class="x"   href="https://a.test/"  >'
        b"A</a><a href=https://b.test/x>B</a><a href='#c'>C</a>\x00\xff</BODY>\n"
    )
    found = links.read(page, "cp1252")
    made = links.replace(page, found, lambda anchor: "https://t.test/c/" + anchor.target[8], b"<i></i>")
    expected = page.replace(b'"https://a.test/"', b'"https://t.test/c/a"').replace(
        b"=https://b.test/x", b"=https://t.test/c/b"
    )
    assert made == expected.replace(b"</BODY>", b"<i></i></BODY>")


def test_a_link_may_be_left_and_the_picture_comes_to_the_end() -> None:
    page = b'<a href="https://a.test/">A</a><!-- unfinished </body>'
    assert links.replace(page, links.read(page), lambda _: "", b"<i>") == page.replace(b"<!--", b"<i><!--")
    assert links.replace(b"<p>x", links.read(b"<p>x"), lambda _: "", b"<i>") == b"<p>x<i>"


def test_a_page_is_followed_up_to_a_number_of_links() -> None:
    assert len(targets(b'<a href="https://a.test/">' * (links.MOST + 5))) == links.MOST


HOSTILE = {
    "tags": ("", "<a ", ""),
    "quote": ('<a href="', "x", ""),
    "comments": ("", "<!-- -->", ""),
    "comments-open": ("", "<!--", ""),
    "bang": ("", "<!-- --! ", ""),
    "slashes": ("<a/", "/ ", ""),
    "attributes": ("<a ", "b=c ", ">"),
    "equals": ("<a ", "= = ", ">"),
    "styles": ("", "<style></styl", ""),
    "references": ("<a href='https://a.test/", "&amp", "'>"),
    "ends": ("", "</", ""),
    "anchors": ("", "<a href=https://a.test/>", ""),
}


@pytest.mark.parametrize("shape", HOSTILE.values(), ids=HOSTILE.keys())
def test_bi_098_time_grows_with_length_alone(shape: tuple[str, str, str]) -> None:
    """BI-098: a page twice as long takes about twice the processor's time; what looks back would take four times."""
    head, middle, tail = shape

    def taken(octets: int) -> float:
        page = f"{head}{middle * (octets // len(middle))}{tail}".encode()
        gc.disable()  # the heap of a whole run's tests is not what is measured
        try:
            begun = time.process_time()
            links.read(page)
            return time.process_time() - begun
        finally:
            gc.enable()

    assert taken(600_000) < 3.4 * min(taken(300_000) for _ in range(3)) + 0.2
