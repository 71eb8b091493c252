"""The threads that bring events: one a shard over its engine's socket, one for the office's outbox."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, Protocol

from django.db import close_old_connections

from carepost.ground import clock, log
from carepost.ground.errors import CarepostError, Unavailable
from carepost.journal import gathering
from carepost.journal.commits import Batch, Commits, batch
from carepost.journal.status import Status
from carepost.proof import event as events
from carepost.tenancy import events as office
from carepost.tenancy import scope
from carepost.wire.types import Drained

LIMIT: Final = 2000
#: seconds a drain waits at the engine for something new
POLL: Final = 1.0
#: seconds between looks at the office's outbox
OFFICE_POLL: Final = 0.25
#: seconds after a failure, the last one repeated
BACKOFF: Final = (0.2, 0.5, 1.0, 2.0, 5.0)


class Door(Protocol):
    """`intake.client.Client`, as far as draining needs it."""

    def drain(
        self, shard: int, after: int, acked: int, limit: int = LIMIT, wait_s: float = 0.0
    ) -> tuple[tuple[Drained, ...], int]: ...


class Drainer(ABC):
    """One source. `step` is one round; `run` goes on until `stopping`."""

    def __init__(self, source: str, taken: int, commits: Commits, status: Status, stopping: threading.Event) -> None:
        """`taken`: the last number of this source in the log."""
        self.source = source
        self.taken = taken
        self.head = taken
        self._commits = commits
        self._status = status
        self._stopping = stopping

    def run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self.step()
                failures = 0
            except Exception as error:
                if not isinstance(error, Unavailable) or not failures:
                    log.failure("journal-drain", error, source=self.source)
                self._status.failed(self.source, error.code if isinstance(error, CarepostError) else "failed")
                self._stopping.wait(BACKOFF[min(failures, len(BACKOFF) - 1)])
                failures += 1

    @abstractmethod
    def step(self) -> None:
        """Brings what the source has, and waits a little where it has nothing. Raises what the source raises."""

    def _bring(self, rows: tuple[Drained, ...] | list[Drained], head: int) -> None:
        """Into the log; `taken` moves only when they stand there."""
        self.head = max(head, self.taken)
        if rows:
            one: Batch = batch(self.source, rows)
            self._commits.submit(one)
            while not one.done.wait(0.5):
                if self._stopping.is_set() and one.done.wait(3.0) is False:
                    return
            if one.error is not None:
                raise one.error
            self.taken = rows[-1].seq
        behind = events.read(rows[-1].event).at if rows and self.head > self.taken else clock.now()
        self._status.at(self.source, self.head, self.taken, behind)


class ShardDrainer(Drainer):
    def __init__(
        self,
        shard: int,
        taken: int,
        commits: Commits,
        status: Status,
        stopping: threading.Event,
        door: Door,
        acknowledged: Callable[[str, int], int],
    ) -> None:
        """`acknowledged(source, taken)`: how far the shard may forget: not what an effect still needs the body of."""
        super().__init__(source_of(shard), taken, commits, status, stopping)
        self._shard = shard
        self._door = door
        self._acknowledged = acknowledged
        self._gathering = gathering.Gathering(LIMIT)

    def step(self) -> None:
        acked = self._acknowledged(self.source, self.taken)
        rows, head = self._door.drain(self._shard, self.taken, acked, LIMIT, POLL)
        self._bring(rows, head)
        self._gather(len(rows), acked)

    def _gather(self, brought: int, acked: int) -> None:
        rest, began = self._gathering.rest(brought), clock.now()
        self._stopping.wait(rest)
        while rest == gathering.LONG and not self._stopping.is_set():
            _, head = self._door.drain(self._shard, self.taken, acked, 0)
            came, self.head = head - self.head, head
            if not self._gathering.longer(came, head - self.taken, rest, clock.monotonic()):
                return
            # the oldest that waits came soon after the last batch
            self._status.at(self.source, self.head, self.taken, began)
            self._stopping.wait(rest)


class OfficeDrainer(Drainer):
    def __init__(self, taken: int, commits: Commits, status: Status, stopping: threading.Event) -> None:
        super().__init__(office.SOURCE, taken, commits, status, stopping)
        self._forgotten = -1

    def step(self) -> None:
        close_old_connections()
        with scope.every("the journal drains every organisation's events"):
            if self._forgotten < self.taken:
                office.acknowledge(self.taken)
                self._forgotten = self.taken
            rows = office.drain(self.taken, LIMIT)
            head = max(office.head(), rows[-1].seq if rows else self.taken)
        self._bring(rows, head)
        if len(rows) < LIMIT:
            self._stopping.wait(OFFICE_POLL)


def source_of(shard: int) -> str:
    return f"shard-{shard:04d}"
