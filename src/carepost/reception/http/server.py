"""uvicorn in the running loop, on a given socket; what it does not bound itself is bounded in `bounded`."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Any, cast

import uvicorn

from carepost.ground import log
from carepost.reception.accepting import Acceptor
from carepost.reception.evenly import Evenly
from carepost.reception.http.app import App
from carepost.reception.http.bounded import protocol
from carepost.reception.http.limits import HttpLimits


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


class HttpServer:
    """One port. `start` on a listening socket; `drain` answers what runs, then closes."""

    def __init__(self, app: App, limits: HttpLimits, *, tls: ssl.SSLContext | None = None) -> None:
        self._app = app
        self._config = uvicorn.Config(
            app,
            http=protocol(limits, app.straight.take),
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
