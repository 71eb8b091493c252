"""Traces of deliveries, made from events once they stand in the log: the way mail takes is not made longer by them.

The id of a message is its trace (both are 16 bytes). A trace holds how it was accepted, each delivery from its
beginning to its end, and each attempt. Attributes are the facts of events, which hold nothing personal (law 10).
"""

import hashlib
import queue
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol, TypeVar

import msgspec

from carepost.ground import log, metrics
from carepost.proof import kinds
from carepost.proof.event import Event

#: deliveries remembered until they end, and spans that wait for a collector; what is more is left out and counted
REMEMBERED: Final = 50_000
WAITING: Final = 20_000
#: spans of one call
MOST: Final = 512
_BEGINS: Final = frozenset({kinds.DELIVERY_QUEUED, kinds.DELIVERY_HELD})
_ENDS: Final = frozenset({
    kinds.DELIVERY_SENT, kinds.DELIVERY_DEPOSITED, kinds.DELIVERY_FAILED, kinds.DELIVERY_RETRACTED,
    kinds.DELIVERY_TURNED_DOWN, kinds.DELIVERY_TIME_OVER, kinds.DELIVERY_TESTED,
})  # fmt: skip
_ATTEMPT_ENDS: Final = frozenset({
    kinds.DELIVERY_SENT, kinds.DELIVERY_DEPOSITED, kinds.DELIVERY_FAILED, kinds.DELIVERY_DEFERRED,
    kinds.DELIVERY_UNCERTAIN, kinds.DELIVERY_METHOD_CHANGED, kinds.DELIVERY_HELD, kinds.DELIVERY_TESTED,
})  # fmt: skip
_GOOD: Final = frozenset({kinds.DELIVERY_SENT, kinds.DELIVERY_DEPOSITED, kinds.DELIVERY_TESTED})
_FACTS: Final = frozenset({
    "achieved", "attempt", "code", "data-class", "enhanced", "from-method", "method", "origin", "required", "rule",
    "size", "stage", "test", "tls",
})  # fmt: skip
V = TypeVar("V")


class Span(msgspec.Struct, frozen=True):
    """Times in UTC microseconds. `ok`: None where neither good nor bad can be said."""

    trace: bytes
    id: bytes
    parent: bytes
    name: str
    start: int
    end: int
    ok: bool | None
    attributes: dict[str, str]


class Spans:
    """Events in, spans out. What began before this process started is left out but for what comes after."""

    def __init__(self) -> None:
        self._begun: OrderedDict[str, int] = OrderedDict()
        self._attempted: OrderedDict[str, Event] = OrderedDict()

    def take(self, events: Iterable[Event | None]) -> Iterator[Span]:
        for event in events:
            if event is None:
                continue
            if event.kind == kinds.MESSAGE_ACCEPTED and event.on:
                trace = uuid.UUID(event.on[0]).bytes
                yield Span(trace, _span(event.on[0]), b"", "accept", event.at, event.at, True, _attributes(event))
            elif event.kind.startswith("delivery.") and len(event.on) == 2:
                yield from self._delivery(event)

    def _delivery(self, event: Event) -> Iterator[Span]:
        message, delivery = event.on
        trace, parent = uuid.UUID(message).bytes, _span(delivery)
        begun = self._attempted.pop(delivery, None) if event.kind in _ATTEMPT_ENDS else None
        if begun is not None:
            name = f"{delivery}:{begun.facts.get('attempt', '')}:{begun.at}"
            good = event.kind in _GOOD
            attributes = {**_attributes(begun), **_attributes(event)}
            yield Span(trace, _span(name), parent, "attempt", begun.at, max(event.at, begun.at), good, attributes)
        if event.kind in _BEGINS:
            # held again later, it began when it first came
            _keep(self._begun, delivery, self._begun.get(delivery, event.at))
        elif event.kind == kinds.DELIVERY_ATTEMPTED:
            _keep(self._attempted, delivery, event)
        elif event.kind in _ENDS:
            started = self._begun.pop(delivery, 0)
            if started:
                ok = True if event.kind in _GOOD else False if event.kind == kinds.DELIVERY_FAILED else None
                yield Span(trace, parent, _span(message), "deliver", started, event.at, ok, _attributes(event))


def _keep(shelf: OrderedDict[str, V], key: str, value: V) -> None:
    shelf[key] = value
    while len(shelf) > REMEMBERED:
        shelf.popitem(last=False)


def _span(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:8]


def _attributes(event: Event) -> dict[str, str]:
    found = {f"carepost.{name}": value for name, value in event.facts.items() if name in _FACTS}
    return {**found, "carepost.event": event.kind, "carepost.organisation": event.org, "carepost.source": event.source}


class Collector(Protocol):
    def export(self, spans: Sequence[Span]) -> bool:
        """Whether they were taken. Raises nothing."""
        ...

    def close(self) -> None: ...


class Traces:
    """`offer` from the writer's thread never waits; `run` is a thread of its own."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._spans = Spans()
        self._waiting: queue.Queue[Span | None] = queue.Queue(WAITING)
        self._stopping = threading.Event()

    def offer(self, events: Iterable[Event | None]) -> None:
        for span in self._spans.take(events):
            try:
                self._waiting.put_nowait(span)
            except queue.Full:
                metrics.count("traces_left_out")

    def run(self) -> None:
        away = False
        while (first := self._waiting.get()) is not None:
            group = [first]
            while len(group) < MOST and not self._waiting.empty():
                more = self._waiting.get()
                if more is None:
                    self._stopping.set()
                    break
                group.append(more)
            taken = self._collector.export(group)
            if taken is away:
                # said once when it goes away and once when it is back
                log.event("traces-taken" if taken else "traces-not-taken")
                away = not taken
            if not taken:
                metrics.count("traces_left_out", len(group))
            if self._stopping.is_set():
                break
        self._collector.close()

    def stop(self) -> None:
        self._stopping.set()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            # it ends after the call that is under way
            pass
