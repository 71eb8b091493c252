"""uvicorn in the running loop, on a given socket, with bounds it does not have: head size, head time, connections."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from carepost.ground import log, metrics
from carepost.reception.accepting import Acceptor
from carepost.reception.evenly import Evenly
from carepost.reception.http.app import App
from carepost.reception.http.joined import Joined
from carepost.reception.http.limits import HttpLimits

_NOT_HTTP = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _HeadTooLarge(Exception):
    pass


class _Server(uvicorn.Server):
    """uvicorn's life of connections; who takes them is ours: it gives and takes among the engines."""

    def __init__(self, config: uvicorn.Config, sock: socket.socket, evenly: Evenly | None) -> None:
        super().__init__(config)
        self._sock, self._evenly = sock, evenly

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        state = self.server_state
        acceptor = Acceptor(
            self._sock, self._connection, lambda: len(state.connections), tls=self.config.ssl, evenly=self._evenly
        )
        self._acceptor = acceptor
        acceptor.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._acceptor.close()
        await super().shutdown(sockets)

    def _connection(self) -> asyncio.Protocol:
        made = cast(Any, self.config.http_protocol_class)(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        made.acceptor = self._acceptor
        return cast(asyncio.Protocol, made)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The supervisor's signals belong to the process, not to one of its listeners."""
        yield


class _Bounded(HttpToolsProtocol):
    """Slow heads, endless heads and too many connections end here; the rest is uvicorn's."""

    #: set by `_protocol`: uvicorn makes the objects
    limits: HttpLimits
    #: set by `_Server`: who counts it
    acceptor: Acceptor

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head = 0
        self._in_head = True
        self._unread = 0
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast(asyncio.Transport, Joined(transport, self.loop)))
        self.acceptor.began(self)
        if len(self.connections) > self.limits.max_connections:
            metrics.count("http_crowded")
            transport.abort()
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)
        self.acceptor.left()

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > self.limits.max_head:
            self._cut(_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._disarm()
        self._arm()

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= self.limits.max_fields:
            raise _HeadTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head = self._unread = 0
        self._disarm()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A client that was refused may still be sending; it is read out, or it would see a reset and no answer."""
        if self.cycle.response_complete:
            self._unread += len(body)
            if self._unread > self.limits.max_body:
                self.transport.close()
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        self._cut(_NOT_HTTP)

    def _arm(self) -> None:
        self._late = self.loop.call_later(self.limits.head_timeout, self._cut, _TOO_SLOW)

    def _disarm(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _cut(self, reply: bytes) -> None:
        if not self.transport.is_closing():
            metrics.count("http_cut")
            self.transport.write(reply)
            self.transport.close()


def _protocol(limits: HttpLimits) -> type[asyncio.Protocol]:
    return type("Bounded", (_Bounded,), {"limits": limits})


class HttpServer:
    """One port. `start` on a listening socket; `drain` answers what runs, then closes."""

    def __init__(self, app: App, limits: HttpLimits, *, tls: ssl.SSLContext | None = None) -> None:
        self._app = app
        self._config = uvicorn.Config(
            app,
            http=_protocol(limits),
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            # its texts may quote what was sent (law 10); the app logs its own failures by class and place
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=limits.keep_alive,
        )
        self._config.load()
        self._config.ssl = tls
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, sock: socket.socket, evenly: Evenly | None = None) -> None:
        self._server = _Server(self._config, sock, evenly)
        self._serving = asyncio.get_running_loop().create_task(self._server.serve())
        while not self._server.started:
            if self._serving.done():
                await self._serving
                raise RuntimeError("the HTTP listener ended before it began")
            await asyncio.sleep(0.01)

    async def drain(self, seconds: float) -> None:
        """No new connection; what runs is answered, at most `seconds` long."""
        self._app.draining = True
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        try:
            await asyncio.wait_for(asyncio.shield(self._serving), seconds)
        except TimeoutError:
            log.event("http-drain-cut")
            self._server.force_exit = True
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
