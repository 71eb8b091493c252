"""One GET over TLS, the way RFC 8461 3.3 wants it: certificate checked, status 200, no redirect, bounded in all.
And one POST, for TLS reports (RFC 8460 5.4), as careful."""

import asyncio
import ssl
from collections.abc import Mapping

import httptools

from carepost.delivery import mx
from carepost.delivery.mtasts import MAX_BYTES
from carepost.delivery.resolver import Resolver
from carepost.ground import suites
from carepost.ground.errors import CarepostError

#: seconds for the whole exchange, bytes of a body and of all there is besides
TIMEOUT, HEAD = 60.0, 16_384
#: RFC 9110 15.4, of those that name another place
_MOVED = frozenset({301, 302, 303, 307, 308})


class NotHad(CarepostError, OSError):
    """The page was not had as asked; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code, "The page could not be fetched.")


def context(extra_ca: str = "") -> ssl.SSLContext:
    """Web PKI, TLS 1.2 at least, subjectAltName only; `extra_ca`: a PEM file trusted besides."""
    made = suites.modern(ssl.create_default_context())
    made.hostname_checks_common_name = False
    if extra_ca:
        made.load_verify_locations(extra_ca)
    return made


class Moved(NotHad):
    """The page is elsewhere, `location` as the server wrote it: nobody follows it unasked."""

    def __init__(self, location: str) -> None:
        super().__init__("moved")
        self.location = location


class _Page:
    """httptools' callbacks."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.body = bytearray()
        self.done = False
        self.kind = b""
        self.location = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self.kind = value.partition(b";")[0].strip().lower()
        elif name.lower() == b"location":
            self.location = value.strip()

    def on_body(self, data: bytes) -> None:
        self.body += data
        if len(self.body) > self.limit:
            raise NotHad("too-long")

    def on_message_complete(self) -> None:
        self.done = True


async def get(
    host: str,
    path: str,
    *,
    address: str,
    port: int,
    tls: ssl.SSLContext,
    limit: int,
    seconds: float = TIMEOUT,
    kind: bytes = b"text/plain",
) -> bytes:
    """The body of `https://host/path`, connected to `address`:`port`. Raises NotHad, OSError, TimeoutError."""
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(address, port, ssl=tls, server_hostname=host)
        try:
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: carepost\r\nAccept: text/plain\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            return await _read(reader, limit, kind)
        finally:
            writer.transport.abort()


async def post(
    host: str,
    path: str,
    data: bytes,
    *,
    address: str,
    port: int,
    tls: ssl.SSLContext,
    kind: str,
    seconds: float = TIMEOUT,
) -> None:
    """Hands `data` over; a 2xx is all that is asked for. Raises NotHad, OSError, TimeoutError. Never follows."""
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(address, port, ssl=tls, server_hostname=host)
        try:
            head = (
                f"POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: carepost\r\nContent-Type: {kind}\r\n"
                f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode() + data)
            status, _ = await _page(reader, HEAD)
        finally:
            writer.transport.abort()
    if status // 100 != 2:
        raise NotHad("status")


async def exchange(
    host: str, path: str, *, address: str, port: int, tls: ssl.SSLContext | None, limit: int, data: bytes = b"",
    kind: str = "", seconds: float = TIMEOUT,
) -> bytes:  # fmt: skip
    """What `host` answers, of any media type: to a GET, or to a POST of `data`. `tls` None: plain HTTP, for what is
    signed itself. Raises NotHad ("status" for any but 200), Moved, OSError, TimeoutError. Never follows."""
    head = f"Host: {host}\r\nUser-Agent: carepost\r\nAccept: */*\r\nConnection: close\r\n"
    if data:
        head = f"POST {path} HTTP/1.1\r\n{head}Content-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
    else:
        head = f"GET {path} HTTP/1.1\r\n{head}\r\n"
    async with asyncio.timeout(seconds):
        name = host if tls is not None else None
        reader, writer = await asyncio.open_connection(address, port, ssl=tls, server_hostname=name)
        try:
            writer.write(head.encode("ascii") + data)
            status, page = await _page(reader, limit)
        finally:
            writer.transport.abort()
    if status in _MOVED and page.location:
        raise Moved(page.location.decode("latin-1"))
    if status != 200:
        raise NotHad("status")
    return bytes(page.body)


async def _read(reader: asyncio.StreamReader, limit: int, kind: bytes) -> bytes:
    status, page = await _page(reader, limit)
    if status != 200:
        raise NotHad("status")
    if page.kind != kind:
        raise NotHad("media-type")
    return bytes(page.body)


async def _page(reader: asyncio.StreamReader, limit: int) -> tuple[int, _Page]:
    page = _Page(limit)
    parser = httptools.HttpResponseParser(page)
    total = 0
    while not page.done:
        data = await reader.read(16_384)
        total += len(data)
        if not data:
            # Also a body without a length: where the connection ends, anybody on the way may have ended it.
            raise NotHad("cut-off")
        if total > limit + HEAD:
            raise NotHad("too-long")
        try:
            parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise error.__context__ if isinstance(error.__context__, NotHad) else NotHad("not-http") from None
    return parser.get_status_code(), page


class PolicyFetch:
    """`mtasts.Fetch`: the policy file of a policy host, over addresses of the public network or the dial table."""

    def __init__(
        self, resolver: Resolver, tls: ssl.SSLContext, *, dial: Mapping[str, tuple[str, int]] | None = None
    ) -> None:
        self._resolver = resolver
        self._tls = tls
        self._dial = dict(dial or {})

    async def __call__(self, host: str) -> bytes:
        """Raises OSError, TimeoutError."""
        # An alias is allowed here: whoever hosts the policy for a domain shows a certificate for this name.
        there = await mx.reach(self._resolver, host, 443, implicit=True, dial=self._dial)
        if not there.addresses:
            raise NotHad(there.fault or "no-address")
        failure: OSError = NotHad("no-address")
        for address in there.addresses[:2]:
            try:
                return await get(
                    host, "/.well-known/mta-sts.txt", address=address, port=there.port, tls=self._tls, limit=MAX_BYTES
                )
            except OSError as error:
                failure = error
        raise failure
