"""From a batch of events to what endpoints are to be told, inside the transaction that puts the batch into the log.

Where no organisation has an endpoint this is one look into an empty table of the memory for each batch."""

import threading
from collections.abc import Sequence
from typing import Final

from django.db import DatabaseError, close_old_connections

from carepost.audit.store import Store
from carepost.ground import ids, log
from carepost.ground.errors import Unavailable
from carepost.proof.event import Event
from carepost.webhooks import acts, targets
from carepost.webhooks.calls import rows
from carepost.webhooks.calls.rows import Pending, Replay, State
from carepost.webhooks.targets import Target
from carepost.wire.types import Drained

#: events with which a part of the log is told again
_AGAIN: Final = frozenset({acts.REPLAYED, acts.RESUMED})


class Owed:
    """What a batch makes: rows, parts of the log to be told again, endpoints that begin anew."""

    def __init__(self) -> None:
        self.rows: list[Pending] = []
        self.replays: list[Replay] = []
        self.fresh: list[Target] = []


class Fanout:
    """`look`, `write` and `committed` in the thread that writes the log; the rest from the thread that tells.

    Every change of an endpoint is an event of the log: endpoints are read anew with the batch that holds one, so that
    an endpoint is told of exactly what stands in the log behind the event that made it."""

    def __init__(self) -> None:
        self._by_org: dict[bytes, list[Target]] | None = None
        self._stale = True
        #: grows with every reading; set with `wake` whenever there is something to do
        self.generation = 0
        self.wake = threading.Event()
        self._lock = threading.Lock()
        self._touched: set[bytes] = set()

    def look(self, drained: Sequence[Drained], events: Sequence[Event | None]) -> Owed | None:
        """What follows for endpoints; None: nothing. Raises Unavailable while endpoints were never read."""
        if any(event is not None and event.kind.startswith(acts.PREFIX) for event in events):
            self._stale = True
        if self._stale:
            self._read()
        if not self._by_org:
            return None
        owed = Owed()
        for row, event in zip(drained, events, strict=True):
            of = self._by_org.get(row.org)
            if of is not None and event is not None:
                self._one(owed, row.org, event, of)
        return owed if owed.rows or owed.replays or owed.fresh else None

    def write(self, store: Store, owed: Owed) -> None:
        """Inside the transaction of the log."""
        if owed.rows:
            rows.add(store, owed.rows)
        for target in owed.fresh:
            rows.put_state(store, target.org, target.endpoint, State())
        for one in owed.replays:
            rows.ask_replay(store, one)

    def committed(self, owed: Owed) -> None:
        with self._lock:
            self._touched.update(row.endpoint for row in owed.rows)
        self.wake.set()

    def touched(self) -> set[bytes]:
        """Endpoints that were given something since this was last asked."""
        with self._lock:
            found, self._touched = self._touched, set()
        return found

    def _read(self) -> None:
        try:
            try:
                found = targets.load()
            except DatabaseError:
                # a connection that a restart of the database left behind: once more, on a fresh one
                close_old_connections()
                found = targets.load()
        except DatabaseError as error:
            if self._by_org is None:
                raise Unavailable("office-unreadable", "The office database cannot be read; try again.") from None
            # what was known stands; the next batch reads again
            log.failure("webhooks-unread", error)
            return
        by_org: dict[bytes, list[Target]] = {}
        for one in found.values():
            by_org.setdefault(one.org, []).append(one)
        self._by_org, self._stale = by_org, False
        self.generation += 1
        self.wake.set()

    def _one(self, owed: Owed, org: bytes, event: Event, of: list[Target]) -> None:
        if event.kind.startswith(acts.PREFIX):
            self._own(owed, org, event, of)
            return
        owed.rows.extend(pending(target, event) for target in of if target.live and passes(target, event))

    def _own(self, owed: Owed, org: bytes, event: Event, of: list[Target]) -> None:
        target = next((one for one in of if event.on and one.endpoint == _bytes(event.on[0])), None)
        if target is None:
            return
        if event.kind == acts.TESTED:
            owed.rows.append(pending(target, event, forced=True))
        elif event.kind == acts.RESUMED:
            owed.fresh.append(target)
        if event.kind in _AGAIN and "since" in event.facts:
            only = _bytes(event.facts["only"]) if "only" in event.facts else b""
            since, until = int(event.facts["since"]), int(event.facts["until"])
            owed.replays.append(Replay(org, target.endpoint, _bytes(event.id), since, until, only))


def passes(target: Target, event: Event) -> bool:
    """As far as the event itself says; the rest is decided when the call is made."""
    if event.kind not in target.kinds or not event.on:
        return False
    return not target.filter.categories or not event.category or event.category in target.filter.categories


def pending(target: Target, event: Event, *, forced: bool = False) -> Pending:
    """Due since it happened."""
    about = event.on[0] if event.on and not event.kind.startswith(acts.PREFIX) else ""
    return Pending(
        target.org, target.endpoint, event.at, event.seq, event.source, _bytes(event.id),
        _bytes(about) if about else b"", event.at, forced=forced,
    )  # fmt: skip


def _bytes(text: str) -> bytes:
    return ids.parse(text)
