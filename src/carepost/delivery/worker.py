"""Takes deliveries from the queue, attempts them, settles them. One a shard.

No task is made for a message: a few runners live on and take what is ready. What the queue hands over in memory
(`queue.taker`) and what it gives to `claim` go the same way. While the processor is the limit and a program presses
with new mail, that organisation's deliveries are begun more slowly, for a while (`delivery.easing`)."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec

from carepost.crypto.rest import Damaged
from carepost.delivery.attempt import OFFICE_AWAY, Attempt
from carepost.delivery.conclude import postponed, unreadable
from carepost.delivery.easing import Easing, never
from carepost.delivery.events import About
from carepost.delivery.lanes import MANY
from carepost.delivery.world import World
from carepost.ground import clock, ids, log, metrics
from carepost.ground.errors import CarepostError, NotFound, Unavailable
from carepost.ground.keys import WrongKey
from carepost.pace.words import held_by
from carepost.queue.types import Claim, LeaseLost, MessageRecord, Settlement
from carepost.spool.types import Flow
from carepost.wire.pacing import HeldBack
from carepost.wire.types import Actor, Stream

#: deliveries under way at once, in all and to one destination
MOST, PER_DESTINATION = 2000, 200
#: claimed at a time, and seconds a claim waits for something to come
BATCH, WAIT = 100, 30.0
#: seconds between tries to commit a settlement the disk did not take
AGAIN = 1.0
_SECOND = 1_000_000
_BULK = Stream.BULK.value


class Deliveries(Protocol):
    """`queue.Queue`, as the worker sees it."""

    async def claim(self, limit: int, *, per_destination: int = 20, wait_s: float = 0.0) -> list[Claim]: ...

    def mark_dot(self, claim: Claim) -> None: ...

    async def settle(self, claim: Claim, settlement: Settlement) -> None: ...

    def reopen(self) -> None: ...

    async def plain(self, claim: Claim) -> bytes: ...

    async def message(self, claim: Claim) -> MessageRecord: ...


class _Work(msgspec.Struct):
    claim: Claim
    message: MessageRecord | None
    body: bytes | None


class Worker:
    """Also the queue's Taker: what is due at acceptance is born claimed by it."""

    def __init__(
        self,
        queue: Deliveries,
        world: World,
        *,
        most: int = MOST,
        per_destination: int = PER_DESTINATION,
        pressed: Callable[[bytes], bool] = never,
    ) -> None:
        """`pressed`: whether this organisation's deliveries should be begun more slowly for now."""
        self._queue = queue
        self._world = world
        self._most = most
        self._per_destination = per_destination
        self._held = 0
        self._busy: Counter[bytes] = Counter()
        #: marketing under way, how much of it there may be, in all and to one destination, and that some was refused
        self._bulk, self._bulk_refused = 0, False
        self._bulk_most, self._bulk_each = max(1, most * 3 // 4), max(1, per_destination * 3 // 4)
        self._ready: deque[_Work] = deque()
        self._easing: Easing[_Work] = Easing(pressed, self._begin)
        self._idle: deque[asyncio.Future[None]] = deque()
        self._runners: set[asyncio.Task[None]] = set()
        self._claimer: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._empty = asyncio.Event()
        self._stopping = False

    def start(self) -> None:
        self._room.set()
        self._claimer = asyncio.ensure_future(self._claim())

    async def stop(self, seconds: float = 8.0) -> None:
        """Takes nothing more, gives what is under way `seconds` to end, then lets go: the queue takes it up again."""
        self._stopping = True
        if self._claimer is not None:
            self._claimer.cancel()
        for work in self._easing.close():
            # not begun: the queue takes it up again, as what a dead process had claimed
            self._over(work.claim)
        if self._held:
            self._empty.clear()
            try:
                await asyncio.wait_for(self._empty.wait(), seconds)
            except TimeoutError:
                log.event("delivery-let-go", deliveries=self._held)
        tasks = [*self._runners, *([self._claimer] if self._claimer is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def held(self) -> int:
        """Deliveries under way."""
        return self._held

    def may(self, flow: Flow, destination: bytes) -> int:
        """How many more of these may be under way: marketing leaves the last quarter of all places to other mail, and
        nothing goes faster than its provider lets it. The queue's gate (`Queue.paced_by`)."""
        pace = self._world.pace
        room = MANY if pace is None else pace.room(flow, destination)
        if flow.stream != _BULK:
            return room
        if self._bulk >= self._bulk_most:
            self._bulk_refused = True
            return 0
        return max(0, min(room, self._bulk_most - self._bulk, self._bulk_each - self._busy[destination]))

    def why(self, flow: Flow, destination: bytes) -> HeldBack | None:
        """What holds back deliveries of this flow that are due; None: their turn comes."""
        pace = self._world.pace
        wait = pace.waits(flow, destination) if pace is not None else None
        if wait is not None:
            words = held_by(wait.what, wait.provider, wait.by, wait.source)
            return HeldBack(wait.what, words, wait.until, wait.provider, wait.source, wait.by)
        most = self._bulk_each if flow.stream == _BULK else self._per_destination
        if self._busy[destination] >= most:
            return HeldBack("destination", held_by("destination", ""))
        return None

    # queue.taker.Taker

    def reserve(self, destination: bytes) -> bool:
        if self._stopping or self._held >= self._most or self._busy[destination] >= self._per_destination:
            return False
        self._hold(destination)
        return True

    def cancel(self, destination: bytes) -> None:
        self._let_go(destination)

    def take(self, claim: Claim, message: MessageRecord, body: bytes) -> None:
        self._add(_Work(claim, message, body))

    # claiming

    async def _claim(self) -> None:
        """Asks the queue whenever there is room. An error here must not end delivery."""
        while not self._stopping:
            await self._room.wait()
            room = self._most - self._held
            if room <= 0:
                self._room.clear()
                continue
            try:
                claims = await self._queue.claim(min(room, BATCH), per_destination=self._per_destination, wait_s=WAIT)
            except CarepostError as error:
                log.failure("claim-failed", error)
                await asyncio.sleep(AGAIN)
                continue
            for claim in claims:
                self._hold(claim.destination)
                self._add(_Work(claim, None, None))

    def _hold(self, destination: bytes) -> None:
        self._held += 1
        self._busy[destination] += 1

    def _let_go(self, destination: bytes) -> None:
        self._held -= 1
        left = self._busy[destination] - 1
        if left > 0:
            self._busy[destination] = left
        else:
            del self._busy[destination]
        self._room.set()
        if not self._held:
            self._empty.set()

    def _over(self, claim: Claim) -> None:
        self._let_go(claim.destination)
        if claim.stream == _BULK:
            self._bulk -= 1
            if self._bulk_refused and self._bulk < self._bulk_most:
                self._bulk_refused = False
                self._queue.reopen()

    # running

    def _add(self, work: _Work) -> None:
        if work.claim.stream == _BULK:
            self._bulk += 1
        if self._stopping or not self._easing.put_off(work.claim.org, work):
            self._begin(work)

    def _begin(self, work: _Work) -> None:
        self._ready.append(work)
        while self._idle:
            waiter = self._idle.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        if len(self._runners) < self._most:
            runner = asyncio.ensure_future(self._run())
            self._runners.add(runner)
            runner.add_done_callback(self._runners.discard)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._ready:
                waiter: asyncio.Future[None] = loop.create_future()
                self._idle.append(waiter)
                await waiter
                continue
            work = self._ready.popleft()
            try:
                await self._one(work)
            finally:
                self._over(work.claim)

    async def _one(self, work: _Work) -> None:
        claim = work.claim
        try:
            message = work.message if work.message is not None else await self._queue.message(claim)
        except CarepostError as error:
            settlement = self._excused(claim, _NOBODY, error)
        else:
            settlement = await self._attempt(claim, message, work.body)
        metrics.count("delivery-" + settlement.state._value_)
        await self._settle(claim, settlement)

    async def _attempt(self, claim: Claim, message: MessageRecord, body: bytes | None) -> Settlement:
        read, before_dot = partial(self._queue.plain, claim), partial(self._queue.mark_dot, claim)
        attempt = Attempt(claim, message, read, self._world, before_dot, whole=body)
        try:
            return await attempt.run()
        except CarepostError as error:
            return self._excused(claim, message, error)
        except Exception as error:
            # Ours, not the recipient's: said in the log by class and place, and tried again.
            log.failure("attempt-broken", error, delivery=ids.text(claim.delivery))
            metrics.count("delivery-broken")
            return postponed(About(claim, message, clock.now()), clock.now() + 60 * _SECOND, "attempt-broken")

    def _excused(self, claim: Claim, message: MessageRecord, error: CarepostError) -> Settlement:
        about = About(claim, message, clock.now())
        if isinstance(error, Damaged | WrongKey | NotFound):
            log.failure("delivery-unreadable", error, delivery=ids.text(claim.delivery))
            return unreadable(about)
        log.failure("delivery-postponed", error, delivery=ids.text(claim.delivery))
        wait = OFFICE_AWAY if isinstance(error, Unavailable) else 60
        return postponed(about, clock.now() + wait * _SECOND, error.code)

    async def _settle(self, claim: Claim, settlement: Settlement) -> None:
        while True:
            try:
                await self._queue.settle(claim, settlement)
                return
            except LeaseLost:
                log.event("lease-lost", delivery=ids.text(claim.delivery))
                return
            except Unavailable:
                # The disk did not take it; the lease stays ours, and what was answered must not be forgotten.
                await asyncio.sleep(AGAIN)
            except CarepostError as error:
                # Its organisation's keys are gone: nothing about it can be sealed. The lease ends by itself.
                log.failure("settlement-impossible", error, delivery=ids.text(claim.delivery))
                return


_NOBODY = MessageRecord(
    sender="",
    subject="",
    message_id="",
    header_from="",
    actor=Actor("system", "delivery"),
    client="",
    envid=None,
    smtputf8=False,
    eightbit=False,
    kind="",
    category="",
    data_class="",
    purpose="",
    origin="",
)
