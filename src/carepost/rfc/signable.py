"""A message in the form in which it can be signed and arrive as signed (RFC 1847 2.1, RFC 3156 3, RFC 8551 3.1.3).

Seven bits, no blank before a line end, no line that begins with "From ": what servers on the way change, encoded away.
What was signed or encrypted before is never touched; the result is read again and compared part by part."""

import binascii
import re

from carepost.rfc import mime, parts, recoding
from carepost.rfc.errors import RfcError

_FRAGILE = re.compile(rb"[ \t]\r\n|[ \t]\Z|(?:^|\n)From |[^\x00-\x7f]|\x00")
_HEADER_BLANKS = re.compile(rb"([^ \t\r\n])[ \t]+\r\n")
_PLAIN = frozenset({"7bit", "8bit", "binary", "quoted-printable"})


def convert(raw: bytes) -> bytes | None:
    """The same message, or MIME entity, ready to be signed; None where it cannot be had without changing what it says.

    `raw` itself where nothing is to be done. Line ends are CRLF already."""
    if _FRAGILE.search(raw) is None:
        return raw
    try:
        leaves = parts.walk(raw)
        pieces: list[bytes] = []
        at = 0
        for part in leaves:
            body = raw[part.start : part.end]
            if _FRAGILE.search(body) is None:
                continue
            if recoding.KEPT & set(part.within) or part.type.startswith("message/") or part.encoding not in _PLAIN:
                return None
            head = recoding.head(raw, at, part.start)
            text = part.type.startswith("text/")
            name = b"quoted-printable" if text else b"base64"
            field = b"Content-Transfer-Encoding: " + name + b"\r\n"
            kept = recoding.CTE.sub(b"", raw[head : part.start - 2])
            data = mime.decode(raw, part)
            pieces += [
                _blanks(raw[at:head]),
                _blanks(kept),
                field,
                b"\r\n",
                _quoted(data) if text else recoding.base64_lines(data),
            ]
            at = part.end
        converted = b"".join([*pieces, raw[at:]])
        if not pieces:
            # only the header was in the way
            converted = raw
        end = converted.find(b"\r\n\r\n")
        converted = _blanks(converted[: end + 2]) + converted[end + 2 :] if end >= 0 else _blanks(converted)
        return converted if _FRAGILE.search(converted) is None and recoding.same(raw, leaves, converted) else None
    except RfcError:
        return None


def _blanks(head: bytes) -> bytes:
    return _HEADER_BLANKS.sub(rb"\1\r\n", head)


def _quoted(data: bytes) -> bytes:
    # a line at a time with its blanks and its own CR and LF encoded, so no line end of the data is invented or lost
    lines = [binascii.b2a_qp(line, quotetabs=False, istext=False) for line in data.split(b"\r\n")]
    whole = b"\r\n".join(line.replace(b"=\n", b"=\r\n") for line in lines)
    # the soft break keeps the line within 76 (RFC 2045 6.7)
    return re.sub(rb"(^|\n)From ", rb"\1=46rom=20=\r\n", whole)
