"""The header section of a message, read once (RFC 5322), and changed without touching another byte.

Faults with two readings are refused, because the part that decides and the part that signs must see the same sender.
"""

import re
from collections.abc import Set as AbstractSet

import msgspec

from carepost.rfc import date, words
from carepost.rfc.address import Mailbox, parse_mailboxes
from carepost.rfc.errors import AddressError, MessageError

#: octets of the header section, fields in it, octets of one field (BI-050)
MAX_HEADER, MAX_FIELDS, MAX_FIELD = 512 * 1024, 1_000, 128 * 1024
#: Received fields a message may have gathered (RFC 5321 6.3); one more is a loop (BI-027)
MAX_RECEIVED = 100

#: at most one of each (RFC 5322 3.6, RFC 2045 3): a second would be another message to another reader (BI-047, BI-054)
SINGLE = frozenset(
    {b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc", b"message-id", b"in-reply-to", b"references", b"subject"}
    | {b"date", b"mime-version", b"content-type", b"content-transfer-encoding", b"content-disposition", b"content-id"}
)

#: never leaves with outgoing mail (DESIGN 3): blind copies, what only we may set, addresses of clients
REMOVED = frozenset(
    {b"bcc", b"resent-bcc", b"return-path", b"delivered-to", b"x-originating-ip", b"x-originating-email"}
    | {b"x-client-ip", b"x-sender-ip", b"x-source-ip", b"x-remote-ip", b"x-real-ip", b"x-forwarded-for"}
    | {b"x-source-auth", b"x-authenticated-sender", b"x-authenticated-user", b"x-sender-id", b"x-php-script"}
    | {b"x-apparently-to", b"x-rcpt-to", b"x-envelope-to", b"envelope-to", b"x-original-to"}
)
#: triggers and secrets for us
REMOVED_PREFIX = b"x-carepost-"
_OURS = len(REMOVED_PREFIX)

_FIELD = re.compile(rb"^([!-9;-~]++):", re.MULTILINE)
_UNFOLD = re.compile(rb"\r\n(?=[ \t])")
_MESSAGE_ID = re.compile(r"<([^<>\s\x00-\x1f\x7f]{1,995})>")
_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,255}")
_NOT_WELL_FORMED = "The header of the message is not well formed."


class Field(msgspec.Struct, frozen=True, gc=False):
    """One header field. Offsets: `start` of the name, `value` just after the colon, `end` after its CRLF."""

    #: lower case
    name: bytes
    start: int
    value: int
    end: int


class Message(msgspec.Struct, frozen=True):
    """A message's header section; `raw` is the whole message. `header_end` is the offset of the first body octet."""

    raw: bytes
    fields: tuple[Field, ...]
    header_end: int
    #: at least one; more than one only beside a Sender
    from_: tuple[Mailbox, ...]
    first: dict[bytes, Field]

    def get(self, name: str) -> str | None:
        """The first such field's value, unfolded and trimmed, not decoded; None where there is none."""
        field = self.first.get(name.lower().encode("latin-1", "replace"))
        return None if field is None else self.text(field)

    def all(self, name: str) -> list[str]:
        wanted = name.lower().encode("latin-1", "replace")
        return [self.text(f) for f in self.fields if f.name == wanted]

    def text(self, field: Field) -> str:
        """A field's value, unfolded and trimmed; octets that are not UTF-8 become U+FFFD."""
        value = self.raw[field.value : field.end - 2]
        if b"\n" in value:
            value = _UNFOLD.sub(b"", value)
        return value.decode("utf-8", "replace").strip(" \t")

    @property
    def subject(self) -> str:
        """Decoded and safe to show (BI-044), at most 998 characters; "" where there is none."""
        return words.decode((self.get("subject") or "")[:16_384])[:998]

    @property
    def message_id(self) -> str:
        """With its angle brackets; "" where there is none or it is not well formed (BI-065)."""
        found = _MESSAGE_ID.fullmatch(self.get("message-id") or "")
        return found[0] if found else ""

    @property
    def date_raw(self) -> str:
        """As written: it is the sender's claim, never our clock (BI-065)."""
        return words.safe(self.get("date") or "")[:128]

    @property
    def automatic(self) -> bool:
        """Mail that must cause no mail (RFC 3834 2)."""
        submitted = (self.get("auto-submitted") or "no").partition(";")[0].strip().lower()
        precedence = (self.get("precedence") or "").strip().lower()
        return submitted != "no" or precedence in ("bulk", "junk", "list") or b"list-id" in self.first

    def mailboxes(self, name: str) -> list[Mailbox]:
        """Of To, Cc, Reply-To, Sender. Raises AddressError; [] where there is no such field."""
        value = self.get(name)
        return parse_mailboxes(value) if value else []


def read(raw: bytes, *, most_received: int = MAX_RECEIVED) -> Message:
    """Reads the header section once. Raises MessageError over a limit or for a structural fault (BI-027, 043..050).

    `most_received`: more only where a message is looked at, and goes nowhere."""
    end = _header_size(raw)
    fields = _fields(raw, end)
    first: dict[bytes, Field] = {}
    received = 0
    for field in fields:
        name = field.name
        if name not in first:
            first[name] = field
        elif name in SINGLE:
            raise MessageError("duplicate-field", "A header field that may appear once appears twice.")
        elif name == b"received":
            received += 1
    # the first Received stands in `first`
    if received >= most_received:
        raise MessageError("loop", "The message has passed through too many servers: a mail loop.", "5.4.6")
    if len(fields) > MAX_FIELDS:
        raise MessageError("header-fields", "The message has more than 1,000 header fields.", "5.3.4", reply=552)
    header_end = end if end >= len(raw) else end + 2
    message = Message(raw, fields, header_end, (), first)
    return Message(raw, fields, header_end, _senders(message), first)


class Head(msgspec.Struct, frozen=True):
    """A header that was read, kept without its body. `read`: its `raw` is the header alone, the empty line included;
    `at`: octets of the trace fields that were put before it since then."""

    read: Message
    at: int

    @classmethod
    def of(cls, message: Message, at: int) -> "Head":
        alone = message.raw[: message.header_end]
        return cls(Message(alone, message.fields, message.header_end, message.from_, message.first), at)

    def heads(self, raw: bytes) -> bool:
        """Whether it is the header of these octets, one by one."""
        return self.read.raw.endswith(b"\r\n\r\n") and raw.startswith(self.read.raw, self.at)


def section(raw: bytes) -> tuple[tuple[Field, ...], int]:
    """The header fields of any MIME entity, and the offset of its body: no field is asked for, none is checked.

    Raises MessageError over a limit or for a line that is no field."""
    if raw.startswith(b"\r\n"):
        return (), 2
    end = _header_size(raw)
    return _fields(raw, end), end if end >= len(raw) else end + 2


def _header_size(raw: bytes) -> int:
    """Octets of the fields, without the empty line."""
    if raw.startswith(b"\r\n"):
        raise MessageError("no-from", "The message has no header.")
    end = raw.find(b"\r\n\r\n", 0, MAX_HEADER) + 2
    if end == 1:
        if len(raw) > MAX_HEADER:
            raise MessageError("header-size", "The header of the message is larger than 512 KiB.", "5.3.4", reply=552)
        end = len(raw)
    return end


def _fields(raw: bytes, end: int) -> tuple[Field, ...]:
    if not raw.endswith(b"\r\n", 0, end) or b"\0" in raw[:end]:
        raise MessageError("header-syntax", _NOT_WELL_FORMED)
    lines = raw.count(b"\r\n", 0, end)
    if raw.count(b"\n", 0, end) != lines or raw.count(b"\r", 0, end) != lines:
        raise MessageError("header-syntax", _NOT_WELL_FORMED)
    found = list(_FIELD.finditer(raw, 0, end))
    # each line is a field or the continuation of one; anything else would be body to some readers
    if len(found) + raw.count(b"\n ", 0, end) + raw.count(b"\n\t", 0, end) != lines:
        raise MessageError("header-syntax", _NOT_WELL_FORMED)
    if len(found) > 50 * MAX_FIELDS:
        raise MessageError("header-fields", "The message has more than 1,000 header fields.", "5.3.4", reply=552)
    fields = []
    stop = end
    for match in reversed(found):
        start = match.start()
        if stop - start > MAX_FIELD:
            raise MessageError("header-size", "A header field is larger than 128 KiB.", "5.3.4", reply=552)
        fields.append(Field(match[1].lower(), start, match.end(), stop))
        stop = start
    fields.reverse()
    return tuple(fields)


def _senders(message: Message) -> tuple[Mailbox, ...]:
    value = message.get("from")
    if not value:
        raise MessageError("no-from", "The message has no From address.")
    try:
        senders = parse_mailboxes(value, groups=False)
    except AddressError:
        raise MessageError("from-syntax", "The From address of the message is not well formed.") from None
    if len(senders) > 1 or b"sender" in message.first:
        try:
            sender = message.mailboxes("sender")
        except AddressError:
            sender = []
        if len(sender) != 1 or sender[0].group:
            raise MessageError("from-many", "A message with several From addresses needs one Sender address.")
    return tuple(senders)


def removed(message: Message) -> frozenset[bytes]:
    """The names of this message's fields that must not leave with it: for `rewrite`."""
    return frozenset([n for n in message.first if n in REMOVED or n[:_OURS] == REMOVED_PREFIX])


def rewrite(raw: bytes, message: Message, drop: AbstractSet[bytes] = frozenset(), prepend: bytes = b"") -> bytes:
    """`raw` without the fields named in `drop` (lower case) and with `prepend` (whole fields) before it.

    Every other octet stays as it is."""
    if not drop or drop.isdisjoint(message.first):
        return prepend + raw
    parts = [prepend]
    kept = 0
    for field in message.fields:
        if field.name in drop:
            parts.append(raw[kept : field.start])
            kept = field.end
    parts.append(raw[kept:])
    return b"".join(parts)


def repair(raw: bytes, message: Message, *, at: int, message_id: str, host: str) -> bytes:
    """What RFC 6409 8 lets a submission server add: a missing Date and Message-ID. What is there stays (BI-065).

    `at`: UTC microseconds; `message_id`: an opaque token, `host`: our name for the id. Returns `raw` itself where
    nothing is missing, so the caller reads again only when it has to."""
    added = b""
    if b"date" not in message.first:
        added += f"Date: {date.text(at)}\r\n".encode("ascii")
    if b"message-id" not in message.first:
        if _TOKEN.fullmatch(message_id) is None or _TOKEN.fullmatch(host) is None:
            raise MessageError("message-id", "The Message-ID to add is not well formed.")
        added += f"Message-ID: <{message_id}@{host}>\r\n".encode("ascii")
    return added + raw if added else raw
