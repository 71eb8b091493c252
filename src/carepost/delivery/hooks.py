"""Calls to addresses that organisations entered (webhooks): POSTs of a few kilobytes, many at once, each bounded.

The name is resolved here and every address it leads to is judged; the one that is judged good is the one connected to,
so that DNS cannot answer otherwise in between (BI-029, BI-090). Connections are kept for a while and used again. One
answer, never followed; of its body at most a few hundred bytes are looked at."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Final

import httptools
import msgspec

from carepost.delivery.https import NotHad
from carepost.delivery.resolver import Resolver
from carepost.ground import clock
from carepost.ground.outward import Allowed, Place

#: seconds for one call, from look-up to the end of the answer's head; and for what is read of its body
TIMEOUT: Final = 20.0
BODY_TIMEOUT: Final = 2.0
#: octets of an answer's head, and of its body that are read
HEAD: Final = 16_384
BODY: Final = 2_048
#: connections kept for one host, and seconds one is kept without use
KEPT: Final = 8
IDLE: Final = 20.0
#: addresses of a host that are tried
TRIED: Final = 2


class Call(msgspec.Struct, frozen=True):
    place: Place
    body: bytes
    headers: Mapping[str, str]


class Ended(msgspec.Struct, frozen=True):
    """`status` 0: there was no answer, `code` says why. `retry_after`: seconds asked for, or 0."""

    status: int
    code: str
    took: float
    body: bytes = b""
    retry_after: int = 0


class _Answer:
    """httptools' callbacks."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.headed = self.done = False
        self.retry_after = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.lower()
        if key == b"retry-after" and value.isdigit() and len(value) < 7:
            self.retry_after = int(value)

    def on_headers_complete(self) -> None:
        self.headed = True

    def on_body(self, data: bytes) -> None:
        self.body += data[: max(0, BODY - len(self.body))]

    def on_message_complete(self) -> None:
        self.done = True


class _Kept(msgspec.Struct):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    until: float


class Calls:
    """A thread of its own with an event loop, started by the first call. `submit` and `stop` from any thread."""

    def __init__(
        self,
        make_resolver: Callable[[], Resolver],
        tls: ssl.SSLContext,
        allowed: Allowed,
        *,
        dial: Mapping[str, tuple[str, int]] | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        """`dial`: the sandbox's table, host -> (address, port); in all other homes empty."""
        self._make_resolver = make_resolver
        self._tls, self._allowed, self._dial, self._timeout = tls, allowed, dict(dial or {}), timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._resolver: Resolver | None = None
        self._kept: dict[tuple[str, int, bool], list[_Kept]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, call: Call, done: Callable[[Ended], None]) -> None:
        """`done` is called once, in the thread of the loop."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="webhook-calls", daemon=True)
            self._thread.start()
        self._loop.call_soon_threadsafe(self._begin, call, done)

    def stop(self) -> None:
        """Ends what is under way; its `done` is not called any more."""
        if self._loop is not None and self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(3.0)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(3.0)

    def _begin(self, call: Call, done: Callable[[Ended], None]) -> None:
        task = asyncio.get_running_loop().create_task(self._carry_out(call, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        tasks = [task for task in self._tasks if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for kept in [one for several in self._kept.values() for one in several]:
            kept.writer.transport.abort()
        self._kept.clear()

    async def _carry_out(self, call: Call, done: Callable[[Ended], None]) -> None:
        began = clock.monotonic()
        try:
            done(await self.call(call, began))
        except NotHad as error:
            done(Ended(0, error.code, clock.monotonic() - began))
        except TimeoutError:
            done(Ended(0, "timeout", clock.monotonic() - began))
        except ssl.SSLCertVerificationError:
            done(Ended(0, "certificate", clock.monotonic() - began))
        except ssl.SSLError:
            done(Ended(0, "tls", clock.monotonic() - began))
        except ConnectionRefusedError:
            done(Ended(0, "refused", clock.monotonic() - began))
        except (OSError, EOFError):
            done(Ended(0, "connection", clock.monotonic() - began))

    async def call(self, call: Call, began: float) -> Ended:
        """Raises NotHad (no-address, private, not-http, too-long, cut-off, …), OSError, TimeoutError."""
        place = call.place
        key = place.host, place.port, place.secure
        async with asyncio.timeout(self._timeout):
            kept = self._take(key)
            if kept is not None:
                try:
                    return await self._exchange(call, kept, key, began)
                except (NotHad, OSError, EOFError):
                    # it was closed meanwhile, or is no use: once more on a fresh one. Whether the first arrived cannot
                    # be known; the same id comes again, and receivers tell by it
                    pass
            return await self._exchange(call, await self._connect(place), key, began)

    def _take(self, key: tuple[str, int, bool]) -> _Kept | None:
        several = self._kept.get(key, [])
        while several:
            one = several.pop()
            if one.until > clock.monotonic() and not one.reader.at_eof():
                return one
            one.writer.transport.abort()
        self._kept.pop(key, None)
        return None

    async def _connect(self, place: Place) -> _Kept:
        failure: OSError = NotHad("no-address")
        for address, port in (await self._addresses(place))[:TRIED]:
            name = place.host if place.secure else None
            try:
                reader, writer = await asyncio.open_connection(
                    address, port, ssl=self._tls if place.secure else None, server_hostname=name, limit=HEAD
                )
                return _Kept(reader, writer, 0.0)
            except ssl.SSLError:
                raise
            except OSError as error:
                failure = error
        raise failure

    async def _addresses(self, place: Place) -> list[tuple[str, int]]:
        if place.literal or place.host == "localhost":
            address = place.host if place.literal else "127.0.0.1"
            if not self._allowed.address(address, place.host):
                raise NotHad("private")
            return [(address, place.port)]
        instead = self._dial.get(place.host)
        if instead is not None:
            return [instead]
        if self._resolver is None:
            self._resolver = self._make_resolver()
        v4, v6 = await asyncio.gather(
            self._resolver.addresses(place.host), self._resolver.addresses(place.host, v6=True)
        )
        found = [*v4.records, *v6.records]
        good = [one for one in found if self._allowed.address(one, place.host)]
        if not good:
            unknown = v4.unknown or v6.unknown
            raise NotHad("private" if found else "dns" if unknown else "no-address")
        return [(one, place.port) for one in good]

    async def _exchange(self, call: Call, kept: _Kept, key: tuple[str, int, bool], began: float) -> Ended:
        answer = _Answer()
        parser = httptools.HttpResponseParser(answer)
        good = False
        try:
            kept.writer.write(_request(call))
            await _head(kept.reader, parser, answer)
            try:
                async with asyncio.timeout(BODY_TIMEOUT):
                    await _body(kept.reader, parser, answer)
            except (TimeoutError, OSError):
                # what it was is known: an answer that does not end changes nothing
                pass
            good = answer.done and parser.should_keep_alive()
        finally:
            if good and len(self._kept.setdefault(key, [])) < KEPT:
                kept.until = clock.monotonic() + IDLE
                self._kept[key].append(kept)
            else:
                kept.writer.transport.abort()
        took = clock.monotonic() - began
        return Ended(parser.get_status_code(), "", took, bytes(answer.body), answer.retry_after)


def _request(call: Call) -> bytes:
    head = [f"POST {call.place.path} HTTP/1.1", f"Host: {call.place.authority}", "User-Agent: carepost-webhooks/1"]
    head += [f"{name}: {value}" for name, value in call.headers.items()]
    head += ["Content-Type: application/json", f"Content-Length: {len(call.body)}", "", ""]
    return "\r\n".join(head).encode("ascii") + call.body


async def _head(reader: asyncio.StreamReader, parser: httptools.HttpResponseParser, answer: _Answer) -> None:
    total = 0
    while not answer.headed:
        data = await reader.read(4_096)
        total += len(data)
        if not data:
            raise NotHad("cut-off")
        _feed(parser, data)
        if total > HEAD and not answer.headed:
            raise NotHad("too-long")


async def _body(reader: asyncio.StreamReader, parser: httptools.HttpResponseParser, answer: _Answer) -> None:
    while not answer.done and len(answer.body) < BODY:
        data = await reader.read(4_096)
        if not data:
            return
        _feed(parser, data)


def _feed(parser: httptools.HttpResponseParser, data: bytes) -> None:
    try:
        parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        raise NotHad("not-http") from None
