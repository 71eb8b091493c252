"""ASN.1 in its distinguished encoding, as far as CMS needs it: written by concatenation, read by a cursor.

What is read may be BER: openssl and gpgsm stream with indefinite lengths. `parse` turns that into definite lengths
first, in one pass without recursion, within limits of depth and count. The cursor itself never descends by itself.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from carepost.crypto.smime.errors import Malformed

T = TypeVar("T")

INTEGER, BITS, OCTETS, NULL, OID = 0x02, 0x03, 0x04, b"\x05\x00", 0x06
SEQUENCE, SET = 0x30, 0x31
#: a message and all within it
MAX_BYTES = 128 * 1024 * 1024
#: of BER with indefinite lengths: elements inside one another, and elements in all
MAX_DEPTH, MAX_ELEMENTS = 32, 200_000

_END: Final = b"\0\0"


def length(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    octets = (size.bit_length() + 7) // 8
    return bytes((0x80 | octets,)) + size.to_bytes(octets, "big")


def tlv(tag: int, *parts: bytes) -> bytes:
    """One element of `parts` put together."""
    return b"".join((bytes((tag,)), length(sum(map(len, parts))), *parts))


def sequence(*parts: bytes) -> bytes:
    return tlv(SEQUENCE, *parts)


def set_of(*parts: bytes) -> bytes:
    """Elements in the order DER asks for (X.690 11.6)."""
    return tlv(SET, *sorted(parts))


def integer(value: int) -> bytes:
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    """The content octets of an object identifier."""
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray()
    for arc in (first * 40 + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | (arc & 0x7F))
        out += bytes(reversed(septets))
    return bytes(out)


class _Indefinite(Malformed):
    pass


class Cursor:
    """Reads elements one after the other from data[at:end]. Raises Malformed."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int = 0, end: int = -1) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end < 0 else end

    def more(self) -> bool:
        return self.at < self.end

    def peek(self) -> int:
        """The tag octet that comes, -1 at the end."""
        return self.data[self.at] if self.at < self.end else -1

    def _head(self) -> tuple[int, int]:
        """Body and end of the element at hand; the cursor moves behind it."""
        data, at, end = self.data, self.at, self.end
        if at + 2 > end or data[at] & 0x1F == 0x1F:
            raise Malformed("cut short, or a tag nobody uses")
        size = data[at + 1]
        body = at + 2
        if size >= 0x80:
            octets = size & 0x7F
            if octets == 0:
                raise _Indefinite("indefinite length")
            if octets > 4 or body + octets > end:
                raise Malformed("length")
            size = int.from_bytes(data[body : body + octets], "big")
            body += octets
        if size > end - body:
            raise Malformed("length")
        self.at = body + size
        return body, self.at

    def enter(self, tag: int) -> "Cursor":
        """A cursor in the element at hand, which must be of this tag."""
        if self.peek() != tag:
            raise Malformed("another element was expected")
        body, end = self._head()
        return Cursor(self.data, body, end)

    def optional(self, tag: int) -> "Cursor | None":
        return self.enter(tag) if self.peek() == tag else None

    def whole(self, tag: int = -1) -> bytes:
        """The element at hand with its tag and length."""
        start = self.at
        if tag >= 0 and self.peek() != tag:
            raise Malformed("another element was expected")
        self._head()
        return self.data[start : self.at]

    def value(self, tag: int) -> bytes:
        inside = self.enter(tag)
        return self.data[inside.at : inside.end]

    def rest(self) -> bytes:
        """All that is left, tags and lengths included."""
        start, self.at = self.at, self.end
        return self.data[start : self.end]

    def integer(self) -> int:
        raw = self.value(INTEGER)
        if not 0 < len(raw) <= 64:
            raise Malformed("integer")
        return int.from_bytes(raw, "big", signed=True)

    def oid(self) -> bytes:
        raw = self.value(OID)
        if not 0 < len(raw) <= 64:
            raise Malformed("object identifier")
        return raw

    def octets(self, tag: int = OCTETS) -> bytes:
        """An octet string under this primitive tag, or in pieces under its constructed form (X.690 8.7.3)."""
        if self.peek() == tag:
            return self.value(tag)
        inside = self.enter(tag | 0x20)
        pieces = []
        while inside.more():
            pieces.append(inside.value(OCTETS))
        return b"".join(pieces)

    def algorithm(self) -> tuple[bytes, bytes]:
        """AlgorithmIdentifier: object identifier, and its parameters as they stand (b"" where there are none)."""
        inside = self.enter(SEQUENCE)
        return inside.oid(), inside.rest()

    def close(self) -> None:
        if self.at != self.end:
            raise Malformed("more than was expected")


def parse(data: bytes, schema: Callable[[Cursor], T]) -> T:
    """Reads all of `data` by `schema`; where an indefinite length stands, all of it is made definite first."""
    if len(data) > MAX_BYTES:
        raise Malformed("too large")
    try:
        return _all(data, schema)
    except _Indefinite:
        return _all(definite(data), schema)


def _all(data: bytes, schema: Callable[[Cursor], T]) -> T:
    cursor = Cursor(data)
    found = schema(cursor)
    cursor.close()
    return found


class _Open:
    """A constructed element being read. `end` is -1 where its length is indefinite."""

    __slots__ = ("end", "parts", "tag")

    def __init__(self, tag: int, end: int) -> None:
        self.tag = tag
        self.end = end
        self.parts: list[bytes] = []

    def made(self) -> bytes:
        if self.tag == OCTETS | 0x20:
            # an octet string in pieces becomes one, so the pieces of pieces do too
            return tlv(OCTETS, *(Cursor(part).value(OCTETS) for part in self.parts))
        return tlv(self.tag, *self.parts)


def definite(data: bytes) -> bytes:
    """The one BER element in `data` with definite lengths throughout. Raises Malformed."""
    size = len(data)
    stack: list[_Open] = []
    at = elements = 0
    while True:
        while stack and stack[-1].end == at:
            made = stack.pop().made()
            if not stack:
                return _only(made, at, size)
            stack[-1].parts.append(made)
        limit = next((o.end for o in reversed(stack) if o.end >= 0), size)
        if at + 2 > limit:
            raise Malformed("cut short")
        if stack and stack[-1].end < 0 and data.startswith(_END, at):
            stack[-1].end = at = at + 2
            continue
        elements += 1
        if elements > MAX_ELEMENTS or len(stack) >= MAX_DEPTH:
            raise Malformed("too many elements")
        at = _next(data, at, limit, stack)
        if not stack:
            return _only(data, at, size)


def _only(made: bytes, at: int, size: int) -> bytes:
    if at != size:
        raise Malformed("more than one element")
    return made


def _next(data: bytes, at: int, limit: int, stack: list[_Open]) -> int:
    """Takes the element at `at` whole, or opens it; the position after what was taken."""
    tag, first = data[at], data[at + 1]
    if tag & 0x1F == 0x1F:
        raise Malformed("a tag nobody uses")
    if first == 0x80:
        if not tag & 0x20:
            raise Malformed("length")
        stack.append(_Open(tag, -1))
        return at + 2
    cursor = Cursor(data, at, limit)
    body, end = cursor._head()
    if tag & 0x20 and end > body:
        stack.append(_Open(tag, end))
        return body
    if stack:
        stack[-1].parts.append(data[at:end])
    return end
