"""The sandbox as a process of its own: `run` brings the world up, says so, and ends it on SIGTERM or SIGINT."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import uvloop

from carepost.ground import home, log
from carepost.ground.errors import ConfigError
from carepost.sandbox.world import World, WorldFile


def run(
    home_path: Path,
    *,
    dns_port: int = 0,
    viewer_port: int = 0,
    ready_fd: int | None = None,
    ready: Callable[[WorldFile], None] | None = None,
) -> None:
    """Returns after SIGTERM or SIGINT. When everything answers, one byte goes to `ready_fd`, which is closed,
    and `ready` is called. Raises ConfigError when the home is not a sandbox home or a port is taken.
    """
    opened = home.open_(home_path)
    if not opened.sandbox:
        raise ConfigError(f"{home_path} is a real home; the sandbox runs only in a home made with --sandbox.")
    log.start("sandbox")
    uvloop.run(_serve(opened.world, dns_port, viewer_port, ready_fd, ready))


async def _serve(
    folder: Path, dns_port: int, viewer_port: int, ready_fd: int | None, ready: Callable[[WorldFile], None] | None
) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    world = await World.start(folder, dns_port=dns_port, viewer_port=viewer_port)
    try:
        log.event("sandbox.ready", dns_port=world.dns_address[1])
        if ready_fd is not None:
            os.write(ready_fd, b"1")
            os.close(ready_fd)
        if ready is not None:
            ready(world.file())
        await end.wait()
    finally:
        await world.stop()
