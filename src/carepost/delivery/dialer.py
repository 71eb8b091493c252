"""Opening a connection: dial, banner, EHLO, STARTTLS, the judgement of the chain, EHLO again."""

import asyncio
import errno
import ssl

from carepost.delivery import tls
from carepost.delivery.carried import HOUSE_WAY, Way
from carepost.delivery.connection import Connection, Watch
from carepost.delivery.exchange import Ended, Timeouts
from carepost.delivery.outcome import NO_SOURCE
from carepost.delivery.trust import Anchors
from carepost.ground import metrics
from carepost.queue.types import Stage

#: seconds for all steps before MAIL together; each has its own time-out besides
SET_UP = 600.0


class Dialer:
    """`name` is what we say in EHLO."""

    def __init__(self, name: str, timeouts: Timeouts, watch: Watch) -> None:
        self._name = name
        self._timeouts = timeouts
        self._watch = watch
        self._tls = tls.context()
        self._classical = tls.context(classical=True)

    async def open(
        self,
        host: str,
        address: str,
        port: int,
        anchors: Anchors,
        context: ssl.SSLContext | None = None,
        way: Way = HOUSE_WAY,
    ) -> Connection | Ended:
        """A connection ready for MAIL. A server without TLS is returned as what it is: its worth is NONE, and the floor
        decides. Where a handshake fails there is never another try in clear. `context`: for a host that is shown a
        certificate of ours. `way`: from which address, and by what name."""
        got = await self._dial(host, address, port, anchors, context or self._tls, way)
        if isinstance(got, Ended) and got.error == "tls-timeout" and context is None:
            # BI-040: never in clear; once more with a first flight that fits one segment.
            got = await self._dial(host, address, port, anchors, self._classical, way)
        return got

    async def _dial(
        self, host: str, address: str, port: int, anchors: Anchors, context: ssl.SSLContext, way: Way
    ) -> Connection | Ended:
        loop = asyncio.get_running_loop()
        local = (way.source, 0) if way.source else None
        try:
            async with asyncio.timeout(self._timeouts.connect):
                _, connection = await loop.create_connection(
                    lambda: Connection(host, address, port, self._timeouts, self._watch),
                    address,
                    port,
                    local_addr=local,
                )
        except TimeoutError:
            return Ended(Stage.CONNECT, None, "timeout")
        except OSError as error:
            missing = local is not None and error.errno == errno.EADDRNOTAVAIL
            return Ended(Stage.CONNECT, None, NO_SOURCE if missing else "refused")
        metrics.count("delivery-connections")
        try:
            async with asyncio.timeout(SET_UP):
                ended = await self._set_up(connection, anchors, context, way.helo or self._name)
        except TimeoutError:
            connection.abort("timeout")
            return Ended(Stage.EHLO, None, "timeout")
        except BaseException:
            connection.abort("lost")
            raise
        if ended is not None:
            connection.abort("lost")
            return ended
        return connection

    @staticmethod
    async def _set_up(connection: Connection, anchors: Anchors, context: ssl.SSLContext, name: str) -> Ended | None:
        ended = await connection.greet(name)
        connection.offered = connection.capabilities.starttls
        if ended is not None or not connection.offered:
            return ended
        ended = await connection.starttls(context)
        if ended is not None:
            # A 454 leaves a connection in clear (BI-010).
            return None if ended.error == "starttls-refused" and ended.usable else ended
        metrics.count("delivery-handshakes")
        try:
            connection.handshake = tls.measure(connection.ssl_object, anchors)
        except ssl.SSLError:
            return Ended(Stage.STARTTLS, None, "tls-failed")
        return await connection.hello(name)
