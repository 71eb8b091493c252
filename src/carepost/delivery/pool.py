"""Connections to one host under one set of trust anchors: how many there are, and who may use one next."""

import asyncio
from collections import deque

from carepost.delivery.carried import Limited
from carepost.delivery.connection import Connection

#: seconds a message waits for a connection before it is tried again later
TURN = 300.0


def _late(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())


class Pool:
    """At most `most` connections, those being opened included. Waiting is first come, first served; marketing waits
    behind all else, and may not use the last fifth of the places.

    A pool of a lane holds connections to several hosts of one provider."""

    __slots__ = ("_bulk", "_clear", "_members", "_most", "_opening", "_secured", "_waiting", "_waiting_bulk", "lane")

    def __init__(self, most: int, lane: Limited | None = None) -> None:
        self._most = most
        self.lane = lane
        self._members: set[Connection] = set()
        self._opening = 0
        self._secured: list[Connection] = []
        self._clear: list[Connection] = []
        #: with the loop time at which each has waited long enough
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._waiting_bulk: deque[tuple[float, asyncio.Future[None]]] = deque()
        #: connections that carry marketing now
        self._bulk: set[Connection] = set()

    @property
    def empty(self) -> bool:
        return not self._members and not self._opening and not self._waiting and not self._waiting_bulk

    @property
    def over(self) -> bool:
        """There are more than there may be: what is given back is not kept."""
        return len(self._members) > self._most

    def limit(self, most: int) -> None:
        """There may be so many from now on."""
        more, self._most = most - self._most, most
        for _ in range(min(max(more, 0), len(self._waiting) + len(self._waiting_bulk))):
            self._wake()

    def full_of_bulk(self) -> bool:
        """Marketing has all the places it may have."""
        return len(self._bulk) >= max(1, self._most - (self._most + 4) // 5)

    def carries_bulk(self, connection: Connection) -> None:
        """Until it is given back or dropped."""
        self._bulk.add(connection)

    @property
    def idle(self) -> list[Connection]:
        return [*self._secured, *self._clear]

    def take(self, *, clear_ok: bool) -> Connection | None:
        """An idle connection, one in clear only where that is allowed."""
        if self._secured:
            return self._secured.pop()
        return self._clear.pop() if clear_ok and self._clear else None

    def take_to(self, host: str, port: int, *, clear_ok: bool) -> Connection | None:
        """As `take`, to this host."""
        for idle in (self._secured, self._clear) if clear_ok else (self._secured,):
            for at in range(len(idle) - 1, -1, -1):
                if idle[at].host == host and idle[at].port == port:
                    return idle.pop(at)
        return None

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
        if self._bulk:
            self._bulk.discard(connection)
        if connection in self._members:
            (self._clear if connection.handshake is None else self._secured).append(connection)
            self._wake()

    def drop(self, connection: Connection) -> None:
        """It is over, or about to be: its place is free. Safe to say twice."""
        if connection not in self._members:
            return
        self._members.discard(connection)
        self._bulk.discard(connection)
        for idle in (self._secured, self._clear):
            if connection in idle:
                idle.remove(connection)
        self._wake()

    def leaving(self, connection: Connection) -> None:
        """It carries nothing more, and keeps its place until it is dropped."""
        self._bulk.discard(connection)
        for idle in (self._secured, self._clear):
            if connection in idle:
                idle.remove(connection)

    async def turn(self, *, bulk: bool = False) -> None:
        """Waits until something was given back or dropped. Raises TimeoutError after TURN seconds: `late` must be asked
        now and then, for a timer of its own would be one a message."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        (self._waiting_bulk if bulk else self._waiting).append((loop.time() + TURN, waiter))
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                # Ours had come; it must not be lost with us.
                self._wake()
            raise

    def late(self, now: float) -> None:
        """Lets those go who have waited long enough; all wait equally long, so they stand at the front."""
        for waiting in (self._waiting, self._waiting_bulk):
            while waiting and waiting[0][0] <= now:
                _late(waiting.popleft()[1])

    def _wake(self) -> None:
        for waiting in (self._waiting, self._waiting_bulk):
            while waiting:
                _, waiter = waiting.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    return
