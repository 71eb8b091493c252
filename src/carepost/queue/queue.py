"""The queue of one shard."""

import asyncio
from collections.abc import Callable

from carepost.crypto.rest import Damaged
from carepost.ground import clock, entropy, log
from carepost.ground.errors import CarepostError, Unavailable
from carepost.queue import moves
from carepost.queue.abandoned import Abandoned
from carepost.queue.accepting import Accepting
from carepost.queue.acts import NO_WISH, Wish
from carepost.queue.claims import Claims
from carepost.queue.desk import Desk
from carepost.queue.reviewing import Place, Reviewed, Who
from carepost.queue.sealing import Opener, OrgKeyBook, seal_openings
from carepost.queue.taker import Taker
from carepost.queue.types import (
    Claim,
    EventDraft,
    LeaseLost,
    MessageRecord,
    NewMessage,
    Settlement,
    State,
    StoredBody,
)
from carepost.spool.budget import Budget
from carepost.spool.repeats import HOUR
from carepost.spool.shard import Shard
from carepost.spool.types import Append, Flow, Outcome, Sealing, Waiting
from carepost.wire.pacing import HeldBack
from carepost.wire.types import ANY_HELD, Accepted, Actor, Drained, HeldFilter, HeldView, MessageView

#: longer than any attempt may last (RFC 5321 4.5.3.2: ten minutes for the answer to the final dot)
LEASE_S = 3600.0
_SWEEP_EVERY = 30.0
#: seconds between counts of what waits and is held, while events come; and how many times as long as a count took: of
#: a million rows one takes half a second, and must not take a tenth of a processor
COUNT_EVERY = 5.0
COUNT_REST = 50
#: seconds between tries while the disk cannot be read or written
AGAIN_S = 1.0
_BODIES = 256 * 1024 * 1024
#: messages of the last hour read again into the table of repeats at start
_REPEATS = 20_000


class Queue:
    """All methods on the engine's loop. One a shard."""

    def __init__(
        self, shard: Shard, keys: OrgKeyBook, *, budget: Budget | None = None, lease_s: float = LEASE_S
    ) -> None:
        """`budget`: shared by all who hold bodies in this process."""
        self.shard = shard
        self.number = shard.number
        #: the local worker; set before anything is accepted, or never
        self.taker: Taker | None = None
        self._keys = keys
        self._opener = Opener(keys)
        self._budget = budget or Budget(_BODIES)
        self._lease_us = int(lease_s * 1_000_000)
        self._claims = Claims(shard, keys, self._lease)
        self._abandoned = Abandoned(shard, keys, self._claims)
        self._desk = Desk(shard, keys, self._claims)
        self._sweeper: asyncio.Task[None] | None = None
        self._doubt: asyncio.Task[None] | None = None
        self._sent = self._accepted = 0

    async def start(self) -> None:
        """Finds what is due, and takes up what a dead process had claimed. Raises Unavailable."""
        self._claims.look()
        now = clock.now()
        for token, message, at in self.shard.backend.repeats(now - HOUR, _REPEATS):
            self.shard.repeats.put(token, message, at)
        await self._abandoned.start()
        await self._desk.count()
        self.shard.on_doubt = self._doubted
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    async def close(self) -> None:
        """The shard is closed by whoever opened it."""
        for task in (self._sweeper, self._doubt):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def accept(self, new: NewMessage) -> Accepted:
        """Takes responsibility: when this returns, the message survives a power cut. Raises Unavailable (nothing was
        stored), Refused 422 (its key was used for another message)."""
        return await self.submit(new)

    def submit(self, new: NewMessage) -> asyncio.Future[Accepted]:
        """`accept`, not waited for: what is submitted in one turn of the loop is committed together. Raises
        Unavailable; the future carries what `accept` raises."""
        size = len(new.body)
        self.shard.admit(size)
        if not self._budget.take(size):
            raise Unavailable("bodies-full", "Too many messages are being taken in at once; try again later.")
        work = Accepting(self.shard, self._keys, self._claims, self.taker, self._budget, new)
        try:
            unit = work.unit(self._lease)
            self.shard.submit(unit, work.done, size)
        except BaseException:
            work.cancel()
            raise
        self._accepted += 1
        return work.future

    def repeated(self, token: bytes) -> bytes | None:
        """The id of the message accepted under this token (BI-023) within the last hour, by any engine of this home."""
        return self.shard.repeats.find(token, clock.now())

    def paced_by(
        self, gate: Callable[[Flow, bytes], int], why: Callable[[Flow, bytes], HeldBack | None] | None = None
    ) -> None:
        """`gate`: how many more of a flow to a destination may be claimed now, asked on the loop; `reopen` must follow
        when that grows. `why`: what is told of those that are not."""
        self._claims.rota.gate = gate
        self._desk.why = why

    def reopen(self) -> None:
        """What the gate did not let go is asked for again."""
        self._claims.reopen()

    async def claim(self, limit: int, *, per_destination: int = 20, wait_s: float = 0.0) -> list[Claim]:
        """Up to `limit` due deliveries, leased to the caller, their attempts on record; fair between organisations and
        streams. Waits up to `wait_s` for the first. Raises Unavailable."""
        return await self._claims.claim(limit, per_destination, wait_s)

    def mark_dot(self, claim: Claim) -> None:
        """The final dot is written next: from here on the attempt may have arrived (law 6). ~1 µs, no commit. Raises
        LeaseLost when another node may have the shard by now: then the dot must not be written."""
        if self.cut_off:
            raise LeaseLost
        self.shard.dots.mark(claim.lease)

    async def settle(self, claim: Claim, settlement: Settlement) -> None:
        """The outcome and its events, in one commit, under the claim's lease. Raises LeaseLost: touch nothing more;
        Unavailable: not on record, the lease stays, call again."""
        live = self._claims.live.get(claim.delivery)
        if live is None or live.lease != claim.lease:
            raise LeaseLost
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        flow, destination = Flow(claim.stream, claim.org), claim.destination
        move = moves.settled(self._keys, claim, settlement)

        def done(outcome: Outcome) -> None:
            if isinstance(outcome, CarepostError):
                if not future.done():
                    future.set_exception(LeaseLost() if self.shard.backend.lost else outcome)
                return
            self._claims.end(claim.delivery, claim.lease)
            if outcome is True:
                self._sent += settlement.state is State.SENT
                self._claims.placed(flow, destination, move.place, move.due_at)
            if not future.done():
                if outcome is True:
                    future.set_result(None)
                else:
                    future.set_exception(LeaseLost())

        self.shard.submit(move, done)
        await future

    async def plain(self, claim: Claim) -> bytes:
        """The body of the claim's message. It counts as held until the claim is settled; waits while too much is.
        Raises NotFound, Damaged (settle it HELD: law 12)."""
        stored = await self._desk.body(claim.org, claim.message)
        size = sum(map(len, stored.chunks))
        live = self._claims.live.get(claim.delivery)
        if live is not None and live.release is None:
            await self._budget.wait(size)
            if self._claims.live.get(claim.delivery) is not live:
                self._budget.give(size)
                raise LeaseLost
            live.release = lambda: self._budget.give(size)
        if len(stored.chunks) == 1:
            return self._opener.body(claim.org, claim.message, stored)
        return await asyncio.to_thread(self._opener.body, claim.org, claim.message, stored)

    async def message(self, claim: Claim) -> MessageRecord:
        """Raises NotFound, Damaged."""
        return self._desk.record(claim.org, claim.message)

    async def act(
        self,
        verb: str,
        org: bytes,
        deliveries: tuple[bytes, ...],
        actor: Actor,
        reason: str,
        also: tuple[str, ...] = (),
        wish: Wish = NO_WISH,
    ) -> dict[str, str]:
        """hold | release | refuse | retry | retract. Delivery id (text) -> its new state, "not-found", "not-possible"
        or "needs-another" (approval that this actor cannot give). `also`: as wire.doors.Act."""
        return await self._desk.act(verb, org, deliveries, actor, reason, also, wish)

    async def held(
        self,
        org: bytes,
        who: Who,
        reasons: frozenset[str],
        before: Place | None,
        limit: int,
        only: HeldFilter = ANY_HELD,
    ) -> tuple[tuple[HeldView, ...], Place | None]:
        """Held deliveries, newest held first, and down to which place all were looked at (None: to the end)."""
        return await self._desk.held(org, who, reasons, before, limit, only)

    async def reviewed(self, org: bytes, delivery: bytes, who: Who) -> Reviewed:
        """One delivery whatever its state, with what a decision about it needs. Raises NotFound."""
        return await self._desk.reviewed(org, delivery, who)

    async def waiting(self) -> list[Waiting]:
        """How much of each organisation is held."""
        return await self._desk.waiting()

    async def end_overdue(self, now: int) -> int:
        """Ends the wait of what nobody acted on in the time the rules allow; how many. Raises Unavailable."""
        return await self._desk.overdue(now)

    async def lookup(self, org: bytes, message: bytes) -> MessageView:
        """Raises NotFound: absent, forgotten (then history has it) or another organisation's."""
        return await self._desk.lookup(org, message)

    async def listing(self, org: bytes, state: str = "", limit: int = 100) -> tuple[MessageView, ...]:
        """Deliveries queued, deferred or held (`state` "": all three), newest first, under their messages; org b"":
        of all organisations."""
        return await self._desk.listing(org, state, limit)

    async def body(self, org: bytes, message: bytes) -> StoredBody:
        """Ciphertext chunks, wrapped key, sealed MessageRecord. Raises NotFound."""
        return await self._desk.body(org, message)

    async def find_key(self, org: bytes, token: bytes, payload: bytes) -> Accepted | None:
        """The earlier answer under an idempotency key; None: the key is not known. Raises Refused 422."""
        return self._desk.find_key(org, token, payload)

    async def append(self, events: tuple[Sealing, ...]) -> None:
        """Events that change no delivery, with the next commit."""
        await self.shard.ask(Append(events))

    async def note(self, org: bytes, event: EventDraft) -> None:
        """An event that belongs to no message, with the next commit. Raises Unavailable (nothing is on record: the
        doors are closed, or the disk did not take it), NotFound (an organisation without keys)."""
        self.shard.admit(0)
        sealed = seal_openings(self._keys, org, event.draft, event.personal)
        await self.append((Sealing(org, event.draft, sealed),))

    async def drain(
        self, after: int, acked: int, limit: int = 2000, wait_s: float = 0.0
    ) -> tuple[tuple[Drained, ...], int]:
        """Events after `after`, in order without a gap, and the newest number. Up to `acked` all may be forgotten."""
        return await self.shard.drain(after, acked, limit, wait_s)

    @property
    def cut_off(self) -> bool:
        """The database of the spool was silent for longer than the lease: another node may have the shard."""
        return clock.monotonic() > self.shard.backend.valid_until

    def taking(self) -> bool:
        """Whether something new would be taken now, as far as is known here."""
        try:
            self.shard.admit(0)
        except Unavailable:
            return False
        return not self.cut_off

    def stats(self) -> dict[str, int]:
        """PHI-free figures for health. queued, held, deferred: as of a few seconds ago. oldest_s: seconds since the
        first delivery that waits for its turn was due, but for what a warm-up keeps back; 0 while none is. cut_off: 1
        or 0."""
        due = self._desk.first_due
        return {
            "oldest_s": max(0, clock.now() - due) // 1_000_000 if due else 0,
            **self._desk.counted,
            **self.shard.stats(),
            "claimed": len(self._claims.live),
            "bodies": self._budget.held,
            "accepted": self._accepted,
            "sent": self._sent,
            "cut_off": int(self.cut_off),
        }

    def _lease(self) -> tuple[bytes, int]:
        return entropy.take(16), clock.now() + self._lease_us

    def _doubted(self) -> None:
        if self._doubt is None or self._doubt.done():
            self._doubt = asyncio.get_running_loop().create_task(self._find_out())

    async def _find_out(self) -> None:
        """A group's fate is unknown: as soon as the store can be read and written, what it did is taken up."""
        while True:
            try:
                await self._abandoned.recover_unknown()
                return
            except CarepostError as error:
                log.failure("queue-recovery-waits", error, shard=self.number)
                await asyncio.sleep(AGAIN_S)

    async def _sweep(self) -> None:
        """Housekeeping of leases and figures. Its own failures must not end it."""
        swept, counted, again = clock.monotonic(), -1, 0.0
        while True:
            await asyncio.sleep(COUNT_EVERY)
            try:
                if clock.monotonic() - swept >= _SWEEP_EVERY:
                    swept = clock.monotonic()
                    while await self._abandoned.sweep(clock.now()):
                        pass
                    if self._desk.counted["held"]:
                        await self._desk.overdue(clock.now())
                # every change of a delivery has its event
                began = clock.monotonic()
                if (self.shard.backend.head != counted or self._desk.late) and began >= again:
                    counted = self.shard.backend.head
                    await self._desk.count()
                    ended = clock.monotonic()
                    again = ended + COUNT_REST * (ended - began)
            except (CarepostError, Damaged) as error:
                log.failure("queue-sweep-failed", error, shard=self.number)
