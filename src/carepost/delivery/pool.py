"""Connections to one host under one set of trust anchors: how many there are, and who may use one next."""

import asyncio
from collections import deque

from carepost.delivery.connection import Connection

#: seconds a message waits for a connection before it is tried again later
TURN = 300.0


def _late(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())


class Pool:
    """At most `most` connections, those being opened included. Waiting is first come, first served."""

    __slots__ = ("_clear", "_members", "_most", "_opening", "_secured", "_waiting")

    def __init__(self, most: int) -> None:
        self._most = most
        self._members: set[Connection] = set()
        self._opening = 0
        self._secured: list[Connection] = []
        self._clear: list[Connection] = []
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def empty(self) -> bool:
        return not self._members and not self._opening and not self._waiting

    @property
    def idle(self) -> list[Connection]:
        return [*self._secured, *self._clear]

    def take(self, *, clear_ok: bool) -> Connection | None:
        """An idle connection, one in clear only where that is allowed."""
        if self._secured:
            return self._secured.pop()
        return self._clear.pop() if clear_ok and self._clear else None

    def room(self) -> bool:
        """Counts one more that is about to be opened: `opened` or `gave_up` must follow. False: wait, or retire one."""
        if len(self._members) + self._opening >= self._most:
            return False
        self._opening += 1
        return True

    def opened(self, connection: Connection) -> None:
        self._opening -= 1
        self._members.add(connection)

    def gave_up(self) -> None:
        self._opening -= 1
        self._wake()

    def give_back(self, connection: Connection) -> None:
        if connection in self._members:
            (self._clear if connection.handshake is None else self._secured).append(connection)
            self._wake()

    def drop(self, connection: Connection) -> None:
        """It is over, or about to be: its place is free. Safe to say twice."""
        if connection not in self._members:
            return
        self._members.discard(connection)
        for idle in (self._secured, self._clear):
            if connection in idle:
                idle.remove(connection)
        self._wake()

    async def turn(self) -> None:
        """Waits until something was given back or dropped. Raises TimeoutError after TURN seconds."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiting.append(waiter)
        timer = loop.call_later(TURN, _late, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                # Ours had come; it must not be lost with us.
                self._wake()
            raise
        finally:
            timer.cancel()

    def _wake(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
