"""Small web pieces the sandbox shares: an ASGI application served on a loopback port, and its answers."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from carepost.ground.errors import ConfigError
from carepost.sandbox.domains import LOOPBACK

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Page(msgspec.Struct, frozen=True):
    """An answer: status, content type, body and further headers."""

    body: bytes
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


async def send_page(send: Send, page: Page, *, head: bool = False) -> None:
    headers = [
        (b"content-type", page.kind.encode()),
        (b"content-length", str(len(page.body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
        *((name.lower().encode(), value.encode()) for name, value in page.headers),
    ]
    await send({"type": "http.response.start", "status": page.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else page.body})


class _Uvicorn(uvicorn.Server):
    """Leaves the process's signals to whoever runs the world, and says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class WebServer:
    """`app` on a loopback port; with `pem` (certificate and key) over TLS."""

    def __init__(self, app: App, *, pem: Path | None = None) -> None:
        self._app = app
        self._pem = pem
        self._server: _Uvicorn | None = None
        self._task: asyncio.Task[None] | None = None
        self.address = (LOOPBACK, 0)

    async def start(self, port: int = 0, *, setting: str = "") -> None:
        """`setting` names what decides `port`: then a taken port is a ConfigError, else another one is taken."""
        held = _bind(port, setting)
        self.address = (LOOPBACK, held.getsockname()[1])
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            ws="none",
            http="httptools",
            timeout_graceful_shutdown=1,
            ssl_certfile=self._pem,
        )
        self._server = _Uvicorn(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[held]))
        answering = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait((answering, self._task), return_when=asyncio.FIRST_COMPLETED)
        answering.cancel()

    async def stop(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task


def _bind(port: int, setting: str) -> socket.socket:
    for wanted in (port,) if setting and port else (port, 0):
        held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((LOOPBACK, wanted))
        except OSError:
            held.close()
            continue
        held.setblocking(False)
        return held
    raise ConfigError(f"Port {port} on {LOOPBACK} is taken; set {setting or 'the port'} to a free one.")
