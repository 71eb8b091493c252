"""A message with 8-bit bodies as one of 7 bits (RFC 6152 3), for a server without 8BITMIME. Before DKIM, or not at all.

What was signed or encrypted by its sender is never touched; the result is read again and compared part by part."""

import base64
import binascii
import re

from carepost.rfc import mime, parts
from carepost.rfc.errors import RfcError

_CTE = re.compile(rb"^content-transfer-encoding[ \t]*:[^\r]*(?:\r\n[ \t][^\r]*)*\r\n", re.IGNORECASE | re.MULTILINE)
#: inside these no octet may change (RFC 1847)
_KEPT = frozenset({"signed", "encrypted"})


def convert(raw: bytes) -> bytes | None:
    """The same message in ASCII, or None where it cannot be had without changing what it says."""
    try:
        leaves = parts.walk(raw)
        pieces: list[bytes] = []
        at = 0
        for part in leaves:
            body = raw[part.start : part.end]
            if body.isascii():
                continue
            if _KEPT & set(part.within) or part.type.startswith("message/") or part.encoding not in _PLAIN:
                return None
            head = _head(raw, at, part.start)
            name = b"quoted-printable" if part.type.startswith("text/") else b"base64"
            field = b"Content-Transfer-Encoding: " + name + b"\r\n"
            kept = _CTE.sub(b"", raw[head : part.start - 2])
            pieces += [raw[at:head], kept, field, b"\r\n", _quoted(body) if name[:1] == b"q" else _base64(body)]
            at = part.end
        converted = b"".join([*pieces, raw[at:]])
        return converted if converted.isascii() and _same(raw, leaves, converted) else None
    except RfcError:
        return None


_PLAIN = frozenset({"7bit", "8bit", "binary"})


def _head(raw: bytes, after: int, start: int) -> int:
    """Where the header of the part whose body begins at `start` begins: after the last delimiter line before it."""
    mark = raw.rfind(b"\r\n--", after, start - 2)
    return 0 if mark < 0 else raw.find(b"\r\n", mark + 2) + 2


def _quoted(body: bytes) -> bytes:
    lines = [binascii.b2a_qp(line, quotetabs=False, istext=False) for line in body.split(b"\r\n")]
    return b"\r\n".join(line.replace(b"=\n", b"=\r\n") for line in lines)


def _base64(body: bytes) -> bytes:
    return base64.encodebytes(body).replace(b"\n", b"\r\n").removesuffix(b"\r\n")


def _same(raw: bytes, before: list[parts.Part], converted: bytes) -> bool:
    after = parts.walk(converted)
    return len(after) == len(before) and all(
        (old.type, old.params, old.within, old.disposition, old.content_id)
        == (new.type, new.params, new.within, new.disposition, new.content_id)
        and mime.decode(raw, old) == mime.decode(converted, new)
        for old, new in zip(before, after, strict=True)
    )
