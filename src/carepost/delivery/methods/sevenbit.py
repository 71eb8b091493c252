"""A message with 8-bit bodies as one of 7 bits (RFC 6152 3), for a server without 8BITMIME. Before DKIM, or not at all.

What was signed or encrypted by its sender is never touched; the result is read again and compared part by part."""

import binascii

from carepost.rfc import parts, recoding
from carepost.rfc.errors import RfcError


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
            if recoding.KEPT & set(part.within) or part.type.startswith("message/") or part.encoding not in _PLAIN:
                return None
            head = recoding.head(raw, at, part.start)
            name = b"quoted-printable" if part.type.startswith("text/") else b"base64"
            field = b"Content-Transfer-Encoding: " + name + b"\r\n"
            kept = recoding.CTE.sub(b"", raw[head : part.start - 2])
            pieces += [
                raw[at:head],
                kept,
                field,
                b"\r\n",
                _quoted(body) if name[:1] == b"q" else recoding.base64_lines(body),
            ]
            at = part.end
        converted = b"".join([*pieces, raw[at:]])
        return converted if converted.isascii() and recoding.same(raw, leaves, converted) else None
    except RfcError:
        return None


_PLAIN = frozenset({"7bit", "8bit", "binary"})


def _quoted(body: bytes) -> bytes:
    lines = [binascii.b2a_qp(line, quotetabs=False, istext=False) for line in body.split(b"\r\n")]
    return b"\r\n".join(line.replace(b"=\n", b"=\r\n") for line in lines)
