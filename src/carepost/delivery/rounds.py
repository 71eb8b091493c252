"""What an engine does again and again beside its deliveries: one round, a wait, the next."""

import asyncio
from abc import ABC, abstractmethod

from carepost.ground import database, log
from carepost.ground.errors import CarepostError


class Rounds(ABC):
    """`start` once the engine runs. A round that fails is said in the log as `failure`, and the next one comes."""

    def __init__(self, every: float, failure: str) -> None:
        """`every`: seconds between rounds."""
        self._every = every
        self._failure = failure
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def step(self) -> int:
        """One round; how much it did. May raise CarepostError, DatabaseError."""

    def start(self) -> None:
        self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.step()
            except (CarepostError, database.DatabaseError) as error:
                log.failure(self._failure, error)
