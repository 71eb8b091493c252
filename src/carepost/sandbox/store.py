"""What the sandbox's mail servers received: in memory only, bounded, and counted byte by byte.

A message, a notice and a bounce are told apart by their own header, and by nothing Carepost says elsewhere;
whatever is not plainly a notice or a bounce counts as a message.
"""

import asyncio
import enum
from collections.abc import Callable

import msgspec

from carepost.ground import clock, ids
from carepost.sandbox.owners import Owners

MAX_MAILS = 50_000
MAX_BYTES = 256 * 1024 * 1024
HEADER_LIMIT = 64 * 1024


class Kind(enum.StrEnum):
    MESSAGE = "message"
    NOTICE = "notice"
    BOUNCE = "bounce"


class Tls(msgspec.Struct, frozen=True):
    """How a session was encrypted when the body arrived."""

    version: str
    cipher: str


class Mail(msgspec.Struct, frozen=True):
    """One transaction's body as it came. `raw`: after dot-unstuffing, lines ending CRLF."""

    id: str
    #: UTC microseconds
    at: int
    #: the server it came to
    domain: str
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    tls: Tls | None
    kind: Kind
    #: parameters of MAIL and RCPT as given
    parameters: tuple[str, ...] = ()
    helo: str = ""
    #: connection within its server, and transaction within its connection, from 1
    connection: int = 1
    transaction: int = 1
    #: False: the connection ended before the final dot, or the server refused the content
    complete: bool = True
    #: what RFC 5321 forbids and was seen: "bare-newline", "long-line"
    faults: tuple[str, ...] = ()
    #: what its owner's mail program made of it; b"" where it was not encrypted to its owner
    opened: bytes = b""

    @property
    def shown(self) -> bytes:
        """The message as its owner sees it."""
        return self.opened or self.raw


class Counters(msgspec.Struct):
    """Of one domain's server, since the world began. Bytes are those after DATA, finished or not."""

    connections: int = 0
    tls_sessions: int = 0
    tls_failures: int = 0
    transactions: int = 0
    recipients_refused: int = 0
    messages: int = 0
    notices: int = 0
    bounces: int = 0
    body_bytes: int = 0
    message_bytes: int = 0
    #: of `message_bytes`, those that came without TLS
    clear_message_bytes: int = 0
    incomplete: int = 0


class Store:
    """Mails by arrival. Past `MAX_MAILS` or `MAX_BYTES` the oldest go; counters and `received` keep on."""

    def __init__(self, owners: Owners | None = None) -> None:
        """`owners`: opens what is encrypted to them."""
        self._owners = owners
        self._mails: dict[str, Mail] = {}
        self._bytes = 0
        self._changed = asyncio.Event()
        self.counters: dict[str, Counters] = {}
        #: complete mails ever received
        self.received = 0
        self.forgotten = 0

    def count(self, domain: str) -> Counters:
        return self.counters.setdefault(domain, Counters())

    def add(self, mail: Mail) -> None:
        self._tally(mail)
        if self._owners is not None and mail.complete:
            mail = msgspec.structs.replace(mail, opened=self._owners.open(mail.raw, mail.recipients))
        self._mails[mail.id] = mail
        self._bytes += len(mail.raw)
        while len(self._mails) > MAX_MAILS or (self._bytes > MAX_BYTES and len(self._mails) > 1):
            oldest = self._mails.pop(next(iter(self._mails)))
            self._bytes -= len(oldest.raw)
            self.forgotten += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _tally(self, mail: Mail) -> None:
        counters = self.count(mail.domain)
        counters.body_bytes += len(mail.raw)
        if mail.kind is Kind.MESSAGE:
            counters.message_bytes += len(mail.raw)
            counters.clear_message_bytes += 0 if mail.tls else len(mail.raw)
        if not mail.complete:
            counters.incomplete += 1
            return
        self.received += 1
        if mail.kind is Kind.MESSAGE:
            counters.messages += 1
        elif mail.kind is Kind.NOTICE:
            counters.notices += 1
        else:
            counters.bounces += 1

    def mailbox(self, address: str) -> tuple[Mail, ...]:
        """Complete mails of one address, in order of arrival."""
        wanted = address.lower()
        return tuple(m for m in self._mails.values() if m.complete and wanted in (r.lower() for r in m.recipients))

    def mailboxes(self) -> dict[str, list[Mail]]:
        """Address (lower case) -> its complete mails, in order of first arrival."""
        found: dict[str, list[Mail]] = {}
        for mail in self._mails.values():
            if mail.complete:
                for address in dict.fromkeys(r.lower() for r in mail.recipients):
                    found.setdefault(address, []).append(mail)
        return found

    def mails(self, domain: str = "") -> tuple[Mail, ...]:
        """Everything kept, incomplete mails too; of one server when `domain` is given."""
        return tuple(m for m in self._mails.values() if not domain or m.domain == domain)

    def get(self, mail_id: str) -> Mail | None:
        return self._mails.get(mail_id)

    def saw(self, needle: bytes, domain: str = "") -> bool:
        """Whether any byte sequence received (finished or not) holds `needle`."""
        return any(needle in mail.raw for mail in self.mails(domain))

    async def wait(self, ready: Callable[["Store"], bool], within: float = 30.0) -> bool:
        """Until `ready(store)` after some arrival, at most `within` seconds; what `ready` last said."""
        end = clock.monotonic() + within
        while not ready(self):
            left = end - clock.monotonic()
            if left <= 0:
                return False
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                pass
        return True

    async def wait_mail(self, address: str, count: int = 1, within: float = 30.0) -> tuple[Mail, ...]:
        """The mails of `address` once there are `count`, or those there are after `within` seconds."""
        await self.wait(lambda store: len(store.mailbox(address)) >= count, within)
        return self.mailbox(address)


def new_mail(
    *,
    domain: str,
    sender: str,
    recipients: tuple[str, ...],
    parameters: tuple[str, ...],
    raw: bytes,
    tls: Tls | None,
    helo: str,
    connection: int,
    transaction: int,
    complete: bool,
) -> Mail:
    return Mail(
        ids.text(ids.new()), clock.now(), domain, sender, recipients, raw, tls, classify(raw), parameters, helo,
        connection, transaction, complete, _faults(raw),
    )  # fmt: skip


def classify(raw: bytes) -> Kind:
    """By the header alone: a delivery report is a bounce, auto-generated mail From notice@ is a notice."""
    head, separator, _ = raw[:HEADER_LIMIT].partition(b"\r\n\r\n")
    if not separator or head.startswith(b"\r\n"):
        return Kind.MESSAGE
    fields: dict[bytes, bytes] = {}
    for line in head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n"):
        name, _, value = line.partition(b":")
        fields.setdefault(name.strip().lower(), value.strip().lower())
    kind = fields.get(b"content-type", b"")
    if kind.startswith(b"multipart/report") and b"delivery-status" in kind:
        return Kind.BOUNCE
    automatic = fields.get(b"auto-submitted", b"").startswith(b"auto-generated")
    if automatic and b"notice@" in fields.get(b"from", b""):
        return Kind.NOTICE
    return Kind.MESSAGE


def _faults(raw: bytes) -> tuple[str, ...]:
    without = raw.replace(b"\r\n", b"")
    faults = []
    if b"\r" in without or b"\n" in without:
        faults.append("bare-newline")
    if any(len(line) > 998 for line in raw.split(b"\r\n")):
        faults.append("long-line")
    return tuple(faults)
