"""A sandbox world that runs in a thread of its own, for tests whose clients block (smtplib, openssl, a browser)."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from carepost.sandbox.domains import ALL, Domain
from carepost.sandbox.store import Mail
from carepost.sandbox.world import World

T = TypeVar("T")


class LivingWorld:
    """`world` belongs to the thread's loop: coroutines of it go through `call`."""

    def __init__(self, world: World, loop: asyncio.AbstractEventLoop) -> None:
        self.world = world
        self._loop = loop

    def call(self, work: Coroutine[Any, Any, T], within: float = 60.0) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(within)

    def arrived(self, address: str, count: int = 1, within: float = 30.0) -> tuple[Mail, ...]:
        return self.call(self.world.store.wait_mail(address, count, within), within + 5)


@contextmanager
def living_world(folder: Path, domains: tuple[Domain, ...] = ALL) -> Iterator[LivingWorld]:
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sandbox", daemon=True)
    thread.start()
    try:
        world = asyncio.run_coroutine_threadsafe(World.start(folder, domains=domains), loop).result(60)
        living = LivingWorld(world, loop)
        try:
            yield living
        finally:
            living.call(world.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
