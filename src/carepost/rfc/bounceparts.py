"""The parts of a report that came back, as far as they can be read: many systems keep to no standard, and the mail they
quote spoils their structure. For bounces alone, of which nothing is believed. Bounded, never raises."""

import binascii
import quopri
import re
from typing import Final

import msgspec

#: parts of one mail, levels, octets of one part's header
_PARTS, _DEPTH, _HEADER = 60, 4, 32 * 1024
_BOUNDARY: Final = re.compile(rb'boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_UNFOLD: Final = re.compile(rb"\r\n[ \t]+")
_TYPE: Final = re.compile(rb"^content-type:[ \t]*([!-:<-~]{1,80})", re.IGNORECASE | re.MULTILINE)
_ENCODING: Final = re.compile(rb"^content-transfer-encoding:[ \t]*([a-z0-9-]{1,30})", re.IGNORECASE | re.MULTILINE)


class Section(msgspec.Struct, frozen=True):
    """`type`: lower case, text/plain where none is readable. `body`: decoded as well as it goes."""

    type: str
    body: bytes


def sections(raw: bytes) -> list[Section]:
    """Leaves in order. `raw`: with CRLF."""
    found: list[Section] = []
    _walk(raw, found, 0)
    return found


def _walk(raw: bytes, found: list[Section], depth: int) -> None:
    if raw.startswith(b"\r\n"):
        header, body = b"", raw[2:]
    else:
        header, _, body = raw.partition(b"\r\n\r\n")
    head = _UNFOLD.sub(b" ", header[:_HEADER])
    typed = _TYPE.search(head)
    kind = typed[1].decode("ascii").lower() if typed is not None else "text/plain"
    boundary = _BOUNDARY.search(head) if kind.startswith("multipart/") else None
    if boundary is None or depth >= _DEPTH:
        if len(found) < _PARTS:
            encoding = _ENCODING.search(head)
            found.append(Section(kind, _decoded(body, encoding[1].lower() if encoding is not None else b"")))
        return
    mark = b"\r\n--" + (boundary[1] or boundary[2]).rstrip()
    # what stands before the first and after the last is for readers that know nothing of parts
    for piece in (b"\r\n" + body).split(mark)[1 : _PARTS + 1]:
        if piece.startswith(b"--"):
            break
        _walk(piece.partition(b"\r\n")[2], found, depth + 1)


def _decoded(body: bytes, encoding: bytes) -> bytes:
    if encoding == b"quoted-printable":
        return quopri.decodestring(body)
    if encoding == b"base64":
        try:
            return binascii.a2b_base64(body)
        except binascii.Error:
            return body
    return body
