"""The two office web processes: `staff` (console, api) and `outside` (portal, public). Django behind uvicorn.

Sync Django runs in a small pool of threads (a2wsgi), so its database connections are kept and few.
"""

import asyncio
import os
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
import uvloop
from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

from carepost.ground.config import Config
from carepost.ground.errors import ConfigError
from carepost.processes import outgoing
from carepost.processes.child import Start
from carepost.reception.tls import Certificates
from carepost.settings import boot

#: threads that run views; each holds one connection a database
THREADS = 6


def run(start: Start) -> None:
    boot.setup(start.role, at=start.home, settings=start.config, keys=start.keys)
    uvloop.run(_serve(start, get_wsgi_application()))


async def _serve(start: Start, application: Any) -> None:
    """The public port, with TLS unless it is on loopback; for `staff` also the socket the engines relay to."""
    config = start.config
    app = WSGIMiddleware(application, workers=THREADS)
    staff = start.role == "staff"
    tls = None
    if config.http_tls:
        tls = Certificates(outgoing.tls_folder(start.home, config), config.hostname).context
    pairs = [(listen(config, config.port_console if staff else config.port_portal), _Server(app, tls))]
    if staff:
        pairs.append((_unix(str(start.home.run / "staff.sock")), _Server(app, None)))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_all, pairs)
    serving = [asyncio.create_task(server.serve([sock])) for sock, server in pairs]
    await asyncio.gather(*(server.up.wait() for _, server in pairs))
    start.ready()
    await asyncio.gather(*serving)


def _stop_all(pairs: "list[tuple[socket.socket, _Server]]") -> None:
    for _, server in pairs:
        server.stop()


class _Server(uvicorn.Server):
    """Says when it listens, and leaves the signals to us."""

    def __init__(self, app: Any, tls: ssl.SSLContext | None) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            log_level="critical",  # its texts may quote what was sent (law 10)
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=5,
            limit_concurrency=200,
        )
        config.load()
        config.ssl = tls
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True


def listen(config: Config, port: int) -> socket.socket:
    """A listening TCP socket. Raises ConfigError naming the port when it is taken."""
    family = socket.AF_INET6 if ":" in config.listen else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((config.listen, port))
    except OSError as error:
        sock.close()
        raise ConfigError(
            f"Port {port} on {config.listen} cannot be used ({error.strerror}); settle it by port_…"
        ) from None
    sock.listen(512)
    sock.setblocking(False)
    return sock


def _unix(path: str) -> socket.socket:
    if os.path.exists(path):
        os.unlink(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(path)
    os.chmod(path, 0o600)
    sock.listen(512)
    sock.setblocking(False)
    return sock
