"""Streams a request to the office and its answer back; the office's outage is a 503 here and stops no mail.

One connection a request, to a Unix socket or a loopback port. Both directions are streamed, hop-by-hop fields stay
here, and the office learns the client's address from `x-forwarded-for`, which is ours alone to set.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

import httptools

from carepost.ground import log, metrics
from carepost.reception.http.asgi import Disconnected, Event, Receive, Scope, Send
from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.problem import SOON, ProblemError, problem

#: a Unix socket's path, or host and port
Address = str | tuple[str, int]

_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te"}
    | {b"trailer", b"transfer-encoding", b"upgrade", b"expect", b"content-length"}
)
_OURS = frozenset(
    {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded", b"x-real-ip", b"x-carepost-face"}
)
_CHUNK = 65_536
#: octets of a request's body after which its time begins anew
_STEP = 1_048_576
_DOWN = problem(503, "office-down", "This part is not available now; sending goes on.")


class Broken(Exception):
    """The other side spoke no HTTP, or stopped in the middle."""


class Relay:
    """To one address. `name` stands in the log. Raises a 503 problem while nobody answers there."""

    def __init__(self, address: Address, limits: HttpLimits, name: str) -> None:
        self._address = address
        self._limits = limits
        self._name = name
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._running >= self._limits.relays:
            raise ProblemError(_DOWN, SOON)
        self._running += 1
        started = False

        async def sending(event: Event) -> None:
            nonlocal started
            started = True
            await send(event)

        try:
            await self._exchange(scope, receive, sending)
        except (OSError, TimeoutError, EOFError, Broken, httptools.HttpParserError) as error:
            metrics.count("relay_failed")
            log.event("relay-failed", to=self._name, error=type(error).__name__)
            if not started:
                raise ProblemError(_DOWN, (*SOON, (b"connection", b"close"))) from None
        finally:
            self._running -= 1

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        reader, writer = await asyncio.wait_for(self._connect(), self._limits.relay_connect)
        try:
            async with asyncio.timeout(self._limits.relay_answer) as clock:
                writer.write(_head(scope))
                # a refusal may come before the body was read: both directions run at once
                upload = asyncio.ensure_future(_upload(scope, receive, writer, partial(self._goes_on, clock)))
                try:
                    await self._download(scope, reader, send, clock)
                finally:
                    upload.cancel()
                    await asyncio.gather(upload, return_exceptions=True)
        finally:
            writer.close()

    def _goes_on(self, clock: asyncio.Timeout) -> None:
        """A long body that keeps coming (a list that is imported) has the time it needs."""
        clock.reschedule(asyncio.get_running_loop().time() + self._limits.relay_answer)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._address, str):
            return await asyncio.open_unix_connection(self._address)
        return await asyncio.open_connection(*self._address)

    async def _download(self, scope: Scope, reader: asyncio.StreamReader, send: Send, clock: asyncio.Timeout) -> None:
        answer = _Answer(bodiless=scope["method"] == "HEAD")
        loop = asyncio.get_running_loop()
        begun = False
        async for _ in answer.feed(reader):
            if answer.head_complete and not begun:
                begun = True
                await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            for chunk in answer.chunks():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            clock.reschedule(loop.time() + self._limits.relay_answer)
        if not begun:
            raise Broken
        await send({"type": "http.response.body", "body": b""})


class _Answer:
    """The office's answer as httptools reads it (its callbacks are the `on_` methods)."""

    def __init__(self, *, bodiless: bool) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._bodiless = bodiless
        self._body: list[bytes] = []
        self._complete = False
        self.headers: list[tuple[bytes, bytes]] = []
        self.head_complete = False
        self.status = 0

    async def feed(self, reader: asyncio.StreamReader) -> AsyncIterator[None]:
        """Yields after each piece, until the answer is whole. Raises EOFError when it stops in the middle."""
        while not self._complete:
            data = await reader.read(_CHUNK)
            if not data:
                # without a length, the end of the connection is the end of the answer
                if self.head_complete and self._until_close:
                    return
                raise EOFError
            self._parser.feed_data(data)
            yield

    def chunks(self) -> list[bytes]:
        found, self._body = self._body, []
        return found

    @property
    def _until_close(self) -> bool:
        names = {name for name, _ in self.headers}
        return b"content-length" not in names and not self._chunked

    _chunked = False

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"transfer-encoding":
            self._chunked = True
        if name == b"content-length" or name not in _HOP:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if 100 <= self.status < 200:
            self.headers.clear()
            return
        self.head_complete = True
        self._complete = self._bodiless

    def on_body(self, body: bytes) -> None:
        if not self._bodiless:
            self._body.append(body)

    def on_message_complete(self) -> None:
        self._complete = self._complete or self.head_complete


def _head(scope: Scope) -> bytes:
    target: bytes = scope["raw_path"]
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    lines = [scope["method"].encode() + b" " + target + b" HTTP/1.1"]
    named = {token.strip().lower() for name, value in scope["headers"] if name == b"connection"
             for token in value.split(b",")}  # fmt: skip
    for name, value in scope["headers"]:
        if name not in _HOP and name not in _OURS and name not in named:
            lines.append(name + b": " + value)
    if scope.get("client"):
        lines.append(b"x-forwarded-for: " + scope["client"][0].encode())
    lines.append(b"x-forwarded-proto: " + scope["scheme"].encode())
    # which face of the office is meant: the console has a port of its own (settings.faces)
    lines.append(b"x-carepost-face: api")
    length = _length(scope)
    if length is not None:
        lines.append(b"content-length: %d" % length)
    elif _chunked(scope):
        lines.append(b"transfer-encoding: chunked")
    lines.append(b"connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _length(scope: Scope) -> int | None:
    return next((int(value) for name, value in scope["headers"] if name == b"content-length"), None)


def _chunked(scope: Scope) -> bool:
    return any(name == b"transfer-encoding" for name, _ in scope["headers"])


async def _upload(scope: Scope, receive: Receive, writer: asyncio.StreamWriter, goes_on: Callable[[], None]) -> None:
    if not _length(scope) and not _chunked(scope):
        return
    chunked = _length(scope) is None
    sent = 0
    while True:
        event = await receive()
        if event["type"] != "http.request":
            # the client is gone: without its last chunk the office sees a broken request, not a short one
            writer.transport.abort()
            raise Disconnected
        chunk: bytes = event.get("body", b"")
        if chunk:
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
            await writer.drain()
            # a body that drips holds nobody up: each megabyte must come in its time (BI-086)
            sent += len(chunk)
            if sent >= _STEP:
                sent = 0
                goes_on()
        if not event.get("more_body", False):
            break
    if chunked:
        writer.write(b"0\r\n\r\n")
        await writer.drain()
