"""Whose turn it is: deficit round robin over flows (organisation and stream), then over destinations.

Remembers only that something is ready, never the deliveries themselves: those are read from the shard when their turn
comes, a few at a time. A million rows of one organisation are one flow; another organisation's message waits for one
turn of it. A destination that has all the deliveries it may have under way is set aside until one of them ends."""

from collections import Counter, deque
from collections.abc import Callable

from carepost.spool.types import Flow

#: deliveries a flow may have in one turn
WEIGHTS = {"system": 16, "transactional": 8, "operational": 4, "bulk": 2}
#: destinations of a flow remembered at once; the rest is found again in the shard
MOST_KNOWN = 4096


class _Lane:
    __slots__ = ("deficit", "destinations", "scan")

    def __init__(self) -> None:
        self.deficit = 0
        self.destinations: dict[bytes, None] = {}
        #: None: nothing else is ready in the shard; else look there for destinations after this one
        self.scan: bytes | None = None


class Rota:
    def __init__(self) -> None:
        self._lanes: dict[Flow, _Lane] = {}
        self._round: deque[Flow] = deque()
        self._aside: dict[bytes, dict[Flow, None]] = {}
        #: destination -> the flow that had the last delivery to it: it comes after those set aside meanwhile
        self._last: dict[bytes, Flow] = {}
        #: destination -> deliveries under way
        self.busy: Counter[bytes] = Counter()
        #: how many more of a flow to a destination may be under way, besides; None: nobody says
        self.gate: Callable[[Flow, bytes], int] | None = None

    def __bool__(self) -> bool:
        """Something may be had at once."""
        return bool(self._round)

    def waits(self, flow: Flow, destination: bytes) -> bool:
        """Deliveries of this flow to this destination are ready or set aside: a new one goes behind them."""
        lane = self._lanes.get(flow)
        if lane is not None and (destination in lane.destinations or lane.scan is not None):
            return True
        return flow in self._aside.get(destination, ())

    def add(self, flow: Flow, destination: bytes) -> None:
        """A delivery became ready."""
        lane = self._lane(flow)
        if destination in lane.destinations:
            return
        if len(lane.destinations) < MOST_KNOWN:
            lane.destinations[destination] = None
        elif lane.scan is None:
            lane.scan = b""

    def look(self, flow: Flow) -> None:
        """The shard has ready deliveries of this flow, to destinations not known here."""
        self._lane(flow).scan = b""

    def wanting(self) -> tuple[Flow, bytes] | None:
        """The flow whose turn it is, when its destinations must first be read from the shard, and after which one."""
        if not self._round:
            return None
        lane = self._lanes[self._round[0]]
        if lane.destinations or lane.scan is None:
            return None
        return self._round[0], lane.scan

    def found(self, flow: Flow, destinations: list[bytes], more: bool) -> None:
        """What reading after `wanting` gave."""
        lane = self._lane(flow)
        lane.scan = destinations[-1] if more and destinations else None
        lane.destinations.update(dict.fromkeys(destinations))
        if not lane.destinations:
            self._drop(flow)

    def next(self, want: int, per_destination: int) -> tuple[Flow, bytes, int] | None:
        """(flow, destination, at most so many of its deliveries). None: nothing, or `wanting` says what to read.
        `took` must follow."""
        while self._round and want > 0:
            flow = self._round[0]
            lane = self._lanes[flow]
            if not lane.destinations:
                if lane.scan is not None:
                    return None
                self._drop(flow)
                continue
            if lane.deficit <= 0:
                lane.deficit += WEIGHTS.get(flow.stream, 1)
            destination = next(iter(lane.destinations))
            free = per_destination - self.busy[destination]
            if self.gate is not None and free > 0:
                free = min(free, self.gate(flow, destination))
            if free <= 0:
                del lane.destinations[destination]
                self._aside.setdefault(destination, {})[flow] = None
                continue
            return flow, destination, min(want, lane.deficit, free)
        return None

    def took(self, flow: Flow, destination: bytes, found: int, asked: int) -> None:
        """`found` of the `asked` deliveries are now under way; fewer than asked: the shard has no more of them."""
        lane = self._lanes[flow]
        lane.destinations.pop(destination, None)
        if found >= asked:
            lane.destinations[destination] = None
        if found:
            self.busy[destination] += found
            self._last[destination] = flow
        lane.deficit -= found
        if not lane.destinations and lane.scan is None:
            self._drop(flow)
        elif lane.deficit <= 0:
            self._round.rotate(-1)

    def open(self, flow: Flow, destination: bytes) -> bool:
        """One that did not come by turn may be under way."""
        return self.gate is None or self.gate(flow, destination) > 0

    def reopen(self) -> None:
        """What was set aside may have its turn again."""
        aside, self._aside = self._aside, {}
        for destination, flows in aside.items():
            for flow in flows:
                self.add(flow, destination)

    def forget(self, flow: Flow, destination: bytes) -> None:
        """Its deliveries stay ready, but have no turn until `add`."""
        lane = self._lanes.get(flow)
        if lane is None:
            return
        lane.destinations.pop(destination, None)
        if not lane.destinations and lane.scan is None:
            self._drop(flow)

    def take(self, destination: bytes) -> None:
        """One delivery is under way that did not come by turn (born claimed)."""
        self.busy[destination] += 1

    def release(self, destination: bytes) -> None:
        """One delivery under way ended."""
        left = self.busy[destination] - 1
        if left > 0:
            self.busy[destination] = left
        else:
            del self.busy[destination]
        aside = self._aside.pop(destination, None)
        if aside:
            last = self._last.get(destination)
            for flow in sorted(aside, key=lambda one: one == last):
                self.add(flow, destination)
        elif left <= 0:
            self._last.pop(destination, None)

    def _lane(self, flow: Flow) -> _Lane:
        lane = self._lanes.get(flow)
        if lane is None:
            lane = self._lanes[flow] = _Lane()
            self._round.append(flow)
        return lane

    def _drop(self, flow: Flow) -> None:
        del self._lanes[flow]
        self._round.remove(flow)
