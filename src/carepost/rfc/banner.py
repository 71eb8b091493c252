"""A line at the head of a message's text, in text/plain and in text/html alike; no other octet is changed.

The text must be ASCII: it stands in any charset that holds ASCII. A part whose charset does not, or whose encoding is
unknown, keeps its octets and has no banner."""

import base64
import binascii
import html
import re
from typing import Final

from carepost.rfc import parts, words
from carepost.rfc.errors import MimeError
from carepost.rfc.parts import Part

_BODY: Final = re.compile(rb"<body\b[^>]{0,4000}>", re.IGNORECASE)
#: what a part is at most, to be made anew
_LARGEST: Final = 5_000_000
_STYLE: Final = "border:1px solid #5f6b7a;padding:8px 12px;margin:0 0 12px 0;font-family:sans-serif;font-size:14px"


def put(message: bytes, text: str) -> tuple[bytes, bool]:
    """(the message with the banner, whether it found a place). `text`: one line of ASCII."""
    if not text.isascii() or "\n" in text or "\r" in text:
        raise ValueError("a banner is one line of ASCII")
    try:
        leaves = parts.walk(message)
    except MimeError:
        return message, False
    found = [_first(leaves, kind) for kind in ("text/plain", "text/html")]
    done = False
    for leaf in sorted((one for one in found if one is not None), key=lambda one: one.start, reverse=True):
        body = _with(message[leaf.start : leaf.end], leaf, text)
        if body is not None:
            message, done = message[: leaf.start] + body + message[leaf.end :], True
    return message, done


def _first(leaves: list[Part], kind: str) -> Part | None:
    """The one that is read as the message's text; never what stands in a signed part, or is a file."""
    return next(
        (
            one for one in leaves
            if one.type == kind and one.disposition != "attachment" and "signed" not in one.within
            and not one.params.get("name") and one.end - one.start <= _LARGEST
        ),
        None,
    )  # fmt: skip


def _with(body: bytes, leaf: Part, text: str) -> bytes | None:
    codec = words.codec(leaf.params.get("charset", "us-ascii")) or "us-ascii"
    if "x".encode(codec, "replace") != b"x":
        return None
    rich = leaf.type == "text/html"
    line = f'<div style="{_STYLE}">{html.escape(text)}</div>' if rich else f"[{text}]"
    if leaf.encoding == "base64":
        try:
            plain = base64.b64decode(b"".join(body.split()), validate=True)
        except (binascii.Error, ValueError):
            return None
        return _wrapped(_put(plain, line.encode(), rich=rich))
    if leaf.encoding == "quoted-printable":
        return _put(body, _quoted(line), rich=rich)
    return _put(body, line.encode(), rich=rich) if leaf.encoding in ("7bit", "8bit", "binary") else None


def _put(body: bytes, line: bytes, *, rich: bool) -> bytes:
    if rich and (found := _BODY.search(body)) is not None:
        return body[: found.end()] + b"\r\n" + line + b"\r\n" + body[found.end() :]
    return line + (b"\r\n" if rich else b"\r\n\r\n") + body


def _quoted(line: str) -> bytes:
    """RFC 2045 6.7, with soft breaks so that no line is longer than 76."""
    coded = line.replace("=", "=3D")
    pieces: list[str] = []
    while len(coded) > 70:
        cut = 70
        # a coded octet is not torn apart
        while "=" in coded[cut - 2 : cut]:
            cut -= 1
        pieces.append(coded[:cut])
        coded = coded[cut:]
    return "=\r\n".join([*pieces, coded]).encode("ascii")


def _wrapped(plain: bytes) -> bytes:
    coded = base64.b64encode(plain)
    return b"\r\n".join(coded[at : at + 76] for at in range(0, len(coded), 76)) + b"\r\n"
