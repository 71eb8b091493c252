"""One message on its way into the shard: its rows sealed, its deliveries for now leased to the local worker at once.

The unit is carried out, and what follows from it done, whatever becomes of the one who waits for the answer: a
connection lost after the final dot may leave a message accepted that nobody was told of (BI-023)."""

import asyncio
from collections.abc import Callable

from carepost.ground import clock, ids
from carepost.ground.errors import CarepostError
from carepost.queue import events, moves, sealing, views
from carepost.queue.claims import Claims, Live
from carepost.queue.sealing import MessageSeal, Opener, OrgKeyBook
from carepost.queue.taker import Taker
from carepost.queue.types import Claim, NewDelivery, NewMessage, State
from carepost.spool.budget import Budget
from carepost.spool.shard import Shard
from carepost.spool.types import Accept, DeliveryRow, Flow, KeyedRow, MessageRow, Outcome, Place, Sealing
from carepost.wire.types import Accepted

Lease = Callable[[], tuple[bytes, int]]


class Accepting:
    __slots__ = (
        "_answer", "_book", "_born", "_budget", "_claims", "_flow", "_new", "_places", "_shard", "_size", "_taker",
        "future",
    )  # fmt: skip

    def __init__(
        self, shard: Shard, book: OrgKeyBook, claims: Claims, taker: Taker | None, budget: Budget, new: NewMessage
    ) -> None:
        self._shard = shard
        self._book = book
        self._claims = claims
        self._taker = taker
        self._budget = budget
        self._new = new
        self._size = len(new.body)
        self._flow = Flow(new.stream, new.org)
        self._born: list[Claim] = []
        #: where each delivery was stored; the clock is not asked twice
        self._places: dict[bytes, int] = {}
        self._answer = views.accepted(new.id, new.deliveries, new.repeats)
        self.future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()

    def unit(self, lease: Lease) -> Accept:
        """Seals everything. Raises Unavailable, NotFound (an organisation without keys)."""
        new = self._new
        seal = MessageSeal(self._book, new.org, new.id)
        chunks, wrapped = sealing.seal_body(self._book, new.org, new.id, new.body)
        now = clock.now()
        sealed = [Sealing(new.org, e.draft, seal.openings(e)) for e in new.events]
        alone = 1 if len(new.deliveries) == 1 else 0
        rows = []
        for d in new.deliveries:
            state, place, token, until, attempt = d.state._value_, moves.place_of(d.state, d.due_at), None, 0, 0
            if place == Place.READY and self._reserved(d.destination):
                token, until = lease()
                state, place, attempt = State.CLAIMED._value_, Place.CLAIMED, 1
                self._born.append(self._claim(d, token, until, bool(alone)))
                if not events.begun(new.events, d.id):
                    org, message = ids.text(new.org), ids.text(new.id)
                    event = events.attempted(self._shard.number, org, message, d.id, now, 1, d.record)
                    sealed.append(Sealing(new.org, event.draft, b""))
            elif d.state is State.HELD:
                until = d.record.held_until
            self._places[d.id] = place
            rows.append(
                DeliveryRow(
                    d.id, new.id, new.org, new.stream, d.destination, state, place, d.due_at, token, until, attempt,
                    0, alone, seal.delivery(d.id, d.record),
                )
            )  # fmt: skip
        row = MessageRow(
            new.id, new.org, new.stream, new.at, self._size, b"".join([d.id for d in new.deliveries]), wrapped,
            seal.message(new.record), chunks, new.repeat,
        )  # fmt: skip
        keyed = None
        if new.key is not None:
            token, payload, forget = new.key
            keyed = KeyedRow(token, payload, new.id, seal.answer(self._answer), forget)
        return Accept(row, tuple(rows), tuple(sealed), keyed)

    def cancel(self) -> None:
        """Nothing was stored: what was reserved is given back."""
        for claim in self._born:
            self._claims.rota.release(claim.destination)
            if self._taker is not None:
                self._taker.cancel(claim.destination)
        self._born.clear()
        self._budget.give(self._size)

    def done(self, outcome: Outcome) -> None:
        """On the loop, after the commit or its failure."""
        if outcome is None:
            self._stored()
            self._tell(self._answer)
            return
        self.cancel()
        if isinstance(outcome, KeyedRow):
            self._tell_earlier(outcome)
        elif isinstance(outcome, CarepostError) and not self.future.done():
            self.future.set_exception(outcome)

    def _reserved(self, destination: bytes) -> bool:
        """A slot of the worker, unless others of this flow wait for the same destination: they come first."""
        taker = self._taker
        rota = self._claims.rota
        if taker is None or rota.waits(self._flow, destination) or not rota.open(self._flow, destination):
            return False
        if not taker.reserve(destination):
            return False
        self._claims.rota.take(destination)
        return True

    def _claim(self, d: NewDelivery, lease: bytes, until: int, alone: bool) -> Claim:
        new = self._new
        return Claim(
            d.id, new.id, new.org, new.stream, lease, until, 1, d.record, destination=d.destination, alone=alone,
            decided=d.decided, worked=new.worked,
        )  # fmt: skip

    def _stored(self) -> None:
        new = self._new
        if new.repeat is not None:
            self._shard.repeats.put(new.repeat, new.id, new.at)
        born = {claim.delivery for claim in self._born}
        for d in new.deliveries:
            if d.id not in born:
                self._claims.placed(self._flow, d.destination, self._places[d.id], d.due_at)
        if not self._born or self._taker is None:
            self._budget.give(self._size)
            return
        held = _Held(self._budget, self._size, len(self._born))
        for claim in self._born:
            self._claims.live[claim.delivery] = Live(claim.lease, claim.destination, held.release)
        for claim in self._born:
            self._taker.take(claim, new.record, new.body)

    def _tell(self, answer: Accepted) -> None:
        if not self.future.done():
            self.future.set_result(answer)

    def _tell_earlier(self, earlier: KeyedRow) -> None:
        """The key is known (BI-083): the same payload gets the same answer, another is refused."""
        if self.future.done():
            return
        if self._new.key is not None and earlier.payload != self._new.key[1]:
            self.future.set_exception(views.reused())
            return
        try:
            found = Opener(self._book).answer(self._new.org, earlier.message, earlier.answer)
        except CarepostError as error:
            self.future.set_exception(error)
            return
        self._tell(views.again(found))


class _Held:
    """A plaintext body shared by the deliveries it was handed over for."""

    __slots__ = ("_budget", "_left", "_size")

    def __init__(self, budget: Budget, size: int, deliveries: int) -> None:
        self._budget, self._size, self._left = budget, size, deliveries

    def release(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._budget.give(self._size)
