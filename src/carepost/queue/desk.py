"""What people ask of a shard: look, list, act, fetch. Never on the hot path."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from carepost.crypto.rest import Damaged
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound
from carepost.queue import acts, events, moves, reviewing, views
from carepost.queue.claims import Claims
from carepost.queue.sealing import MessageSeal, Opener, OrgKeyBook
from carepost.queue.types import DeliveryRecord, MessageRecord, State, StoredBody
from carepost.rfc.envelope import Recipient
from carepost.spool.shard import Shard
from carepost.spool.types import DeliveryRow, Flow, MessageFound, Move, Place, Sealing, Waiting
from carepost.wire.pacing import HeldBack
from carepost.wire.types import Accepted, Actor, DeliveryView, HeldFilter, HeldView, MessageView

NOT_FOUND = "not-found"
NOT_POSSIBLE = "not-possible"
#: it waits for approval, which whoever asks cannot give: the sender, who approved already, or no person at all
NEEDS_ANOTHER = "needs-another"
#: a delivery changed under the hand this often: the caller is told it is not possible
_TRIES = 5
#: deliveries whose wait is ended at a time
_GROUP = 100
#: microseconds after which it is asked whether a plan keeps back what is due, and of how many destinations
_LATE = 60_000_000
_DUES = 10_000
#: messages of more deliveries are read by a thread of their own
_FEW = 8
_DAMAGED = DeliveryRecord(
    Recipient(""), "", None, reason="damaged", words="What is stored of this delivery cannot be opened."
)


class _Asked(NamedTuple):
    verb: str
    actor: Actor
    reason: str
    #: what else the actor is known by here: addresses, and "credential:<id>", "key:<id>" that are theirs
    also: tuple[str, ...] = ()
    wish: acts.Wish = acts.NO_WISH


class Desk:
    def __init__(self, shard: Shard, book: OrgKeyBook, claims: Claims) -> None:
        self._shard = shard
        self._book = book
        self._opener = Opener(book)
        self._claims = claims
        #: what holds back what is due (`Queue.paced_by`)
        self.why: Callable[[Flow, bytes], HeldBack | None] | None = None
        self._review = reviewing.Review(shard.backend, self._opener)
        self.counted: dict[str, int] = {"queued": 0, "held": 0, "deferred": 0}
        #: when the first that waits for its turn was due or will be, as of the last count; 0: none. What a warm-up plan
        #: keeps back is not late: an administrator decided that it waits
        self.first_due = 0
        self._first = 0

    async def count(self) -> None:
        counts = await asyncio.to_thread(self._shard.backend.counts)
        self.counted = {
            "queued": counts.ready + counts.waiting - counts.deferred,
            "held": counts.held,
            "deferred": counts.deferred,
        }
        self._first = counts.first_due
        self.first_due = await self._first_not_planned() if self.late else self._first

    @property
    def late(self) -> bool:
        """The first has been due for a while, as of the last count: whether a plan keeps it back changes by itself."""
        return self.why is not None and 0 < self._first < clock.now() - _LATE

    async def _first_not_planned(self) -> int:
        for one in await asyncio.to_thread(self._shard.backend.dues, _DUES):
            held = self.why(one.flow, one.destination) if self.why is not None and one.destination else None
            if held is None or held.what != "warm-up":
                return one.due_at
        return 0

    async def act(
        self,
        verb: str,
        org: bytes,
        deliveries: tuple[bytes, ...],
        actor: Actor,
        reason: str,
        also: tuple[str, ...] = (),
        wish: acts.Wish = acts.NO_WISH,
    ) -> dict[str, str]:
        asked = _Asked(verb, actor, reason, also, wish)
        return {ids.text(delivery): await self._act(org, delivery, asked) for delivery in deliveries}

    async def _act(self, org: bytes, delivery: bytes, asked: _Asked) -> str:
        for _ in range(_TRIES):
            row = self._shard.backend.delivery(delivery)
            if row is None or row.org != org:
                return NOT_FOUND
            if self._barred(row, asked):
                return NEEDS_ANOTHER
            unit = self._unit(row, asked)
            if unit is None:
                return NOT_POSSIBLE
            if await self._shard.ask(unit) is True:
                self._claims.placed(Flow(row.stream, row.org), row.destination, unit.place, unit.due_at)
                return unit.state
        return NOT_POSSIBLE

    def _barred(self, row: DeliveryRow, asked: _Asked) -> bool:
        if asked.verb != acts.RELEASE or row.state != State.HELD:
            return False
        record = self._record(row)
        if not record.approvals:
            return False
        return acts.barred(asked.verb, row.state, record, asked.actor, self._own(row, record, asked))

    def _own(self, row: DeliveryRow, record: DeliveryRecord, asked: _Asked) -> bool:
        """Whether it is the actor's own message. What cannot be opened is nobody's to approve."""
        try:
            message = self.record(row.org, row.message)
        except (Damaged, NotFound):
            return True
        return acts.own(record, message, asked.actor, asked.also)

    def _unit(self, row: DeliveryRow, asked: _Asked) -> Move | None:
        now = clock.now()
        record = self._record(row)
        damaged = record is _DAMAGED
        found = acts.act(asked.verb, row.state, record, asked.actor, asked.wish, now)
        if found is None or (damaged and found.state is not State.FAILED):
            return None
        seal = MessageSeal(self._book, row.org, row.message)
        event = events.acted(
            found.kind, self._shard.number, row.org, row.message, row.id, now, found.state.value, asked.actor,
            asked.reason, note=asked.wish.note, asked=asked.wish.told(),
        )  # fmt: skip
        until = found.record.held_until if found.state is State.HELD else 0
        return Move(
            row.id, row.rev, row.lease, row.message, bool(row.alone), found.state.value,
            moves.place_of(found.state, now), row.due_at if until else now, None, until, row.attempt,
            row.record if damaged else seal.delivery(row.id, found.record), found.state is State.FAILED,
            (Sealing(row.org, event.draft, seal.openings(event)),),
        )  # fmt: skip

    def _record(self, row: DeliveryRow) -> DeliveryRecord:
        try:
            return self._opener.delivery_record(row.org, row.message, row.id, row.record)
        except Damaged:
            return _DAMAGED

    async def held(
        self,
        org: bytes,
        who: reviewing.Who,
        reasons: frozenset[str],
        before: reviewing.Place | None,
        limit: int,
        only: HeldFilter,
    ) -> tuple[tuple[HeldView, ...], reviewing.Place | None]:
        return await asyncio.to_thread(self._review.held, org, who, reasons, before, limit, only)

    async def reviewed(self, org: bytes, delivery: bytes, who: reviewing.Who) -> reviewing.Reviewed:
        return self._review.one(org, delivery, who)

    async def waiting(self) -> list[Waiting]:
        return await asyncio.to_thread(self._shard.backend.waiting)

    async def overdue(self, now: int) -> int:
        """Ends the wait of what nobody acted on in time; how many. Raises Unavailable."""
        rows = await asyncio.to_thread(self._shard.backend.overdue, now, _GROUP)
        done = 0
        for row in rows:
            move = reviewing.time_over(self._shard.number, self._book, self._opener, row)
            # COMMIT POINT: a crash before leaves it held and the next sweep finds it; after, the next attempt ends it
            if move is not None and await self._shard.ask(move) is True:
                self._claims.placed(Flow(row.stream, row.org), row.destination, move.place, move.due_at)
                done += 1
        return done

    async def lookup(self, org: bytes, message: bytes) -> MessageView:
        found = self._found(org, message)
        if len(found.deliveries) <= 16 * _FEW:
            return self._view(found, None)
        return await asyncio.to_thread(self._view, found, None)

    async def listing(self, org: bytes, state: str, limit: int) -> tuple[MessageView, ...]:
        return await asyncio.to_thread(self._listing, org, state, limit)

    def _listing(self, org: bytes, state: str, limit: int) -> tuple[MessageView, ...]:
        by_message: dict[bytes, list[DeliveryRow]] = {}
        for row in self._shard.backend.open(org, state, limit):
            by_message.setdefault(row.message, []).append(row)
        listed = []
        for message, rows in by_message.items():
            found = self._shard.backend.message(message)
            if found is not None:
                listed.append(self._view(found, rows))
        return tuple(listed)

    def _view(self, found: MessageFound, rows: list[DeliveryRow] | None) -> MessageView:
        """A message with these deliveries, or all of its own. A record that does not open is shown as damaged."""
        if rows is None:
            keys = [found.deliveries[i : i + 16] for i in range(0, len(found.deliveries), 16)]
            rows = [row for key in keys if (row := self._shard.backend.delivery(key)) is not None]
        deliveries: tuple[DeliveryView, ...] = tuple(
            [views.delivery(row, self._record(row), self._held_back(row)) for row in rows]
        )
        try:
            record = self._opener.message_record(found.org, found.id, found.record)
        except Damaged:
            return MessageView(
                ids.text(found.id), ids.text(found.org), found.at, "", "", "", "", "", found.size, deliveries
            )
        return views.message(found, record, deliveries)

    def _held_back(self, row: DeliveryRow) -> HeldBack | None:
        if self.why is None or row.place not in (Place.READY, Place.WAITING):
            return None
        return self.why(Flow(row.stream, row.org), row.destination)

    def record(self, org: bytes, message: bytes) -> MessageRecord:
        return self._opener.message_record(org, message, self._found(org, message).record)

    async def body(self, org: bytes, message: bytes) -> StoredBody:
        found = self._found(org, message)
        backend = self._shard.backend
        large = found.size > 64 * 1024
        chunks = await asyncio.to_thread(backend.body, message) if large else backend.body(message)
        if chunks is None:
            raise NotFound
        return StoredBody(chunks, found.wrapped_key, found.record)

    def find_key(self, org: bytes, token: bytes, payload: bytes) -> Accepted | None:
        row = self._shard.backend.keyed(token)
        if row is None:
            return None
        if row.payload != payload:
            raise views.reused()
        return views.again(self._opener.answer(org, row.message, row.answer))

    def _found(self, org: bytes, message: bytes) -> MessageFound:
        found = self._shard.backend.message(message)
        if found is None or found.org != org:
            raise NotFound
        return found
