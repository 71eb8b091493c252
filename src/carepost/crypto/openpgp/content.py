"""What stands inside an encrypted or signed OpenPGP message (RFC 9580 10.3): one literal, and the signatures over it.

Nothing recursive and nothing unbounded: a message of a kilobyte that unpacks to ten gigabytes, or is wrapped a hundred
times, ends at the limit (BI-069). The name of a file inside is never looked at (BI-076)."""

import bz2
import zlib

import msgspec

from carepost.crypto.openpgp import packets
from carepost.crypto.openpgp.errors import Malformed
from carepost.crypto.openpgp.packets import Packet

#: octets of a decrypted message
MAX_CONTENT = 64 * 1024 * 1024
#: compressed packets inside one another; what anyone sends has one
MAX_DEPTH = 3
#: signatures over one message
MAX_SIGNATURES = 10
#: how many times its size a message may unpack to; mail of blanks reaches a hundred
_RATIO, _FREE = 500, 1024 * 1024


class Content(msgspec.Struct, frozen=True):
    """`signatures`: bodies of signature packets, each over `data`."""

    data: bytes
    signatures: tuple[bytes, ...]


def _structure() -> Malformed:
    return Malformed("structure", "The OpenPGP message has a structure that has no single reading.")


def read(data: bytes, *, most: int = MAX_CONTENT) -> Content:
    """Raises Malformed for anything but one literal, compressed or not, with its signatures before or around it."""
    before: list[bytes] = []
    after: list[bytes] = []
    for _ in range(MAX_DEPTH + 1):
        found = [p for p in packets.read(data, most=100) if p.tag not in (packets.MARKER, packets.PADDING)]
        tags = [p.tag for p in found]
        middle = next((i for i, tag in enumerate(tags) if tag in (packets.LITERAL, packets.COMPRESSED)), -1)
        if middle < 0:
            raise _structure()
        signed = _signatures(found, middle)
        if signed:
            if before or after:
                # a signature over a signed message says nothing certain about what is inside
                raise _structure()
            before = signed
        if tags[middle] == packets.LITERAL:
            return Content(_literal(found[middle].body), tuple(before))
        data = _inflate(found[middle].body, most)
    raise Malformed("nested", "The OpenPGP message is packed too many times.")


def _signatures(found: list[Packet], middle: int) -> list[bytes]:
    """One-pass signatures before and as many signatures after (RFC 9580 10.3), or signatures before alone."""
    head, tail = [p.tag for p in found[:middle]], [p.tag for p in found[middle + 1 :]]
    if len(head) > MAX_SIGNATURES or len(tail) > MAX_SIGNATURES:
        raise Malformed("signatures", "The OpenPGP message has too many signatures.")
    if head and not tail and set(head) == {packets.SIGNATURE}:
        return [p.body for p in found[:middle]]
    if set(head) - {packets.ONE_PASS} or set(tail) - {packets.SIGNATURE} or len(head) != len(tail):
        raise _structure()
    return [p.body for p in found[middle + 1 :]]


def _literal(body: bytes) -> bytes:
    if len(body) < 6 or body[:1] not in (b"b", b"t", b"u", b"m") or len(body) < 6 + body[1]:
        raise _structure()
    return body[6 + body[1] :]


def _inflate(body: bytes, most: int) -> bytes:
    """The packets inside a compressed packet. Raises Malformed over `most` octets, or far over what was sent."""
    if not body:
        raise _structure()
    limit = min(most, _FREE + _RATIO * len(body))
    kind, packed = body[0], body[1:]
    try:
        if kind == 0:
            return packed
        if kind in (1, 2):
            stream = zlib.decompressobj(-15 if kind == 1 else 15)
            data = stream.decompress(packed, limit + 1)
            ended, rest = stream.eof, stream.unused_data
        elif kind == 3:
            block = bz2.BZ2Decompressor()
            data = block.decompress(packed, limit + 1)
            ended, rest = block.eof, block.unused_data
        else:
            raise Malformed("compression", "The OpenPGP message is compressed in an unknown way.")
    except (zlib.error, OSError, ValueError, EOFError):
        raise _structure() from None
    if len(data) > limit:
        raise Malformed("bomb", "The OpenPGP message unpacks to far more than it may.")
    if not ended or rest:
        raise _structure()
    return data
