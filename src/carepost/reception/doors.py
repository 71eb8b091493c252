"""The engine's socket (DESIGN 2): `run/engine-NN.sock`, mode 0600, msgspec frames of `wire.doors`.

One call at a time on a connection, answered in order; a caller that wants more opens more. Errors of ours travel as a
Fault and are raised again at the caller's side.
"""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from carepost.ground import ids, log, metrics
from carepost.ground.errors import CarepostError, NotFound, Refused, Unavailable
from carepost.inspection.types import Custom, Report, Unknown
from carepost.policy.types import Method
from carepost.queue.acts import Wish
from carepost.queue.reviewing import Place, Reviewed, Who
from carepost.queue.types import DeliveryRecord, MessageRecord, StoredBody
from carepost.rfc.asking import FAILED, Found, Question
from carepost.spool.budget import Budget
from carepost.spool.types import Waiting
from carepost.wire import doors
from carepost.wire.pacing import LaneView
from carepost.wire.probes import Probed
from carepost.wire.types import (
    Accepted,
    AcceptedDelivery,
    Actor,
    Drained,
    HeldFilter,
    HeldView,
    MessageView,
    Submission,
    WayView,
)

#: deliveries of one answer
MOST_HELD = 500
#: what is read of a frame before its size counts against the bodies in memory
_SMALL = 65_536


class Intake(Protocol):
    """The one door. `accept` returns after the commit; both raise Refused, Unavailable, NotFound."""

    async def accept(self, submission: Submission) -> Accepted: ...

    async def preview(self, submission: Submission) -> tuple[AcceptedDelivery, ...]: ...

    def ways(self, org: bytes, message: MessageRecord, record: DeliveryRecord) -> tuple[WayView, ...]: ...


class Queue(Protocol):
    """One shard. `act`, `lookup` and `body` see one organisation only; absent and foreign are the same."""

    async def act(
        self,
        verb: str,
        org: bytes,
        deliveries: tuple[bytes, ...],
        actor: Actor,
        reason: str,
        also: tuple[str, ...] = (),
        wish: Wish = ...,
    ) -> dict[str, str]: ...

    async def held(
        self,
        org: bytes,
        who: Who,
        reasons: frozenset[str],
        before: Place | None,
        limit: int,
        only: HeldFilter = ...,
    ) -> tuple[tuple[HeldView, ...], Place | None]: ...

    async def reviewed(self, org: bytes, delivery: bytes, who: Who) -> Reviewed: ...

    async def waiting(self) -> list[Waiting]: ...

    async def lookup(self, org: bytes, message: bytes) -> MessageView: ...

    async def listing(self, org: bytes, state: str, limit: int) -> tuple[MessageView, ...]: ...

    async def body(self, org: bytes, message: bytes) -> StoredBody: ...

    async def drain(
        self, after: int, acked: int, limit: int, wait_s: float = 0.0
    ) -> tuple[tuple[Drained, ...], int]: ...

    def stats(self) -> dict[str, int]: ...


class Across(Protocol):
    """The doors of other nodes (`intake.across`)."""

    async def ask(self, shard: int, call: doors.Call) -> doors.Answer:
        """By the node that holds the shard. Raises Unavailable, NotFound (there is no such shard)."""

    async def each(self, call: doors.Call) -> list[doors.Answer]:
        """By every other node that answers."""


class Remote(msgspec.Struct, frozen=True):
    """Where other nodes come in: mutual TLS."""

    host: str
    port: int
    tls: ssl.SSLContext


def _no_lanes(org: bytes) -> Sequence[LaneView]:
    return ()


class DoorsServer:
    """`queues`: those of this process, by shard. `health`: figures of the engine besides its shards'; `quit_`: called
    when the supervisor's Quit came, after Done was written. `across`, `remote`: where there are other nodes; `first`:
    this engine brings what the others say to a call about all shards."""

    def __init__(
        self,
        path: Path,
        intake: Intake,
        queues: Mapping[int, Queue],
        bodies: Budget,
        *,
        health: Callable[[], dict[str, int]],
        quit_: Callable[[], None],
        ask: Callable[[Question], Awaitable[Found]] | None = None,
        inspect: Callable[[bytes, Custom | None, bytes], Awaitable[Report | Unknown]] | None = None,
        probe: Callable[[doors.Probe], Awaitable[tuple[Probed, ...]]] | None = None,
        lanes: Callable[[bytes], Sequence[LaneView]] = _no_lanes,
        seek: Callable[[bytes, str, Method], None] | None = None,
        across: Across | None = None,
        remote: Remote | None = None,
        first: bool = False,
    ) -> None:
        self._across, self._remote, self._first = across, remote, first
        self._path = path
        self._intake = intake
        self._queues = queues
        self._bodies = bodies
        self._health = health
        self._quit = quit_
        self._ask = ask
        self._inspect = inspect
        self._probe = probe
        self._lanes = lanes
        self._seek = seek
        self._server: asyncio.Server | None = None
        self._far: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._path.unlink(missing_ok=True)
        # nobody but this user ever finds the socket open: it is made under a mask, not changed afterwards
        mask = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, path=str(self._path))
        finally:
            os.umask(mask)
        if self._remote is not None:
            at = self._remote
            self._far = await asyncio.start_server(self._serve_far, at.host, at.port, ssl=at.tls)

    async def close(self) -> None:
        for server in (self._server, self._far):
            if server is not None:
                server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _serve_far(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, far=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, far: bool = False) -> None:
        """`far`: another node asks; it is answered from here, never sent on."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (answer := await self._turn(reader, far)) is not None:
                writer.write(doors.frame(answer))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except asyncio.CancelledError:
            # only `close` cancels; to asyncio's own callback a cancelled task would be an error with a traceback
            log.event("door-cut")
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _turn(self, reader: asyncio.StreamReader, far: bool) -> doors.Answer | None:
        """One call read and answered. None: the frame is none of ours, and the connection ends."""
        size = int.from_bytes(await reader.readexactly(4), "big")
        if size > doors.MAX_FRAME:
            log.event("door-frame-refused", size=size)
            return None
        weight = size if size > _SMALL else 0
        if not self._bodies.take(weight):
            await _skip(reader, size)
            return fault(Unavailable("bodies-full", "Too much mail is in memory; try again."))
        try:
            try:
                call = doors.read_call(await reader.readexactly(size))
            except msgspec.DecodeError as error:
                log.failure("door-frame-refused", error, size=size)
                return None
            return await self._answer(call, far)
        finally:
            self._bodies.give(weight)

    async def _answer(self, call: doors.Call, far: bool) -> doors.Answer:
        metrics.count("door_calls")
        try:
            if far and isinstance(call, doors.Quit | doors.Accept):
                raise Unavailable("not-from-afar", "This is asked of an engine of one's own node.")
            if self._across is not None and not far:
                return await self._widely(self._across, call)
            return await self._carry_out(call)
        except CarepostError as error:
            return fault(error)
        except Exception as error:
            log.failure("door-failed", error, call=type(call).__name__)
            return fault(Unavailable("internal", "The engine failed to carry this out; try again."))

    async def _widely(self, across: Across, call: doors.Call) -> doors.Answer:
        """As one of several nodes: what another holds is asked there, and what is about all of them of all."""
        shard = doors.shard_of(call)
        if shard is not None and shard not in self._queues:
            return await across.ask(shard, call)
        answer = await self._carry_out(call)
        if not self._first:
            return answer
        match call, answer:
            case doors.Queue(limit=limit), doors.QueueAnswer(messages=own):
                found = [
                    *own,
                    *(m for a in await across.each(call) if isinstance(a, doors.QueueAnswer) for m in a.messages),
                ]
                return doors.QueueAnswer(tuple(sorted(found, key=lambda view: view.at, reverse=True)[:limit]))
            case doors.Held(limit=limit), doors.HeldAnswer():
                pages = [answer, *(a for a in await across.each(call) if isinstance(a, doors.HeldAnswer))]
                return doors.one_page(pages, max(1, min(limit, MOST_HELD)))
            case doors.Lanes(), doors.LanesAnswer(lanes=own_lanes):
                others = [a for a in await across.each(call) if isinstance(a, doors.LanesAnswer)]
                return doors.LanesAnswer((*own_lanes, *(view for a in others for view in a.lanes)))
            case doors.Waits(), doors.WaitsAnswer(held=held):
                for other in await across.each(call):
                    if isinstance(other, doors.WaitsAnswer):
                        for org, one in other.held.items():
                            held[org] = doors.together(held.get(org), one)
        return answer

    async def _carry_out(self, call: doors.Call) -> doors.Answer:
        match call:
            case doors.Accept(submission=submission):
                return doors.AcceptAnswer(await self._intake.accept(submission))
            case doors.Preview(submission=submission):
                return doors.PreviewAnswer(await self._intake.preview(submission))
            case doors.Act():
                return doors.ActAnswer(await self._act(call))
            case doors.Lanes(org=org):
                return doors.LanesAnswer(tuple(self._lanes(org)))
            case doors.Lookup(org=org, message=message):
                return doors.LookupAnswer(await self._shard(message).lookup(org, message))
            case doors.Queue(org=org, state=state, limit=limit):
                return doors.QueueAnswer(await self._listing(org, state, limit))
            case doors.Drain():
                queue = self._queues.get(call.shard)
                if queue is None:
                    raise Unavailable("shard-elsewhere", "This engine does not hold that shard.")
                rows, head = await queue.drain(call.after, call.acked, call.limit, call.wait_ms / 1000)
                return doors.DrainAnswer(rows, head)
            case doors.Body(org=org, message=message):
                stored = await self._shard(message).body(org, message)
                return doors.BodyAnswer(stored.chunks, stored.wrapped_key, stored.record)
            case doors.Held():
                return await self._held(call)
            case doors.Review(org=org, delivery=delivery, actor=actor, also=also):
                found = await self._shard(delivery).reviewed(org, delivery, Who(actor, also))
                return doors.ReviewAnswer(found.view, self._ways(org, found))
            case doors.Waits():
                return doors.WaitsAnswer(await self._waits())
            case doors.Health():
                shards = {str(number): queue.stats() for number, queue in self._queues.items()}
                return doors.HealthAnswer(shards, self._health())
            case doors.Ask(question=question):
                return doors.AskAnswer(await self._ask(question) if self._ask is not None else FAILED)
            case doors.Probe():
                if self._probe is None:
                    raise Unavailable("no-probes", "This engine tries no connections.")
                return doors.ProbeAnswer(await self._probe(call))
            case doors.Seek(org=org, address=address, method=method):
                if self._seek is not None:
                    self._seek(org, address, method)
                return doors.Done()
            case doors.Inspect(message=message, custom=custom, show=show):
                return await self._inspected(message, custom, show)
            case doors.Quit():
                asyncio.get_running_loop().call_soon(self._quit)
                return doors.Done()

    async def _inspected(self, message: bytes, custom: Custom | None, show: bytes) -> doors.InspectAnswer:
        found = await self._inspect(message, custom, show) if self._inspect is not None else Unknown("not-started")
        if isinstance(found, Unknown):
            return doors.InspectAnswer(None, (), (found.reason,))
        return doors.InspectAnswer(found.findings, found.shown, found.unread)

    def _shard(self, item: bytes) -> Queue:
        queue = self._queues.get(ids.shard_of(item)) if len(item) == 16 else None
        if queue is None:
            raise NotFound
        return queue

    async def _act(self, call: doors.Act) -> dict[str, str]:
        by_shard: dict[int, list[bytes]] = {}
        for delivery in call.deliveries:
            by_shard.setdefault(ids.shard_of(delivery), []).append(delivery)
        states: dict[str, str] = {}
        for shard, deliveries in by_shard.items():
            queue = self._queues.get(shard)
            if queue is None:
                states.update((ids.text(delivery), "not-found") for delivery in deliveries)
            elif call.methods:
                for delivery in deliveries:
                    states[ids.text(delivery)] = await self._by_method(queue, call, delivery)
            else:
                some, wish = tuple(deliveries), Wish(note=call.note, access=call.access, approvers=call.approvers)
                states.update(await queue.act(call.verb, call.org, some, call.actor, call.reason, call.also, wish))
        return states

    async def _by_method(self, queue: Queue, call: doors.Act, delivery: bytes) -> str:
        """A release by methods a person chose: never by one that protects less than what the rules decide."""
        try:
            found = await queue.reviewed(call.org, delivery, Who(call.actor, call.also))
        except NotFound:
            return "not-found"
        if found.view.state != "held":
            return "not-possible"
        chosen = [w for w in self._ways(call.org, found) if w.method in call.methods and w.allowed]
        if len(chosen) != len(set(call.methods)):
            return "not-stronger"
        least = min((w.minimum for w in chosen if w.minimum is not None), default=None)
        wish = Wish(least, call.methods, call.note, approvers=call.approvers)
        done = await queue.act(call.verb, call.org, (delivery,), call.actor, call.reason, call.also, wish)
        return done.get(ids.text(delivery), "not-found")

    def _ways(self, org: bytes, found: Reviewed) -> tuple[WayView, ...]:
        if found.record is None or found.message is None or found.view.state != "held":
            return ()
        return self._intake.ways(org, found.message, found.record)

    async def _held(self, call: doors.Held) -> doors.HeldAnswer:
        who, reasons, limit = Who(call.actor, call.also), frozenset(call.reasons), max(1, min(call.limit, MOST_HELD))
        pages: list[doors.HeldAnswer] = []
        for queue in self._queues.values():
            some, floor = await queue.held(call.org, who, reasons, call.before, limit, call.only)
            pages.append(doors.HeldAnswer(some, floor is not None, floor))
        return doors.one_page(pages, limit)

    async def _waits(self) -> dict[bytes, tuple[int, int, int]]:
        found: dict[bytes, tuple[int, int, int]] = {}
        for queue in self._queues.values():
            for one in await queue.waiting():
                found[one.org] = doors.together(found.get(one.org), (one.held, one.newest, one.ends))
        return found

    async def _listing(self, org: bytes, state: str, limit: int) -> tuple[MessageView, ...]:
        found: list[MessageView] = []
        for queue in self._queues.values():
            found.extend(await queue.listing(org, state, limit))
        found.sort(key=lambda view: view.at, reverse=True)
        return tuple(found[:limit])


def fault(error: CarepostError) -> doors.Fault:
    if isinstance(error, Refused):
        return doors.Fault("refused", error.code, error.public, error.enhanced, error.status)
    if isinstance(error, NotFound):
        return doors.Fault("not-found", error.code, error.public)
    return doors.Fault("unavailable", error.code, error.public)


async def _skip(reader: asyncio.StreamReader, size: int) -> None:
    while size > 0:
        size -= len(await reader.readexactly(min(size, _SMALL)))
