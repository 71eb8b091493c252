"""What was used and when: keys and credentials that handed mail in, recipients' keys that were encrypted to, own keys
that signed or opened. Remembered by day, written by the chores. What a crash leaves out is written at the next use."""

import functools
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from carepost.journal.paces import Warmth
from carepost.keyring import found, own_acts
from carepost.proof import kinds
from carepost.proof.event import Event
from carepost.tenancy import uses


def _handed_in(kind: str, org: uuid.UUID, id_: uuid.UUID, at: int) -> None:
    uses.note(org, kind, id_, at)


#: kind of an actor -> what is written of it
_WRITERS: Final[dict[str, Callable[[uuid.UUID, uuid.UUID, int], None]]] = {
    kind: functools.partial(_handed_in, kind) for kind in ("key", "credential")
}
#: facts of events that name a key, and what is written of it
_FACTS: Final[tuple[tuple[str, Callable[[uuid.UUID, uuid.UUID, int], None]], ...]] = (
    (kinds.RECIPIENT_KEY, found.used), (kinds.SIGNING_KEY, own_acts.used), (kinds.OPENING_KEY, own_acts.used),
)  # fmt: skip
#: what is remembered; more than that are forgotten, and written once more
_MOST: Final = 50_000


class Use(msgspec.Struct, frozen=True):
    """`write`: (organisation, id, UTC microseconds)."""

    org: uuid.UUID
    id: uuid.UUID
    at: int
    write: Callable[[uuid.UUID, uuid.UUID, int], None]


class Uses:
    """`look` by the thread that commits, `write` by the chores."""

    def __init__(self) -> None:
        #: id -> the end of the day that is on record already
        self._until: dict[str, int] = {}
        self._waiting: list[Use] = []
        self._lock = threading.Lock()
        #: written by the chores too
        self.warmth = Warmth()

    def look(self, events: Iterable[Event | None]) -> None:
        """What was committed."""
        for event in events:
            if event is None:
                continue
            if event.kind == kinds.MESSAGE_ACCEPTED and event.actor.kind in _WRITERS:
                self._note(event, event.actor.id, _WRITERS[event.actor.kind])
            if "source-address" in event.facts:
                self.warmth.look(event)
            for fact, write in _FACTS:
                if fact in event.facts:
                    self._note(event, event.facts[fact], write)

    def _note(self, event: Event, what: str, write: Callable[[uuid.UUID, uuid.UUID, int], None]) -> None:
        if event.at < self._until.get(what, 0):
            return
        try:
            used = uuid.UUID(what)
        except ValueError:
            # what is committed stands; a name that is no id of ours has no row to write to
            return
        if len(self._until) >= _MOST:
            self._until.clear()
        self._until[what] = (event.at // uses.DAY_US + 1) * uses.DAY_US
        with self._lock:
            self._waiting.append(Use(uuid.UUID(event.org), used, event.at, write))

    def write(self) -> int:
        """How many. What cannot be written now waits for the next call."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        done = 0
        try:
            for one in waiting:
                one.write(one.org, one.id, one.at)
                done += 1
        finally:
            with self._lock:
                self._waiting[:0] = waiting[done:]
        return done
