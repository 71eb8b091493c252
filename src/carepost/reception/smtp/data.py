"""The bytes after 354 (RFC 5321 4.1.1.4): found the end, strict about lines, without work per line.

Only <CRLF>.<CRLF> ends a message. A bare CR, a bare LF or a NUL anywhere refuses it (BI-001..005): two servers that
disagree about an end of line are how mail is smuggled.
"""

import enum
import io

from carepost.rfc import lines

_DOT, _END = b"\r\n.", b"\r\n.\r\n"


class Fault(enum.Enum):
    NONE = 0
    BARE_NEWLINE = 1
    NUL = 2
    TOO_LARGE = 3
    #: the process holds as many bodies as it may
    NO_ROOM = 4


class DataReader:
    """Feed it chunks until `feed` answers with what followed the end. Then `body()` is the message, unstuffed."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._chunks: list[bytes] = []
        #: the line before the first one is taken as ended: "." at the very start is an end too
        self._tail = b"\r\n"
        #: notes every kind of line end it meets, also across chunks; CPython's fastest exact scan (as in rfc.lines)
        self._ends = io.IncrementalNewlineDecoder(None, translate=False)
        #: a line begins with a dot that is not the end: the body must be unstuffed
        self._dots = False
        #: bytes taken so far, kept or dropped
        self.seen = 0
        self.fault = Fault.NONE

    def feed(self, chunk: bytes) -> bytes | None:
        """What followed the end of the message, or None while it has not come."""
        end = self._find_end(chunk)
        part = chunk if end is None else chunk[:end]
        self.seen += len(part)
        if self.fault is Fault.NONE:
            self._judge(part)
        if self.fault is Fault.NONE:
            self._chunks.append(part)
        else:
            self._chunks.clear()
        if end is not None:
            return chunk[end:]
        self._tail = chunk[-4:] if len(chunk) >= 4 else (self._tail + chunk)[-4:]
        return None

    def refuse(self, fault: Fault) -> None:
        """Keep reading to the end of the message, keep nothing of it."""
        self.fault = fault
        self._chunks.clear()

    def body(self) -> bytes:
        """The message with CRLF lines and its dots unstuffed (RFC 5321 4.5.2)."""
        stuffed = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        body = stuffed[:-3]
        return lines.unstuff(body) if self._dots else body

    def _find_end(self, chunk: bytes) -> int | None:
        """Where in `chunk` the bytes after the end begin. The end may have begun in an earlier chunk.

        One scan finds the first line that begins with a dot: in most messages that is the end."""
        seam = self._tail + chunk[:4]
        first = seam.find(_DOT)
        if first >= 0:
            end = seam.find(_END, first)
            if end >= 0:
                return end + 5 - len(self._tail)
            self._dots = True
        first = chunk.find(_DOT)
        if first < 0:
            return None
        if chunk.startswith(_END, first):
            return first + 5
        self._dots = True
        end = chunk.find(_END, first)
        return None if end < 0 else end + 5

    def _judge(self, part: bytes) -> None:
        if self.seen > self._limit:
            self.fault = Fault.TOO_LARGE
        elif b"\0" in part:
            self.fault = Fault.NUL
        else:
            self._ends.decode(part.decode("latin-1"))
            if self._ends.newlines not in (None, "\r\n"):
                self.fault = Fault.BARE_NEWLINE
