"""The two office web processes: `staff` (console, api) and `outside` (portal, public). Django behind uvicorn.

Sync Django runs in a small pool of threads (a2wsgi), so its database connections are kept and few.
"""

import asyncio
import os
import signal
import socket
from typing import Any

import uvicorn
import uvloop
from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

from carepost.ground.config import Config
from carepost.ground.errors import ConfigError
from carepost.processes.child import Start
from carepost.settings import boot

#: threads that run views; each holds one connection a database
THREADS = 6


def run(start: Start) -> None:
    boot.setup(start.role, at=start.home, settings=start.config, keys=start.keys)
    uvloop.run(_serve(start, get_wsgi_application()))


async def _serve(start: Start, application: Any) -> None:
    port = start.config.port_console if start.role == "staff" else start.config.port_portal
    sockets = [listen(start.config, port)]
    if start.role == "staff":
        sockets.append(_unix(str(start.home.run / "staff.sock")))
    server = uvicorn.Server(
        uvicorn.Config(
            WSGIMiddleware(application, workers=THREADS),
            lifespan="off",
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=5,
            limit_concurrency=200,
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    serving = asyncio.create_task(server._serve(sockets))  # `serve` would take the signals for itself
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        start.ready()
    await serving


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
