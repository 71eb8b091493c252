"""How many bytes of message bodies this process holds in memory (DESIGN 5: at most 256 MiB, then 452 or 503)."""

import asyncio


class Budget:
    """One count for all who hold bodies: reception, spool, delivery. Used on the engine's loop only."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._waiting: list[asyncio.Future[None]] = []

    def take(self, size: int) -> bool:
        """False: no room; nothing was taken."""
        if self.held + size > self.limit:
            return False
        self.held += size
        return True

    async def wait(self, size: int) -> None:
        """Takes `size` when there is room. What is larger than all there is waits until nothing else is held."""
        while not self.take(min(size, self.limit)):
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future

    def give(self, size: int) -> None:
        self.held -= min(size, self.limit)
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
