"""The thread that tells: what is pending goes to its endpoint, many at once, and what became of it goes on record.

At least once: a row goes when its call's answer stands in the same transaction; killed in between, the call is made
again under the same id. No endpoint waits for another: each has its own lane, and calls are made elsewhere."""

import queue
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import msgspec
from django.db import DatabaseError, close_old_connections

from carepost.audit.store import Store
from carepost.ground import clock, log, metrics
from carepost.ground.errors import CarepostError, Unavailable
from carepost.ground.outward import Place
from carepost.webhooks import acts, composing, replays, settling, targets
from carepost.webhooks.calls import rows
from carepost.webhooks.calls.rows import Pending, State
from carepost.webhooks.composing import Parcel
from carepost.webhooks.fanout import Fanout
from carepost.webhooks.lanes import BATCH, NEVER, Lane
from carepost.webhooks.schedule import DAY
from carepost.webhooks.settling import Ended, Outcome

#: calls at once, of all endpoints
MOST: Final = 256
#: seconds between two settlements; answers after which one does not wait
GATHER: Final = 0.1
MANY: Final = 200
#: seconds without anything to do
IDLE: Final = 60.0
HOUR: Final = 3_600_000_000
#: days a try stays on record
KEPT: Final = 30
_SWEPT: Final = 5_000


class Request(msgspec.Struct, frozen=True):
    """`delivery.hooks.Call`."""

    place: Place
    body: bytes
    headers: dict[str, str]


class Calls(Protocol):
    """`delivery.hooks.Calls`."""

    def submit(self, call: Any, done: Callable[[Any], None]) -> None: ...

    def stop(self) -> None: ...


class _Answered(msgspec.Struct):
    endpoint: bytes
    parcel: Parcel
    began: int
    ended: Ended


class Sender:
    """`run` is a thread of its own. `step` is one round of it."""

    def __init__(
        self,
        store: Store,
        fanout: Fanout,
        calls: Callable[[], Calls],
        stopping: threading.Event,
        *,
        quick: bool = False,
    ) -> None:
        """`store`: a connection of its own. `calls`: asked once, when there is something to tell. `quick`: a sandbox
        home's waits."""
        self._store, self._fanout, self._make, self._stopping = store, fanout, calls, stopping
        self._quick = quick
        self._calls: Calls | None = None
        self._lanes: dict[bytes, Lane] = {}
        self._generation = -1
        self._answers: queue.SimpleQueue[_Answered] = queue.SimpleQueue()
        self._unsettled: list[_Answered] = []
        self._outcomes: list[Outcome] = []
        self._settled = 0.0
        self._swept_at = 0
        self._turn = 0

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                close_old_connections()
                wait = self.step()
            except Exception as error:
                log.failure("webhooks", error)
                wait = 2.0
            self._fanout.wake.wait(wait)
            self._fanout.wake.clear()
        if self._calls is not None:
            self._calls.stop()

    def step(self) -> float:
        """Seconds until there is something to do, if nothing wakes it."""
        self._collect()
        self._settle()
        if self._generation != self._fanout.generation:
            self._reload()
        for endpoint in self._fanout.touched():
            if (lane := self._lanes.get(endpoint)) is not None:
                lane.touch()
        if not self._lanes:
            return IDLE
        moved = self._replay()
        now = clock.now()
        for lane in self._in_turn():
            if lane.next_look <= now:
                self._feed(lane, now)
        self._sweep(now)
        return 0.0 if moved else self._wait(now)

    @property
    def flying(self) -> int:
        return sum(lane.flying for lane in self._lanes.values())

    def _in_turn(self) -> list[Lane]:
        """Every lane, each time another first."""
        lanes = list(self._lanes.values())
        self._turn = (self._turn + 1) % len(lanes)
        return lanes[self._turn :] + lanes[: self._turn]

    def _wait(self, now: int) -> float:
        if self._unsettled or self._outcomes:
            return GATHER
        soonest = min((lane.next_look for lane in self._lanes.values()), default=NEVER)
        return min(IDLE, max(0.0, (soonest - now) / 1e6))

    def _feed(self, lane: Lane, now: int) -> None:
        room = min(lane.room(MOST // len(self._lanes) or 1), MOST - self.flying)
        if room <= 0:
            # looked at again when an answer comes
            lane.next_look = NEVER if lane.flying else now + 1_000_000
            return
        with self._store.reading(None):
            lane.refill(self._store, now)
        chosen = lane.choose(BATCH if lane.batches else room, now)
        if not chosen:
            return
        for part in [chosen] if lane.batches else [[row] for row in chosen]:
            try:
                parcel = composing.compose(self._store, lane.target, part)
            except Unavailable:
                lane.touch()
                lane.next_look = now + 5_000_000
                return
            self._tell(lane, parcel, part)

    def _tell(self, lane: Lane, parcel: Parcel, part: Sequence[Pending]) -> None:
        used = [*parcel.told, *(told for told, _ in parcel.left_out)]
        lane.held.update((told.row.key, told.row) for told in used)
        if len(used) < len(part):
            # it did not fit into one body
            lane.touch()
        if parcel.left_out:
            self._outcomes.append(settling.left_out(parcel, clock.now()))
        if not parcel.told:
            return
        if self._calls is None:
            self._calls = self._make()
        lane.flying += 1
        endpoint, began = lane.target.endpoint, clock.now()

        def done(ended: Ended) -> None:
            self._answers.put(_Answered(endpoint, parcel, began, ended))
            self._fanout.wake.set()

        self._calls.submit(Request(lane.target.place, parcel.body, parcel.headers), done)

    def _collect(self) -> None:
        while not self._answers.empty():
            answered = self._answers.get()
            self._unsettled.append(answered)
            lane = self._lanes.get(answered.endpoint)
            if lane is not None:
                lane.flying -= 1
                lane.next_look = 0

    def _settle(self) -> None:
        if not self._unsettled and not self._outcomes:
            return
        if clock.monotonic() - self._settled < GATHER and len(self._unsettled) < MANY:
            return
        now = clock.now()
        outcomes = list(self._outcomes)
        states: dict[bytes, State] = {}
        gone: set[bytes] = set()
        for one in self._unsettled:
            lane = self._lanes.get(one.endpoint)
            if lane is None:
                continue
            # a copy: what is not committed must not be believed
            state = states.setdefault(one.endpoint, msgspec.structs.replace(lane.state))
            outcome = settling.settle(one.parcel, one.ended, state, one.began, now, quick=self._quick)
            outcomes.append(outcome)
            if outcome.gone:
                gone.add(one.endpoint)
        with self._store.writing():
            for outcome in outcomes:
                rows.settle(self._store, outcome.done, outcome.later, outcome.tries)
            for endpoint, state in states.items():
                rows.put_state(self._store, self._lanes[endpoint].target.org, endpoint, state)
            # COMMIT POINT: a crash before it leaves the rows as they were, and what was told is told again under the
            # same ids. After it only what failed is left.
        self._settled = clock.monotonic()
        self._unsettled, self._outcomes = [], []
        for endpoint, state in states.items():
            self._lanes[endpoint].state = state
        self._release(outcomes)
        for endpoint, state in states.items():
            lane = self._lanes[endpoint]
            # while something is under way a success may still come
            failing = state.failing_since and now - state.failing_since >= DAY and not lane.flying
            if lane.target.live and (failing or endpoint in gone):
                self._disable(lane, "gone" if endpoint in gone else "failing")

    def _release(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            metrics.count("webhooks_sent", sum(one.result == settling.SENT_ for one in outcome.tries))
            metrics.count("webhooks_failed", sum(one.result != settling.SENT_ for one in outcome.tries))
            for row in (*outcome.done, *outcome.later):
                lane = self._lanes.get(row.endpoint)
                if lane is not None and lane.held.pop(row.key, None) is not None:
                    lane.next_look = 0
                    if row in outcome.later:
                        lane.buffer.append(row)
                        lane.sort()

    def _disable(self, lane: Lane, cause: str) -> None:
        org, endpoint = lane.target.org, lane.target.endpoint
        with self._store.reading(None):
            oldest = rows.oldest(self._store, org, endpoint)
            given_up = rows.given_up(self._store, org, endpoint, lane.state.failing_since)
        since = min(at for at in (lane.state.failing_since, oldest, given_up, clock.now()) if at)
        if acts.disable(uuid.UUID(bytes=org), uuid.UUID(bytes=endpoint), cause, since):
            log.event("webhook-disabled", endpoint=str(uuid.UUID(bytes=endpoint)), cause=cause)
        lane.target = msgspec.structs.replace(lane.target, live=False)
        with self._store.writing():
            rows.drop_pending(self._store, org, endpoint)
        lane.buffer = []

    def _reload(self) -> None:
        """Endpoints as they are now. Raises DatabaseError: then the former ones go on."""
        generation = self._fanout.generation
        try:
            found = targets.load()
        except DatabaseError as error:
            log.failure("webhooks-unread", error)
            return
        with self._store.reading(None):
            states = {key: rows.state(self._store, one.org, key) for key, one in found.items()}
        for endpoint, target in found.items():
            lane = self._lanes.get(endpoint)
            if lane is None:
                self._lanes[endpoint] = Lane(target, states[endpoint])
            else:
                lane.renew(target, states[endpoint])
        removed = [lane for endpoint, lane in self._lanes.items() if endpoint not in found]
        if removed:
            with self._store.writing():
                for lane in removed:
                    rows.drop(self._store, lane.target.org, lane.target.endpoint)
        for lane in removed:
            del self._lanes[lane.target.endpoint]
        self._generation = generation

    def _replay(self) -> bool:
        try:
            touched, more = replays.step(self._store, {key: lane.target for key, lane in self._lanes.items()})
        except CarepostError as error:
            log.failure("webhook-replay", error)
            return False
        for endpoint in touched:
            self._lanes[endpoint].touch()
        return more

    def _sweep(self, now: int) -> None:
        """Tries past their time, a few thousand an hour and endpoint."""
        if now - self._swept_at < HOUR:
            return
        self._swept_at = now
        before = ((now - KEPT * DAY) // 1000 << 80).to_bytes(16, "big")
        for lane in self._lanes.values():
            with self._store.writing():
                rows.forget_tries(self._store, lane.target.org, lane.target.endpoint, before, _SWEPT)
