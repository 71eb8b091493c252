"""Which keys and credentials handed mail in: remembered by day, written by the chores. What a crash leaves out is
written at the next use."""

import threading
import uuid
from collections.abc import Iterable
from typing import Final

import msgspec

from carepost.proof import kinds
from carepost.proof.event import Event
from carepost.tenancy import uses

KINDS: Final = frozenset({"key", "credential"})


class Use(msgspec.Struct, frozen=True):
    org: uuid.UUID
    kind: str
    id: uuid.UUID
    at: int


class Uses:
    """`look` by the thread that commits, `write` by the chores."""

    def __init__(self) -> None:
        #: actor's id -> the end of the day that is on record already
        self._until: dict[str, int] = {}
        self._waiting: list[Use] = []
        self._lock = threading.Lock()

    def look(self, events: Iterable[Event | None]) -> None:
        """What was committed."""
        for event in events:
            if event is None or event.kind != kinds.MESSAGE_ACCEPTED or event.actor.kind not in KINDS:
                continue
            if event.at < self._until.get(event.actor.id, 0):
                continue
            self._until[event.actor.id] = (event.at // uses.DAY_US + 1) * uses.DAY_US
            with self._lock:
                self._waiting.append(Use(uuid.UUID(event.org), event.actor.kind, uuid.UUID(event.actor.id), event.at))

    def write(self) -> int:
        """How many. What cannot be written now waits for the next call."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        done = 0
        try:
            for one in waiting:
                uses.note(one.org, one.kind, one.id, one.at)
                done += 1
        finally:
            with self._lock:
                self._waiting[:0] = waiting[done:]
        return done
