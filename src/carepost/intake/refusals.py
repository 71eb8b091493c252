"""Refused senders as events (BI-015): who tried to send as somebody else. A flood is counted, not written."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from carepost.ground import clock, ids, log, metrics
from carepost.proof import kinds
from carepost.queue.types import EventDraft
from carepost.wire.types import Actor, Origin

#: refusals of one submitter that are events of their own in a window of so many seconds; those beyond are one event
#: together when it ends, so that a client gone wild adds at most eleven events a minute to the log
SINGLY: Final = 10
WINDOW: Final = 60.0


class RefusedSender(msgspec.Struct, frozen=True):
    """Somebody wanted to send as `sender`, and may not. `cause`: not-our-domain | not-this-credential, or of an answer
    to a conversation (`conversations`) not-proved | no-conversation | one-conversation."""

    org: bytes
    actor: Actor
    origin: Origin
    sender: str
    cause: str
    client: str = ""
    #: id of the connection it came by, or ""
    gateway: str = ""


class Writer(Protocol):
    """`queue.Queue`."""

    number: int

    async def note(self, org: bytes, event: EventDraft) -> None: ...


class _Window(msgspec.Struct):
    timer: asyncio.TimerHandle
    seen: int = 0
    more: int = 0
    last: RefusedSender | None = None


class Refusals:
    """On the loop only."""

    def __init__(self, writer: Callable[[], Writer], *, window: float = WINDOW) -> None:
        self._writer = writer
        self._span = window
        self._windows: dict[tuple[bytes, str], _Window] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def tell(self, refused: RefusedSender) -> None:
        """The event goes with the next commit; nobody waits for it. A crash before loses it, and no mail with it."""
        metrics.count("sender_refused")
        key = (refused.org, refused.actor.id)
        window = self._windows.get(key)
        if window is None:
            timer = asyncio.get_running_loop().call_later(self._span, self._end, key)
            window = self._windows[key] = _Window(timer)
        window.seen += 1
        if window.seen <= SINGLY:
            self._write(refused, 1)
        else:
            window.more += 1
            window.last = refused

    async def close(self) -> None:
        """Writes what was only counted so far."""
        for key in tuple(self._windows):
            self._windows[key].timer.cancel()
            self._end(key)
        await asyncio.gather(*self._writing, return_exceptions=True)

    def _end(self, key: tuple[bytes, str]) -> None:
        window = self._windows.pop(key)
        if window.last is not None:
            self._write(window.last, window.more)

    def _write(self, refused: RefusedSender, times: int) -> None:
        task = asyncio.get_running_loop().create_task(self._note(refused, times))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _note(self, refused: RefusedSender, times: int) -> None:
        writer = self._writer()
        try:
            await writer.note(refused.org, _event(refused, times, writer.number))
        except Exception as error:
            # the refusal itself stands; what cannot be written now (disk, outbox) the log says at least
            log.failure("sender-refused-unwritten", error, org=ids.text(refused.org))


def _event(refused: RefusedSender, times: int, shard: int) -> EventDraft:
    values = {"sender": refused.sender.encode()}
    if refused.client:
        values["client"] = refused.client.encode()
    facts = {"origin": refused.origin.value}
    if refused.gateway:
        facts["gateway"] = refused.gateway
    # of the world nobody is known that the event could be about
    world = refused.origin is Origin.MX or refused.actor.kind == "system"
    if times > 1:
        facts["times"] = str(times)
    return EventDraft(
        *kinds.make(
            kinds.SENDER_REFUSED, id=ids.text(ids.new(shard)), org=ids.text(refused.org), at=clock.now(),
            actor=(refused.actor.kind, refused.actor.id), on=() if world else (refused.actor.id,),
            values=values, facts=facts, result="refused", cause=refused.cause,
        )
    )  # fmt: skip
