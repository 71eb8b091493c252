"""Carries a Sealed to a recipient's mail hosts over pooled connections. The floor is checked before every MAIL.

A connection is pooled by host, port, trust anchors and the address it comes from, never by recipient: what it is worth
to this recipient is measured each time (law 4). One recipient a transaction (law 2). Where a provider's limits hold
(`carried.Way.lane`), all its hosts share one pool."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import msgspec

from carepost.crypto.sealed import Sealed
from carepost.delivery.carried import Carried, Need, Parcel, Tally, Way, dials
from carepost.delivery.connection import Connection
from carepost.delivery.dialer import Dialer
from carepost.delivery.exchange import Ended, Timeouts
from carepost.delivery.floor import Assessed, assess, met, requirable
from carepost.delivery.hops import Hop, Hops
from carepost.delivery.outcome import NO_REQUIRETLS, NO_SOURCE
from carepost.delivery.pool import Pool
from carepost.delivery.transaction import LACKING, parameters
from carepost.delivery.trust import Anchors
from carepost.ground import clock
from carepost.policy.types import Assurance
from carepost.queue.types import Stage

__all__ = ["Carried", "Courier", "Need", "Parcel"]

#: seconds a connection waits for its next message and lives in all, and messages it carries
IDLE, AGE, USES = 12.0, 600.0, 2_000
#: seconds after which no further host is tried: an attempt must end well within its lease (queue.LEASE_S)
TRYING = 300.0
#: seconds after which a pooled connection that falls short is compared with a new one
LOOK_AGAIN = 30.0
#: seconds between looks at deadlines and idle connections
TICK = 0.25


class Courier:
    """One an engine. `start` begins its clock; `close` ends every connection."""

    def __init__(
        self, name: str, anchors: Anchors, *, timeouts: Timeouts | None = None, per_host: int = 20, idle: float = IDLE
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._anchors = anchors
        self._dialer = Dialer(name, timeouts or Timeouts(), self)
        self._per_host = per_host
        self._idle = idle
        self._pools: dict[tuple[object, ...], Pool] = {}
        #: every connection there is, with the pool it belongs to once it is open
        self._live: dict[Connection, Pool | None] = {}
        #: addresses that were slow to fail: (until when nobody else waits for them, how it ended)
        self._down: dict[tuple[str, str, int, str, str], tuple[float, Ended]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._tick()

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for pool in self._pools.values():
            for connection in pool.idle:
                self._retire(connection)
        await asyncio.gather(*self._leaving)
        for connection in list(self._live):
            connection.abort("lost")

    @property
    def connections(self) -> int:
        return len(self._live)

    def send(self, parcel: Parcel, hops: Hops, need: Need) -> Coroutine[Any, Any, Carried]:
        """Tries the hosts in order until one answers about the message. Only a Sealed can be sent, and never below
        the floor it was sealed for."""
        if not isinstance(parcel.sealed, Sealed):
            raise TypeError("only a Sealed can be sent")
        if need.floor < parcel.sealed.floor:
            raise ValueError("a sealed message is not sent below the floor it was sealed for")
        # each coroutine between the worker and the wire is gone through at every answer: there is none here
        return self._from(parcel, hops, need) if need.way.source else self._try(parcel, hops, need)

    async def _from(self, parcel: Parcel, hops: Hops, need: Need) -> Carried:
        """From an address of the organisation's own."""
        return msgspec.structs.replace(await self._try(parcel, hops, need), source=need.way.source)

    async def look(self, hops: Hops, need: Need) -> Carried:
        """Measures what the hosts offer and sends nothing (policy.decide.is_look)."""
        return await self._try(None, hops, need)

    async def fresh(self, hops: Hops) -> tuple[Connection, Assessed] | Ended:
        """A connection of its own to the first host that answers, measured and in no pool: whoever asked ends it."""
        ended = Ended(Stage.DNS, None, hops.fault or "no-usable-host")
        for hop, address in dials(hops):
            tls = hops.entry.tls if hops.entry is not None else None
            got = await self._dialer.open(hop.host, address, hop.port, hops.anchors or self._anchors, tls)
            if isinstance(got, Connection):
                return got, assess(got.handshake, hop, hops, offered=got.offered)
            ended = got
        return ended

    async def _try(self, parcel: Parcel | None, hops: Hops, need: Need) -> Carried:
        tally = Tally()
        began, reached = 0.0, not need.way.source
        for hop, address in dials(hops):
            now = self._loop.time()
            began = began or now
            if hop.host in tally.settled or now - began > TRYING or not need.way.reaches(address):
                continue
            reached = True
            carried = await self._host(parcel, hop, address, hops, need, tally)
            if carried is not None:
                return carried
        return tally.carried() if reached else Carried(Ended(Stage.CONNECT, None, NO_SOURCE))

    async def _host(
        self, parcel: Parcel | None, hop: Hop, address: str, hops: Hops, need: Need, tally: "Tally"
    ) -> Carried | None:
        """One address of one host. None: it gave no answer about the message, the next may be tried."""
        pool = self._pool(hop, hops, need.way)
        fresh = False
        for _ in range(3):
            got = await self._connection(pool, hop, address, hops, need, fresh=fresh)
            if isinstance(got, Ended):
                tally.failed(hop, address, got)
                return None
            assessed = self._assessed(got, hop, hops, need)
            if not got.uses:
                tally.opened(hop, got, assessed)
            enough = met(assessed, need.floor, tls_once=need.tls_once or got.offered, as_is=need.as_is)
            if enough and need.requiretls and not requirable(assessed, offered=got.capabilities.requiretls):
                enough, assessed = False, msgspec.structs.replace(assessed, fault=NO_REQUIRETLS)
            if parcel is None or not enough:
                reused, got.uses = got.uses > 0, got.uses + 1
                self._give_back(pool, got, need.way)
                if reused and not fresh and self._loop.time() - got.opened > LOOK_AGAIN:
                    # Since it was opened the server may have a new certificate, or the domain a new TLSA set.
                    fresh = True
                    continue
                tally.short(hop, got, assessed)
                return None
            if hops.entry is not None and hops.entry.signs_in and not got.signed_in:
                refused = await hops.entry.sign_in(got)
                if refused is not None:
                    self._retire(got)
                    tally.failed(hop, address, refused)
                    return None
                got.signed_in = True
            try:
                said = parameters(got, parcel)
                ended = said if isinstance(said, Ended) else await got.send(parcel.sealed, parcel.before_dot, *said)
            except BaseException:
                # Let go in the middle: nobody knows where the two sides are, and the place is another's.
                got.abort("lost")
                self._retire(got)
                raise
            tally.reached(got, assessed)
            if ended.usable:
                self._give_back(pool, got, need.way)
            else:
                self._retire(got)
            if ended.stale:
                # The server had ended an idle connection: nothing of this message was answered.
                fresh = True
                continue
            if ended.error in LACKING:
                tally.lacking(hop, got, assessed, ended)
                return None
            return Carried(
                ended, hop.host, got.address, got.handshake, hop, assessed, tally.best, tally.offered, False,
                not isinstance(said, Ended) and "NOTIFY=" in said[1], tally.met,
            )  # fmt: skip
        tally.failed(hop, address, Ended(Stage.MAIL, None, "lost"))
        return None

    @staticmethod
    def _assessed(connection: Connection, hop: Hop, hops: Hops, need: Need) -> Assessed:
        """Remembered on the connection for these very next hops; made anew, they are others."""
        known = connection.worth
        if known is not None and known[0] is hops and known[1] is hop and known[2] == need.weakened:
            return known[3]
        assessed = assess(connection.handshake, hop, hops, need.weakened, offered=connection.offered)
        connection.worth = (hops, hop, need.weakened, assessed)
        return assessed

    # pools

    def _pool(self, hop: Hop, hops: Hops, way: Way) -> Pool:
        lane = way.lane
        key = (hop.host, hop.port, hops.identity, way.source) if lane is None else (lane,)
        pool = self._pools.get(key)
        if pool is None:
            most = self._per_host if lane is None else min(self._per_host, lane.connections(clock.now()))
            pool = self._pools[key] = Pool(most, lane)
        return pool

    async def _connection(
        self, pool: Pool, hop: Hop, address: str, hops: Hops, need: Need, *, fresh: bool
    ) -> Connection | Ended:
        clear_ok, way = need.floor <= Assurance.NONE and not need.tls_once, need.way
        while True:
            waits = way.bulk and pool.full_of_bulk()
            if not waits and not fresh:
                lane = pool.lane
                idle = (
                    pool.take(clear_ok=clear_ok)
                    if lane is None
                    else pool.take_to(hop.host, hop.port, clear_ok=clear_ok)
                )
                if idle is not None:
                    if way.bulk:
                        pool.carries_bulk(idle)
                    return idle
            place = (hop.host, address, hop.port, hops.identity, way.source)
            down = self._down.get(place)
            if down is not None and down[0] > self._loop.time():
                return down[1]
            if not waits and pool.room():
                break
            spare = pool.idle
            if spare and not waits:
                # Idle, but not what is needed here: its place is.
                self._retire(spare[0])
            else:
                try:
                    await pool.turn(bulk=way.bulk)
                except TimeoutError:
                    return Ended(Stage.CONNECT, None, "busy")
        opened: Connection | Ended | None = None
        began = self._loop.time()
        try:
            if way.lane is not None:
                await _turn_to_dial(way)
            opened = await self._dialer.open(
                hop.host,
                address,
                hop.port,
                hops.anchors or self._anchors,
                hops.entry.tls if hops.entry is not None else None,
                way,
            )
        finally:
            if isinstance(opened, Connection) and not opened.error:
                pool.opened(opened)
                self._live[opened] = pool
                if way.bulk:
                    pool.carries_bulk(opened)
            else:
                pool.gave_up()
        if isinstance(opened, Connection):
            return opened if not opened.error else Ended(Stage.EHLO, None, "lost")
        # Remembered for as long as it took to find out: a host that hangs must not hold many messages, each as long.
        now = self._loop.time()
        self._down[place] = (now + (now - began), opened)
        return opened

    def _give_back(self, pool: Pool, connection: Connection, way: Way) -> None:
        now = self._loop.time()
        if connection.error or connection.uses >= USES or now - connection.opened > AGE or self._timer is None:
            self._retire(connection)
            return
        if way.lane is not None:
            most = way.lane.messages(clock.now())
            if pool.over or (most and connection.uses >= most):
                self._retire(connection)
                return
        connection.idle_since = now
        pool.give_back(connection)

    def _retire(self, connection: Connection) -> None:
        """Its place is free at once; the good-bye takes its time. Where a provider counts, once it is over."""
        pool = self._live.get(connection)
        if pool is not None and pool.lane is not None and not connection.error:
            pool.leaving(connection)
        elif pool is not None:
            pool.drop(connection)
        if connection.error:
            connection.abort("lost")
            return
        task = asyncio.ensure_future(connection.quit())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    # connection.Watch

    def made(self, connection: Connection) -> None:
        self._live[connection] = None

    def lost(self, connection: Connection) -> None:
        pool = self._live.pop(connection, None)
        if pool is not None:
            pool.drop(connection)

    def _tick(self) -> None:
        now = self._loop.time()
        for connection in list(self._live):
            connection.check_time(now)
        for place in [place for place, (until, _) in self._down.items() if until <= now]:
            del self._down[place]
        for key, pool in list(self._pools.items()):
            pool.late(now)
            if pool.lane is not None:
                pool.limit(min(self._per_host, pool.lane.connections(clock.now())))
            for connection in pool.idle:
                if pool.over or now - connection.idle_since > self._idle or now - connection.opened > AGE:
                    self._retire(connection)
            if pool.empty:
                del self._pools[key]
        self._timer = self._loop.call_later(TICK, self._tick)


async def _turn_to_dial(way: Way) -> None:
    """A provider that wants few new connections is given them one by one."""
    now = clock.now()
    at = way.lane.dial(now) if way.lane is not None else 0
    if at > now:
        await asyncio.sleep((at - now) / 1_000_000)
