"""Takes connections from a listening socket, or from another engine that has more, and starts a protocol on each."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from typing import Final

from carepost.ground import log, metrics
from carepost.reception.evenly import Evenly

#: at once, before the rest of the loop has its turn
_BATCH: Final = 64
#: seconds without a new connection when the process has no file descriptor left (or the kernel no memory)
_PAUSE: Final = 1.0
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Acceptor:
    """`start` once, `close` once. `live` says how many connections have begun and not ended; whoever has them calls
    `began` and `left`, so that each is counted once and the other engines know."""

    def __init__(
        self, sock: socket.socket, protocol: Callable[[], asyncio.Protocol], live: Callable[[], int], *,
        tls: ssl.SSLContext | None = None, handshake: float | None = None, evenly: Evenly | None = None,
    ) -> None:  # fmt: skip
        self._sock, self._protocol, self._live = sock, protocol, live
        self._tls, self._handshake, self._evenly = tls, handshake if tls else None, evenly
        self._loop = asyncio.get_running_loop()
        self._opening: dict[asyncio.Protocol, asyncio.Task[None]] = {}
        self._resuming: asyncio.TimerHandle | None = None
        self._closed = False

    def start(self) -> None:
        self._loop.add_reader(self._sock.fileno(), self._accept)
        if self._evenly is not None:
            self._loop.add_reader(self._evenly.fileno(), self._handed)
            self.left()

    def began(self, protocol: asyncio.Protocol) -> None:
        """From now on `live` counts it."""
        self._opening.pop(protocol, None)

    def left(self) -> None:
        if self._evenly is not None and not self._closed:
            self._evenly.lives(self._count())

    def close(self) -> None:
        """No new connection; those that are open go on."""
        if self._closed:
            return
        self._closed = True
        if self._resuming is not None:
            self._resuming.cancel()
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()
        if self._evenly is not None:
            self._loop.remove_reader(self._evenly.fileno())
            self._evenly.close()

    def _count(self) -> int:
        return self._live() + len(self._opening)

    def _accept(self) -> None:
        for _ in range(_BATCH):
            try:
                connection, _ = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                self._rest()
                return
            if self._evenly is not None and self._evenly.elsewhere(connection, self._count()):
                connection.close()
            else:
                self._open(connection)

    def _handed(self) -> None:
        if self._evenly is not None:
            self._evenly.handed(self._open)

    def _rest(self) -> None:
        """The waiting stay in the kernel's queue."""
        log.event("accept-paused")
        metrics.count("accept_paused")
        self._loop.remove_reader(self._sock.fileno())
        self._resuming = self._loop.call_later(_PAUSE, self._loop.add_reader, self._sock.fileno(), self._accept)

    def _open(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        protocol = self._protocol()
        self._opening[protocol] = self._loop.create_task(self._begin(connection, protocol))
        self.left()

    async def _begin(self, connection: socket.socket, protocol: asyncio.Protocol) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=self._tls, ssl_handshake_timeout=self._handshake
            )
        except (OSError, TimeoutError):
            # gone before it began, or no handshake (ssl.SSLError is an OSError): theirs to try again
            metrics.count("connections_not_begun")
            connection.close()
        finally:
            self.began(protocol)
            self.left()
