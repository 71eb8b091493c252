"""An engine's one door over real rooms, for any thread: the decisions and the shard are real."""

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from carepost.directory.source import Loaded
from carepost.ground.errors import Unavailable
from carepost.intake.accept import Intake
from carepost.policy.types import Assurance
from carepost.wire.doors import HealthAnswer
from carepost.wire.types import Accepted, AcceptedDelivery, Submission
from tests.unit.intake.office import Office

T = TypeVar("T")


class SmallEngine:
    """`taken`: what was accepted. `closed`: as when no engine answers."""

    def __init__(self, folder: Path) -> None:
        self.taken: list[Submission] = []
        self.closed = False
        self._epoch = 1
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.intake = self._run(self._begin(folder))

    def knows(self, org: bytes, *domains: str, **changes: object) -> None:
        """An organisation with its sender domains and, by `rules`, its policy."""
        snapshot = self.office.organisation(org, *domains).snapshot
        self._epoch += 1
        self.office.source.put(Loaded(msgspec.structs.replace(snapshot, epoch=self._epoch, **changes)))
        self.office.directory.poll()

    def seen(self, domain: str, tls: Assurance) -> None:
        self._loop.call_soon_threadsafe(self.office.seen, domain, tls)

    def preview(self, submission: Submission) -> tuple[AcceptedDelivery, ...]:
        self._open()
        return self._run(self.intake.preview(submission))

    def accept(self, submission: Submission) -> Accepted:
        self._open()
        assert submission.key is not None, "calls from the office always carry a key"
        accepted = self._run(self.intake.accept(submission))
        self.taken.append(submission)
        return accepted

    def health(self) -> list[HealthAnswer]:
        return [HealthAnswer({str(self.office.queue.number): self.office.queue.stats()}, {})]

    def waits(self) -> dict[bytes, tuple[int, int, int]]:
        return {}

    def close(self) -> None:
        self._run(self.intake.close())
        self._run(self.office.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _begin(self, folder: Path) -> Intake:
        self.office = Office(folder)
        await self.office.queue.start()
        return self.office.intake()

    def _open(self) -> None:
        if self.closed:
            raise Unavailable("no-engine", "No engine answers.")

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
