"""Deliveries whose worker is gone: its process died, or its lease ran out. They are taken up again, by law 6."""

import asyncio

from carepost.crypto.rest import Damaged
from carepost.ground import clock, ids, log
from carepost.ground.errors import CarepostError
from carepost.queue import moves, recovery
from carepost.queue.claims import Claims
from carepost.queue.sealing import Opener, OrgKeyBook
from carepost.spool.shard import Shard
from carepost.spool.types import DeliveryRow, Flow, Orphan

#: taken up at a time
_MOST = 100
_FOREVER = 1 << 62


class Abandoned:
    def __init__(self, shard: Shard, book: OrgKeyBook, claims: Claims) -> None:
        self._shard = shard
        self._book = book
        self._opener = Opener(book)
        self._claims = claims
        #: what a dead process left in `dots` can be believed
        self._trusted = shard.dots.trusted

    async def start(self) -> None:
        """Before this process leases anything: whatever is claimed belongs to a dead one. Its leases end now; what
        cannot be opened yet (the office cannot be read) is taken up by a later sweep."""
        await self._shard.ask(Orphan())
        while await self.sweep(0):
            pass

    async def sweep(self, now: int) -> bool:
        """Takes up deliveries whose lease has ended by `now`. True: there may be more."""
        rows = self._shard.backend.expired(now, _MOST)
        taken = await asyncio.gather(*[self._take_up(row) for row in rows])
        if not self._trusted and not self._shard.backend.expired(0, 1):
            self._shard.dots.trust()
            self._trusted = True
        return len(rows) == _MOST and any(taken)

    async def recover_unknown(self) -> None:
        """After a group of unknown fate: claimed deliveries that nobody in this process knows of."""
        self._claims.look()
        for row in self._shard.backend.expired(_FOREVER, 10_000):
            live = self._claims.live.get(row.id)
            if live is None or live.lease != row.lease:
                await self._take_up(row)

    async def _take_up(self, row: DeliveryRow) -> bool:
        """False: it could not be opened now."""
        lease = row.lease or b""
        try:
            record = self._opener.delivery_record(row.org, row.message, row.id, row.record)
        except Damaged as error:
            log.failure("delivery-damaged", error, delivery=ids.text(row.id))
            await self._shard.ask(moves.damaged(self._shard.number, row))
            self._claims.end(row.id, lease)
            return True
        except CarepostError as error:
            log.failure("delivery-not-opened", error, delivery=ids.text(row.id))
            return False
        claim = moves.claim_of(row, record)
        ours = row.id in self._claims.live and self._claims.live[row.id].lease == lease
        past_dot = self._shard.dots.marked(lease) or not (self._trusted or ours)
        found = recovery.settlement(claim, self._shard.number, clock.now(), past_dot=past_dot)
        move = moves.settled(self._book, claim, found)
        if await self._shard.ask(move) is True:
            log.event("delivery-taken-up", delivery=ids.text(row.id), uncertain=past_dot)
            self._shard.dots.clear(lease)
            self._claims.placed(Flow(row.stream, row.org), row.destination, move.place, move.due_at)
        self._claims.end(row.id, lease)
        return True
