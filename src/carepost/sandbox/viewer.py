"""The inbox viewer at /sandbox/: pages for people and JSON for programs, GET only, loopback only, no script.

A mail's HTML is cleaned and shown in a sandboxed frame; attachments are downloads. Mailbox pages have opaque names.
"""

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, unquote

import msgspec

from carepost.sandbox import pages, reading
from carepost.sandbox.pages import BASE
from carepost.sandbox.store import Counters, Mail, Store
from carepost.sandbox.web import Page, Receive, Scope, Send, send_page

WAIT_LIMIT = 60.0
STYLE = Path(__file__).with_name("style.css")

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
FILE_POLICY = "default-src 'none'; sandbox"


class MailView(msgspec.Struct, frozen=True):
    """A mail in the JSON interface. `tls`: "" when it came in clear, else its version."""

    id: str
    at: int
    domain: str
    kind: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    size: int
    tls: str
    cipher: str
    complete: bool
    connection: int
    transaction: int
    faults: tuple[str, ...]


class BoxView(msgspec.Struct, frozen=True):
    address: str
    domain: str
    mails: int
    #: path of its page
    page: str


class CountView(msgspec.Struct, frozen=True):
    received: int
    forgotten: int
    domains: dict[str, Counters]


class WaitView(msgspec.Struct, frozen=True):
    reached: bool
    count: int


Handler = Callable[["Viewer", str, dict[str, str]], Awaitable[Page]]


class Viewer:
    """The ASGI application over one `store`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._salt = secrets.token_bytes(16)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        head = scope["method"] == "HEAD"
        if scope["method"] not in ("GET", "HEAD"):
            page = Page(b"Only GET here\n", "text/plain", 405, (("Allow", "GET, HEAD"),))
        elif not _local(scope):
            page = Page(b"Ask for this page by 127.0.0.1 or localhost\n", "text/plain", 421)
        else:
            query = {key: values[0] for key, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
            page = await self._route(scope["path"], query)
        await send_page(send, page, head=head)

    async def _route(self, path: str, query: dict[str, str]) -> Page:
        for pattern, handler in ROUTES:
            found = pattern.fullmatch(path)
            if found is not None:
                return await handler(self, found[1] if pattern.groups else "", query)
        return _missing()

    def token(self, address: str) -> str:
        """The opaque name of a mailbox page, of this run only."""
        return hashlib.blake2b(address.lower().encode(), key=self._salt, digest_size=8).hexdigest()

    def _mail(self, mail_id: str) -> Mail | None:
        return self._store.get(mail_id)

    # pages

    async def index(self, _: str, query: dict[str, str]) -> Page:
        return _html(pages.index(self._store, {a: self.token(a) for a in self._store.mailboxes()}))

    async def mailbox(self, token: str, query: dict[str, str]) -> Page:
        for address, mails in self._store.mailboxes().items():
            if self.token(address) == token:
                return _html(pages.mailbox(address, mails))
        return _missing()

    async def message(self, mail_id: str, query: dict[str, str]) -> Page:
        mail = self._mail(mail_id)
        if mail is None:
            return _missing()
        return _html(pages.message(mail, self.token(mail.recipients[0]) if mail.complete else ""))

    async def frame(self, mail_id: str, query: dict[str, str]) -> Page:
        mail = self._mail(mail_id)
        if mail is None:
            return _missing()
        return Page(pages.frame(mail), headers=(("Content-Security-Policy", FRAME_POLICY),))

    async def source(self, mail_id: str, query: dict[str, str]) -> Page:
        mail = self._mail(mail_id)
        if mail is None:
            return _missing()
        return Page(mail.raw, "text/plain; charset=utf-8", headers=(("Content-Security-Policy", FILE_POLICY),))

    async def file(self, mail_id: str, query: dict[str, str]) -> Page:
        mail = self._mail(mail_id)
        if mail is None:
            return _missing()
        return _download(mail.raw, "message/rfc822", f"{mail.id}.eml")

    async def part(self, place: str, query: dict[str, str]) -> Page:
        mail_id, _, number = place.partition("/parts/")
        mail = self._mail(mail_id)
        if mail is None:
            return _missing()
        found = next((p for p in reading.read(mail.shown).parts if str(p.number) == number), None)
        if found is None:
            return _missing()
        if found.kind in reading.PICTURES:
            return Page(found.content, found.kind, headers=(("Content-Security-Policy", FILE_POLICY),))
        return _download(found.content, "application/octet-stream", found.name)

    async def style(self, _: str, query: dict[str, str]) -> Page:
        return Page(STYLE.read_bytes(), "text/css; charset=utf-8")

    # programs

    async def api_mailboxes(self, _: str, query: dict[str, str]) -> Page:
        boxes = self._store.mailboxes().items()
        views = [BoxView(a, m[0].domain, len(m), f"{BASE}/mailboxes/{self.token(a)}") for a, m in boxes]
        return _json({"mailboxes": views})

    async def api_messages(self, _: str, query: dict[str, str]) -> Page:
        """`mailbox=ADDRESS`, or `domain=NAME` (incomplete mails too), or everything."""
        box, domain = query.get("mailbox", ""), query.get("domain", "")
        mails = self._store.mailbox(unquote(box)) if box else self._store.mails(domain)
        return _json({"messages": [_view(mail) for mail in mails]})

    async def api_counters(self, _: str, query: dict[str, str]) -> Page:
        return _json(CountView(self._store.received, self._store.forgotten, self._store.counters))

    async def api_wait(self, _: str, query: dict[str, str]) -> Page:
        """Until `count` mails came (to `mailbox`, when given), at most `timeout` seconds (60)."""
        box = query.get("mailbox", "")
        try:
            wanted = int(query.get("count", "1"))
            timeout = min(max(float(query.get("timeout", "30")), 0.0), WAIT_LIMIT)
        except ValueError:
            return Page(b'{"error": "count and timeout are numbers"}', "application/json", 400)

        def have(store: Store) -> int:
            return len(store.mailbox(box)) if box else store.received

        reached = await self._store.wait(lambda store: have(store) >= wanted, timeout)
        return _json(WaitView(reached, have(self._store)))


def _view(mail: Mail) -> MailView:
    version, cipher = (mail.tls.version, mail.tls.cipher) if mail.tls else ("", "")
    return MailView(
        mail.id, mail.at, mail.domain, mail.kind, mail.sender, mail.recipients, reading.read(mail.shown).subject,
        len(mail.raw), version, cipher, mail.complete, mail.connection, mail.transaction, mail.faults,
    )  # fmt: skip


def _html(body: bytes) -> Page:
    return Page(body, headers=(("Content-Security-Policy", PAGE_POLICY),))


def _missing() -> Page:
    return Page(pages.missing(), status=404, headers=(("Content-Security-Policy", PAGE_POLICY),))


def _json(value: object) -> Page:
    return Page(msgspec.json.encode(value), "application/json")


def _download(content: bytes, kind: str, name: str) -> Page:
    plain = re.sub(r'[^\x20-\x7e]|["\\]', "_", name)
    disposition = f'attachment; filename="{plain}"'
    return Page(content, kind, headers=(("Content-Disposition", disposition), ("Content-Security-Policy", FILE_POLICY)))


def _local(scope: Scope) -> bool:
    """A page elsewhere must not reach us through a name it points at 127.0.0.1 (DNS rebinding)."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower()
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    return name in ("127.0.0.1", "localhost", "[::1]")


_ID = r"([0-9a-f-]{36})"
ROUTES: tuple[tuple[re.Pattern[str], Handler], ...] = (
    (re.compile(rf"{BASE}/?"), Viewer.index),
    (re.compile(rf"{BASE}/style\.css"), Viewer.style),
    (re.compile(rf"{BASE}/mailboxes/([0-9a-f]{{16}})"), Viewer.mailbox),
    (re.compile(rf"{BASE}/messages/{_ID}"), Viewer.message),
    (re.compile(rf"{BASE}/messages/{_ID}/html"), Viewer.frame),
    (re.compile(rf"{BASE}/messages/{_ID}/raw"), Viewer.source),
    (re.compile(rf"{BASE}/(?:api/)?messages/{_ID}\.eml"), Viewer.file),
    (re.compile(rf"{BASE}/messages/([0-9a-f-]{{36}}/parts/\d{{1,4}})"), Viewer.part),
    (re.compile(rf"{BASE}/api/mailboxes"), Viewer.api_mailboxes),
    (re.compile(rf"{BASE}/api/messages"), Viewer.api_messages),
    (re.compile(rf"{BASE}/api/counters"), Viewer.api_counters),
    (re.compile(rf"{BASE}/api/wait"), Viewer.api_wait),
)
