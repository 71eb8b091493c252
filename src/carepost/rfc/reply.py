"""Replies of an SMTP server (RFC 5321 4.2, RFC 2034), read within bounds (BI-024)."""

import re

import msgspec

#: octets of one line (RFC 5321 says 512; servers with long texts exist), lines and octets of one reply
MAX_LINE, MAX_LINES, MAX_REPLY = 4_096, 256, 65_536
#: what stands for a reply that is none: temporary, so nothing is lost by it
MALFORMED_CODE = 451

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
_CONTROL = re.compile(r"[^\x20-\x7e]+")


class Reply(msgspec.Struct, frozen=True):
    """`lines` hold the text without codes, printable ASCII only. `enhanced` is "" where none was given."""

    code: int
    enhanced: str
    lines: tuple[str, ...]
    #: not a reply; `code` is 451 then
    malformed: bool = False

    @property
    def text(self) -> str:
        """On one line, at most 512 characters: `550 5.1.1 No such user`. May name an address: sealed, never logged."""
        return f"{self.code} {' '.join(self.lines)}"[:512].rstrip()

    @property
    def positive(self) -> bool:
        return self.code < 400


def make(code: int, lines: tuple[str, ...] | list[str]) -> Reply:
    """A Reply from its code and texts; the enhanced code is read from the first line where it agrees."""
    found = _ENHANCED.match(lines[0]) if lines else None
    enhanced = found[0] if found is not None and int(found[1]) == code // 100 else ""
    return Reply(code, enhanced, tuple(lines))


def malformed(text: str) -> Reply:
    return Reply(MALFORMED_CODE, "4.5.0", (text,), malformed=True)


class Parser:
    """Feed it what arrives; it returns the replies that are complete, in order.

    After a malformed reply nothing can be told apart any more: `broken` is True and the connection is to be closed.
    Text that is not ASCII is shown as "?"; a 5xx that carries it counts as temporary (BI-024), a 2xx stands, because a
    message accepted must never be sent again."""

    __slots__ = ("_buffer", "_code", "_foreign", "_lines", "_size", "broken", "pending")

    def __init__(self) -> None:
        self._buffer = b""
        self._code = 0
        self._lines: list[str] = []
        self._size = 0
        self._foreign = False
        self.broken = False
        #: part of a reply has arrived
        self.pending = False

    def feed(self, data: bytes) -> list[Reply]:
        broken = self.broken
        if broken:
            return []
        if self._buffer:
            data = self._buffer + data
        replies: list[Reply] = []
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            line = data[start : end - 1 if end > start and data[end - 1] == 13 else end]
            start = end + 1
            reply = self._line(line)
            if reply is not None:
                replies.append(reply)
                if self.broken:
                    return replies
        self._buffer = data[start:]
        if len(self._buffer) > MAX_LINE:
            replies.append(self._break("the reply line is too long"))
            return replies
        self.pending = bool(self._buffer or self._lines)
        return replies

    def _break(self, text: str) -> Reply:
        self.broken = True
        self.pending = False
        self._buffer = b""
        self._lines = []
        return malformed(text)

    def _line(self, line: bytes) -> Reply | None:
        found = _LINE.fullmatch(line)
        if found is None or len(line) > MAX_LINE:
            return self._break("the reply is not well formed")
        code = int(found[1])
        if self._lines and code != self._code:
            return self._break("the lines of the reply have different codes")
        raw = found[3] or b""
        if raw.isascii():
            text = raw.decode("ascii")
            text = text if text.isprintable() else _CONTROL.sub(" ", text)
        else:
            text = _CONTROL.sub("?", raw.decode("ascii", "replace"))
            self._foreign = True
        self._code = code
        self._lines.append(text)
        self._size += len(line)
        if found[2] == b"-":
            if len(self._lines) >= MAX_LINES or self._size > MAX_REPLY:
                return self._break("the reply has too many lines")
            return None
        lines, self._lines, self._size = self._lines, [], 0
        foreign, self._foreign = self._foreign, False
        if foreign and code >= 500:
            return Reply(MALFORMED_CODE, "4.5.0", (str(code), *lines), malformed=True)
        return make(code, lines)
