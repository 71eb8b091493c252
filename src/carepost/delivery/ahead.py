"""Asks a tenant's own host whether it takes mail for an address, before a message from the world is taken for it.

MAIL, RCPT, RSET, and never DATA; over TLS at the floor, because an address is a person. What was not learnt in time is
no answer: the message is then taken as before."""

import asyncio
from collections import OrderedDict
from typing import Final, Protocol

import msgspec

from carepost.delivery.connection import Connection
from carepost.delivery.courier import Courier
from carepost.delivery.exchange import Ended
from carepost.delivery.floor import met
from carepost.delivery.fronts import ON, Fronts
from carepost.delivery.hops import Hops
from carepost.delivery.outcome import Lead, classify
from carepost.directory.gateways import Gateway
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, log, metrics
from carepost.ground.errors import CarepostError
from carepost.intake import fronted
from carepost.policy.types import Assurance
from carepost.queue.types import Stage
from carepost.rfc.reply import Reply

#: seconds one question may take; that a "yes", and that a "no" is believed; that a host which gave none is left alone
SECONDS: Final = 8.0
YES, NO, PAUSE = 3600.0, 300.0, 30.0
#: questions to one host at once, and waiting for their turn; answers remembered; seconds a connection waits for more
AT_ONCE, WAITING, REMEMBERED, IDLE = 4, 32, 20_000, 10.0
#: reasons of a refusal that speak of the mailbox, and not of us or of the moment
_NOBODY: Final = frozenset({"no-such-mailbox", "mailbox-closed"})


class Organisations(Protocol):
    """`directory.Directory`."""

    def snapshot(self, org: bytes) -> OrgSnapshot: ...


class _Host(msgspec.Struct, eq=False):
    """What is known of one connection's host. `idle`: (connection, hops it was measured by)."""

    slots: asyncio.Semaphore
    waiting: int = 0
    #: until when it is not asked
    paused: float = 0.0
    idle: tuple[Connection, str] | None = None


class Callahead:
    """One an engine. On the loop only."""

    def __init__(self, directory: Organisations, fronts: Fronts, courier: Courier, *, seconds: float = SECONDS) -> None:
        self._directory = directory
        self._fronts = fronts
        self._courier = courier
        self._seconds = seconds
        self._known: OrderedDict[tuple[Gateway, str], tuple[bool, float]] = OrderedDict()
        self._asking: dict[tuple[Gateway, str], asyncio.Task[bool | None]] = {}
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    async def known(self, org: bytes, address: str) -> bool | None:
        """True: taken there; False: refused for good; None: nothing was learnt. Never raises."""
        try:
            gateway = fronted.takes(self._directory.snapshot(org), address)
        except CarepostError:
            return None
        if gateway is None or not gateway.settings.callahead or not address.isascii():
            return None
        key = (gateway, address)
        found = self._known.get(key)
        if found is not None and found[1] > clock.monotonic():
            metrics.count("callahead_known")
            return found[0]
        task = self._asking.get(key)
        if task is None:
            task = asyncio.ensure_future(self._ask(gateway, address))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def close(self) -> None:
        for task in tuple(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        for host in self._hosts.values():
            if host.idle is not None:
                host.idle[0].abort("lost")

    async def _ask(self, gateway: Gateway, address: str) -> bool | None:
        host = self._hosts.setdefault(gateway.id, _Host(asyncio.Semaphore(AT_ONCE)))
        if host.waiting >= WAITING or host.paused > clock.monotonic():
            metrics.count("callahead_passed_over")
            return None
        host.waiting += 1
        answer: bool | None = None
        try:
            async with asyncio.timeout(self._seconds), host.slots:
                answer = await self._asked(host, gateway, address)
        except TimeoutError:
            metrics.count("callahead_late")
        except Exception as error:
            log.failure("callahead", error, gateway=gateway.id)
        finally:
            host.waiting -= 1
        if answer is None:
            host.paused = clock.monotonic() + PAUSE
            return None
        self._known[gateway, address] = (answer, clock.monotonic() + (YES if answer else NO))
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return answer

    async def _asked(self, host: _Host, gateway: Gateway, address: str) -> bool | None:
        hops = await self._fronts.into(gateway, ON)
        for again in (True, False):
            connection, used = await self._connection(host, hops) if again else (await self._opened(hops), False)
            if connection is None:
                return None
            try:
                reply = await questions(connection, address)
            except BaseException:
                # let go in the middle: nobody knows where the two sides are
                connection.abort("lost")
                raise
            if reply is None and used:
                # an idle connection had ended: nothing was asked yet
                connection.abort("lost")
                continue
            self._keep(host, connection, hops)
            return None if reply is None else judged(reply)
        return None

    async def _connection(self, host: _Host, hops: Hops) -> tuple[Connection | None, bool]:
        """And whether it was used before."""
        idle, host.idle = host.idle, None
        if idle is not None:
            if idle[1] == hops.identity and not idle[0].error:
                return idle[0], True
            idle[0].abort("lost")
        return await self._opened(hops), False

    async def _opened(self, hops: Hops) -> Connection | None:
        got = await self._courier.fresh(hops)
        if isinstance(got, Ended):
            return None
        connection, assessed = got
        if not met(assessed, max(hops.least, int(Assurance.VERIFIED))):
            connection.abort("lost")
            return None
        if hops.entry is not None and hops.entry.signs_in and await hops.entry.sign_in(connection) is not None:
            connection.abort("lost")
            return None
        return connection

    def _keep(self, host: _Host, connection: Connection, hops: Hops) -> None:
        if host.idle is not None or connection.error:
            connection.abort("lost")
            return
        host.idle = (connection, hops.identity)
        asyncio.get_running_loop().call_later(IDLE, self._let_go, host, connection)

    def _let_go(self, host: _Host, connection: Connection) -> None:
        if host.idle is not None and host.idle[0] is connection:
            host.idle = None
            connection.abort("lost")


async def questions(connection: Connection, address: str) -> Reply | None:
    """The answer to RCPT, the transaction taken back. None: the connection is gone, or it would not begin one."""
    begun = await connection.ask("MAIL FROM:<>")
    if begun is None or begun.code // 100 != 2:
        return None
    reply = await connection.ask(f"RCPT TO:<{address}>")
    if reply is not None:
        await connection.ask("RSET")
    return reply


def judged(reply: Reply) -> bool | None:
    """What an answer to RCPT says of the mailbox. Pure."""
    if reply.malformed:
        return None
    if reply.code // 100 == 2:
        return True
    end = classify(Stage.RCPT, reply)
    return False if end.lead is Lead.FAILED and end.reason in _NOBODY else None
