"""Which deliveries are under way in this process, and whose turn is next."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from carepost.crypto.rest import Damaged
from carepost.ground import clock, ids, log
from carepost.ground.errors import CarepostError
from carepost.queue import moves
from carepost.queue.rota import Rota
from carepost.queue.sealing import Opener, OrgKeyBook
from carepost.queue.types import Claim
from carepost.spool.shard import Shard
from carepost.spool.types import DeliveryRow, Flow, Outcome, Place, Promote

#: deliveries of one destination read at a time, flows looked at for due deliveries in one claim, and what is read then
_READ = 32
_FLOWS = 16
_PROMOTE = 256
_DESTINATIONS = 256
#: seconds a destination is left alone when its delivery could not be opened (the office cannot be read)
_SULK = 5.0
_FOREVER = 1 << 62


class Live(msgspec.Struct):
    """A delivery under way in this process."""

    lease: bytes
    destination: bytes
    #: called when it ends: its body is let go
    release: Callable[[], None] | None = None


class Claims:
    """`lease`: a function giving a fresh (token, deadline)."""

    def __init__(self, shard: Shard, book: OrgKeyBook, lease: Callable[[], tuple[bytes, int]]) -> None:
        self._shard = shard
        self._opener = Opener(book)
        self._lease = lease
        self.rota = Rota()
        self.live: dict[bytes, Live] = {}
        #: flow -> when its first waiting delivery is due
        self._waits: dict[Flow, int] = {}
        self._next_wait = _FOREVER
        self._wake = asyncio.Event()
        self._one = asyncio.Lock()

    def look(self) -> None:
        """Reads from the shard what is remembered of it."""
        for flow in self._shard.backend.flows(Place.READY):
            self.rota.look(flow)
        for flow in self._shard.backend.flows(Place.WAITING):
            self._due(flow)
        self._wake.set()

    def ready(self, flow: Flow, destination: bytes) -> None:
        self.rota.add(flow, destination)
        self._wake.set()

    def reopen(self) -> None:
        """What was set aside because it might not go may be asked for again."""
        self.rota.reopen()
        if self.rota:
            self._wake.set()

    def placed(self, flow: Flow, destination: bytes, place: int, due_at: int) -> None:
        """A row is committed at `place`: as it was stored, not as the clock would say now. A commit may take longer
        than a short wait; a row kept as waiting that memory took for ready would sleep until the next start."""
        if place == Place.READY:
            self.ready(flow, destination)
        elif place == Place.WAITING:
            if due_at < self._waits.get(flow, _FOREVER):
                self._waits[flow] = due_at
            if due_at < self._next_wait:
                self._next_wait = due_at
                self._wake.set()

    def end(self, delivery: bytes, lease: bytes) -> None:
        """The delivery is no longer under way here; nothing when it was not, or is again under another lease."""
        live = self.live.get(delivery)
        if live is None or live.lease != lease:
            return
        del self.live[delivery]
        self._shard.dots.clear(lease)
        if live.release is not None:
            live.release()
        self.rota.release(live.destination)
        if self.rota:
            self._wake.set()

    async def claim(self, limit: int, per_destination: int, wait_s: float) -> list[Claim]:
        deadline = clock.monotonic() + wait_s
        async with self._one:
            while True:
                self._wake.clear()
                await self._promote()
                rows = self._pick(limit, per_destination)
                if rows:
                    claims = await self._take(rows)
                    if claims:
                        return claims
                    continue
                left = min(deadline - clock.monotonic(), max(0.001, (self._next_wait - clock.now()) / 1_000_000))
                if clock.monotonic() >= deadline:
                    return []
                # not wait_for: where both come in one turn of the loop, that forgets that it was cancelled
                try:
                    async with asyncio.timeout(left):
                        await self._wake.wait()
                except TimeoutError:
                    pass

    async def _promote(self) -> None:
        """Waiting deliveries that are due become ready, flow by flow."""
        now = clock.now()
        if now < self._next_wait:
            return
        due = [flow for flow, at in self._waits.items() if at <= now][:_FLOWS]
        units = [Promote(flow.stream, flow.org, now, _PROMOTE) for flow in due]
        outcomes = await asyncio.gather(*[self._shard.ask(unit) for unit in units])
        for flow, outcome in zip(due, outcomes, strict=True):
            if isinstance(outcome, tuple):
                for destination in outcome:
                    self.rota.add(flow, destination)
            self._due(flow)

    def _due(self, flow: Flow) -> None:
        at = self._shard.backend.next_due(flow)
        if at is None:
            self._waits.pop(flow, None)
        else:
            self._waits[flow] = at
        self._next_wait = min(self._waits.values(), default=_FOREVER)

    def _pick(self, limit: int, per_destination: int) -> list[DeliveryRow]:
        """Ready rows by turn; a few are read at a time, and never more than are taken."""
        rows: list[DeliveryRow] = []
        read: dict[tuple[Flow, bytes], int] = {}
        backend = self._shard.backend
        while len(rows) < limit:
            wanted = self.rota.wanting()
            if wanted is not None:
                flow, after = wanted
                names = backend.destinations(flow, after, _DESTINATIONS)
                self.rota.found(flow, names, len(names) == _DESTINATIONS)
                continue
            turn = self.rota.next(min(limit - len(rows), _READ), per_destination)
            if turn is None:
                if self.rota.wanting() is None:
                    break
                continue
            flow, destination, asked = turn
            skip = read.get((flow, destination), 0)
            found = backend.ready(flow, destination, skip + asked)[skip:]
            read[flow, destination] = skip + len(found)
            self.rota.took(flow, destination, len(found), asked)
            rows += found
        return rows

    async def _take(self, rows: Sequence[DeliveryRow]) -> list[Claim]:
        """Leases of these rows, in one group. What changed meanwhile is left; what does not open is held."""
        asked: list[tuple[DeliveryRow, Claim, asyncio.Future[Outcome]]] = []
        for row in rows:
            try:
                record = self._opener.delivery_record(row.org, row.message, row.id, row.record)
            except Damaged as error:
                log.failure("delivery-damaged", error, delivery=ids.text(row.id))
                self._shard.submit(moves.damaged(self._shard.number, row))
                self.rota.release(row.destination)
            except CarepostError as error:
                log.failure("delivery-not-opened", error, delivery=ids.text(row.id))
                self._leave(row)
            else:
                claim, unit = moves.leased(self._shard.number, row, record, *self._lease())
                asked.append((row, claim, self._shard.ask(unit)))
        results = await asyncio.gather(*[future for _, _, future in asked], return_exceptions=True)
        claims = []
        for (row, claim, _), result in zip(asked, results, strict=True):
            if result is True:
                self.live[claim.delivery] = Live(claim.lease, claim.destination)
                claims.append(claim)
            else:
                self.rota.release(row.destination)
                self.rota.add(Flow(row.stream, row.org), row.destination)
        failure = next((r for r in results if isinstance(r, BaseException)), None)
        if not claims and failure is not None:
            raise failure
        return claims

    def _leave(self, row: DeliveryRow) -> None:
        """Not tried again for a while."""
        flow = Flow(row.stream, row.org)
        self.rota.release(row.destination)
        self.rota.forget(flow, row.destination)
        asyncio.get_running_loop().call_later(_SULK, self.ready, flow, row.destination)
