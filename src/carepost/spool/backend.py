"""What a store must do to hold a shard. SQLite does (spool.sqlite); the contract is tests/unit/spool/contract.py.

`commit` is called by one thread only. Reads may come from any thread and see what is committed."""

from collections.abc import Sequence
from typing import Protocol

from carepost.spool.types import Counts, DeliveryRow, Due, Flow, Group, KeyedRow, MessageFound, Unit, Waiting
from carepost.wire.types import Drained


class Backend(Protocol):
    @property
    def head(self) -> int:
        """The number of the newest event; events have every number from 1 to it."""

    @property
    def acked(self) -> int:
        """The highest number the journal has acknowledged and Retire has carried out."""

    def commit(self, units: Sequence[Unit]) -> Group:
        """All units in one transaction, on disk when it returns. A unit that cannot be carried out gets its error as
        outcome and changes nothing; the others stand. Raises Unavailable: nothing of the group is there, as far as
        the store could find out; `doubtful` says when it could not."""

    @property
    def doubtful(self) -> int:
        """How often a group was reported lost without knowing so: the caller then reads again what it remembers."""

    @property
    def lost(self) -> bool:
        """Another process has the shard: every commit from now on raises Unavailable, `shard-lost`."""

    @property
    def valid_until(self) -> float:
        """Until when (clock.monotonic) no other process can have taken the shard, as far as is known here."""

    def delivery(self, id: bytes) -> DeliveryRow | None: ...

    def message(self, id: bytes) -> MessageFound | None: ...

    def body(self, id: bytes) -> tuple[bytes, ...] | None:
        """The ciphertext chunks of a message's body."""

    def keyed(self, token: bytes) -> KeyedRow | None: ...

    def ready(self, flow: Flow, destination: bytes, limit: int) -> list[DeliveryRow]:
        """Ready deliveries, longest due first."""

    def destinations(self, flow: Flow, after: bytes, limit: int) -> list[bytes]:
        """Destinations with ready deliveries, in byte order, beginning after `after`."""

    def flows(self, place: int) -> list[Flow]:
        """Flows with READY or WAITING deliveries."""

    def next_due(self, flow: Flow) -> int | None:
        """When the flow's first waiting delivery is due."""

    def standing(self, limit: int) -> list[DeliveryRow]:
        """Deliveries that are ready, waiting or claimed, in no order."""

    def expired(self, now: int, limit: int) -> list[DeliveryRow]:
        """Claimed deliveries whose lease has ended."""

    def open(self, org: bytes, state: str, limit: int) -> list[DeliveryRow]:
        """Deliveries queued, deferred or held (`state` "": all three), newest first; org b"": of all."""

    def held(self, org: bytes, before: tuple[int, bytes], limit: int) -> list[DeliveryRow]:
        """Held deliveries, newest held first, from behind (since when, id) on."""

    def waiting(self) -> list[Waiting]:
        """Of every organisation that has something held."""

    def overdue(self, now: int, limit: int) -> list[DeliveryRow]:
        """Held deliveries whose time is over."""

    def outbox(self, after: int, limit: int) -> list[Drained]: ...

    def oldest(self) -> int:
        """When the oldest event of the outbox happened; 0 when there is none."""

    def repeats(self, since: int, limit: int) -> list[tuple[bytes, bytes, int]]:
        """(token, message, at) of messages accepted since then, newest first."""

    def counts(self) -> Counts: ...

    def dues(self, limit: int) -> list[Due]:
        """The first of each flow and destination that is ready, and of each flow that waits; the oldest first."""

    def checkpoint(self) -> None:
        """Housekeeping off the hot path; called by a thread of its own while commits go on."""

    def close(self) -> None: ...
