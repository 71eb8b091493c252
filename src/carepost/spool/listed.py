"""Reads of many rows, as every store passes them on to a connection of their own: a look-up never waits for them."""

from typing import Protocol

from carepost.spool.types import Counts, DeliveryRow, Due, Waiting
from carepost.wire.types import Drained


class Lists(Protocol):
    """What `backend.Backend` says of each holds here."""

    def open(self, org: bytes, state: str, limit: int) -> list[DeliveryRow]: ...

    def held(self, org: bytes, before: tuple[int, bytes], limit: int) -> list[DeliveryRow]: ...

    def waiting(self) -> list[Waiting]: ...

    def overdue(self, now: int, limit: int) -> list[DeliveryRow]: ...

    def outbox(self, after: int, limit: int) -> list[Drained]: ...

    def oldest(self) -> int: ...

    def repeats(self, since: int, limit: int) -> list[tuple[bytes, bytes, int]]: ...

    def counts(self) -> Counts: ...

    def dues(self, limit: int) -> list[Due]: ...

    def close(self) -> None: ...


class Listed:
    """The part of a store that only passes on."""

    _lists: Lists

    def open(self, org: bytes, state: str, limit: int) -> list[DeliveryRow]:
        return self._lists.open(org, state, limit)

    def held(self, org: bytes, before: tuple[int, bytes], limit: int) -> list[DeliveryRow]:
        return self._lists.held(org, before, limit)

    def waiting(self) -> list[Waiting]:
        return self._lists.waiting()

    def overdue(self, now: int, limit: int) -> list[DeliveryRow]:
        return self._lists.overdue(now, limit)

    def outbox(self, after: int, limit: int) -> list[Drained]:
        return self._lists.outbox(after, limit)

    def oldest(self) -> int:
        return self._lists.oldest()

    def repeats(self, since: int, limit: int) -> list[tuple[bytes, bytes, int]]:
        return self._lists.repeats(since, limit)

    def counts(self) -> Counts:
        return self._lists.counts()

    def dues(self, limit: int) -> list[Due]:
        return self._lists.dues(limit)
