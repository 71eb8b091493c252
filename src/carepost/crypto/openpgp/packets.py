"""OpenPGP packets and armor (RFC 9580 4, 6), read strictly: one reading or none, in bounded time and memory.

Knows the frame, not the cryptography. A length that runs over the end, a partial length where none may be, too many
packets or a tag nobody defined ends the reading (BI-068, BI-069)."""

import binascii
import re

import msgspec

from carepost.crypto.openpgp.errors import Malformed

PKESK, SIGNATURE, SKESK, ONE_PASS, SECRET_KEY, PUBLIC_KEY, SECRET_SUBKEY, COMPRESSED = 1, 2, 3, 4, 5, 6, 7, 8
SED, MARKER, LITERAL, TRUST, USER_ID, PUBLIC_SUBKEY, USER_ATTRIBUTE, SEIPD = 9, 10, 11, 12, 13, 14, 17, 18
AED, PADDING = 20, 21

#: only these may come in pieces or without a length (RFC 9580 4.2.1.4)
_STREAMED = frozenset({COMPRESSED, SED, LITERAL, SEIPD, AED})
_KNOWN = frozenset({*range(1, 15), SEIPD, USER_ATTRIBUTE, 19, AED, PADDING})
#: the first piece of a partial body has at least so many octets (RFC 9580 4.2.1.4); by that their number is bounded
_FIRST_PIECE = 512

MESSAGE, PUBLIC, PRIVATE, SIGNED = "MESSAGE", "PUBLIC KEY BLOCK", "PRIVATE KEY BLOCK", "SIGNATURE"
_ARMOR = re.compile(
    rb"^-----BEGIN PGP (MESSAGE|PUBLIC KEY BLOCK|PRIVATE KEY BLOCK|SIGNATURE)-----[ \t]*\r?\n"
    rb"((?:[A-Za-z][A-Za-z0-9-]{0,40}:[^\r\n]{0,200}\r?\n){0,20})[ \t]*\r?\n"
    rb"([A-Za-z0-9+/=\r\n \t]*)"
    rb"^-----END PGP (MESSAGE|PUBLIC KEY BLOCK|PRIVATE KEY BLOCK|SIGNATURE)-----[ \t]*\r?$",
    re.MULTILINE,
)
_CRC = re.compile(rb"\n=[A-Za-z0-9+/]{4}[ \t\r\n]*\Z")


class Packet(msgspec.Struct, frozen=True, gc=False):
    """`start` and `end` are offsets of the whole packet, frame included; `body` has its pieces joined."""

    tag: int
    body: bytes
    start: int
    end: int


def _cut() -> Malformed:
    return Malformed("packet", "The OpenPGP data is cut short or not well formed.")


def read(data: bytes, *, most: int = 1_000) -> list[Packet]:
    """The packets of `data` up to its last byte. Raises Malformed for anything else, and for more than `most`."""
    found: list[Packet] = []
    at = 0
    while at < len(data):
        packet = _one(data, at)
        found.append(packet)
        if len(found) > most:
            raise Malformed("packets", f"The OpenPGP data has more than {most} packets.")
        at = packet.end
    return found


def _one(data: bytes, start: int) -> Packet:
    first = data[start]
    if not first & 0x80:
        raise _cut()
    tag = first & 0x3F if first & 0x40 else (first >> 2) & 0x0F
    if tag not in _KNOWN:
        raise Malformed("packet-unknown", "The OpenPGP data has a packet of an unknown kind.")
    if first & 0x40:
        return _new_format(data, start, tag)
    kind = first & 3
    if kind == 3:
        # no length: the packet lasts to the end of what holds it
        if tag not in _STREAMED:
            raise _cut()
        return Packet(tag, data[start + 1 :], start, len(data))
    size = 1 << kind
    body = start + 1 + size
    end = body + int.from_bytes(data[start + 1 : body], "big")
    if body > len(data) or end > len(data):
        raise _cut()
    return Packet(tag, data[body:end], start, end)


def _new_format(data: bytes, start: int, tag: int) -> Packet:
    at, size, partial = _length(data, start + 1)
    if not partial:
        if at + size > len(data):
            raise _cut()
        return Packet(tag, data[at : at + size], start, at + size)
    if tag not in _STREAMED or size < _FIRST_PIECE:
        raise Malformed("packet-partial", "The OpenPGP data comes in pieces where it must not.")
    pieces: list[bytes] = []
    most = 1_024 + len(data) // _FIRST_PIECE
    while True:
        if at + size > len(data) or len(pieces) > most:
            raise _cut()
        pieces.append(data[at : at + size])
        at += size
        if not partial:
            return Packet(tag, b"".join(pieces), start, at)
        at, size, partial = _length(data, at)


def _length(data: bytes, at: int) -> tuple[int, int, bool]:
    """(offset after it, octets, whether more pieces follow) of a new-format length."""
    if at >= len(data):
        raise _cut()
    first = data[at]
    if first < 192:
        return at + 1, first, False
    if first < 224:
        if at + 2 > len(data):
            raise _cut()
        return at + 2, ((first - 192) << 8) + data[at + 1] + 192, False
    if first < 255:
        return at + 1, 1 << (first & 0x1F), True
    if at + 5 > len(data):
        raise _cut()
    return at + 5, int.from_bytes(data[at + 1 : at + 5], "big"), False


def heads(data: bytes) -> list[tuple[int, bytes]]:
    """(tag, body) of the packets before the first one that carries content, and that one's tag and first octet; in the
    new format alone. `data` may be cut off anywhere in that content. Raises Malformed."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        tag = data[at] - 0xC0
        if tag < 0:
            raise _cut()
        start, size, _ = _length(data, at + 1)
        if tag in _STREAMED:
            found.append((tag, data[start : start + 1]))
            break
        at = start + size
        found.append((tag, data[start:at]))
    return found


def frame(tag: int, body: bytes) -> bytes:
    """A packet of ours, with a five-octet length."""
    return bytes((0xC0 | tag, 0xFF)) + len(body).to_bytes(4, "big") + body


def is_armored(data: bytes) -> bool:
    return data.lstrip(b" \t\r\n").startswith(b"-----BEGIN PGP ")


def dearmor(data: bytes, *kinds: str, most: int) -> bytes:
    """The bytes inside the one armored block `data` is, blanks around it apart. Its kind is one of `kinds`.

    A wrong checksum is no reason to refuse (RFC 9580 6.1): what is inside proves itself. Raises Malformed."""
    if len(data) > most * 3 // 2 + 4096:
        raise Malformed("size", "The OpenPGP data is too large.")
    found = _ARMOR.fullmatch(data.strip(b" \t\r\n"))
    if found is None or found[1] != found[4] or found[1].decode("ascii") not in kinds:
        raise Malformed("armor", "The OpenPGP text is not one whole block of the expected kind.")
    inner = _CRC.sub(b"\n", b"\n" + found[3])
    try:
        return binascii.a2b_base64(inner.translate(None, b" \t\r\n"), strict_mode=True)
    except binascii.Error:
        raise Malformed("armor", "The OpenPGP text is not valid base64.") from None


def unwrap(data: bytes, *kinds: str, most: int) -> bytes:
    """`data` as binary packets, armored or not. Raises Malformed over `most` octets."""
    raw = dearmor(data, *kinds, most=most) if is_armored(data) else data
    if len(raw) > most:
        raise Malformed("size", "The OpenPGP data is too large.")
    return raw
