"""Connections are taken, counted once, and given up without harm: a handshake that never comes, no descriptor left."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from carepost.ground import metrics
from carepost.processes import certificates
from carepost.reception.accepting import Acceptor
from carepost.reception.evenly import Evenly
from carepost.reception.sockets import bind
from carepost.reception.tls import Certificates

pytestmark = pytest.mark.fast


class Listener:
    """Greets, and counts who is there."""

    def __init__(self, sock: socket.socket, *, evenly: Evenly | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.there: set[asyncio.Protocol] = set()
        self.changed = asyncio.Event()
        self.port = sock.getsockname()[1]
        self.acceptor = Acceptor(sock, self._greeter, lambda: len(self.there), evenly=evenly, tls=tls, handshake=1.0)
        self.acceptor.start()

    def _greeter(self) -> asyncio.Protocol:
        listener = self

        class Greeter(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                listener.there.add(self)
                listener.acceptor.began(self)
                cast(asyncio.Transport, transport).write(b"220 here\r\n")
                listener.changed.set()

            def connection_lost(self, exc: Exception | None) -> None:
                listener.there.discard(self)
                listener.acceptor.left()
                listener.changed.set()

        return Greeter()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not true():
                self.changed.clear()
                await self.changed.wait()


async def _client(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await reader.readline() == b"220 here\r\n"
    return reader, writer


async def test_two_listeners_on_one_port_have_as_many(tmp_path: Path) -> None:
    first = bind("127.0.0.1", 0, "port")
    second = bind("127.0.0.1", first.getsockname()[1], "port")
    pair = [Listener(sock, evenly=Evenly(tmp_path, 25, i, 2)) for i, sock in enumerate((first, second))]
    clients = [await _client(pair[0].port) for _ in range(20)]
    assert [len(listener.there) for listener in pair] == [10, 10]
    for _, writer in clients:
        writer.close()
    await pair[0].until(lambda: not pair[0].there)
    await pair[1].until(lambda: not pair[1].there)
    for listener in pair:
        listener.acceptor.close()


async def test_a_handshake_that_never_comes_is_not_counted_for_ever(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, "mail.test")
    tls = Certificates(tmp_path, "mail.test").context
    listener = Listener(bind("127.0.0.1", 0, "port"), tls=tls)
    before = metrics.snapshot().get("connections_not_begun", 0)
    with socket.create_connection(("127.0.0.1", listener.port)) as silent:
        silent.sendall(b"not a handshake at all, whatever it is\r\n")
        silent.setblocking(False)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(20):
            while await loop.sock_recv(silent, 1000):
                pass
    async with asyncio.timeout(20):
        while metrics.snapshot().get("connections_not_begun", 0) == before:
            await asyncio.sleep(0)
    assert listener.acceptor._count() == 0
    listener.acceptor.close()


async def test_without_a_descriptor_it_rests_and_goes_on() -> None:
    listening = bind("127.0.0.1", 0, "port")

    class Exhausted:
        """The listening socket of a process that has no descriptor left, once."""

        failed = False

        def accept(self) -> tuple[socket.socket, object]:
            if not self.failed:
                self.failed = True
                raise OSError(errno.EMFILE, "Too many open files")
            return listening.accept()

        def fileno(self) -> int:
            return listening.fileno()

        def getsockname(self) -> tuple[str, int]:
            return cast(tuple[str, int], listening.getsockname())

        def close(self) -> None:
            listening.close()

    listener = Listener(cast(socket.socket, Exhausted()))
    async with asyncio.timeout(20):
        _, writer = await _client(listener.port)
    assert metrics.snapshot()["accept_paused"] >= 1
    writer.close()
    await listener.until(lambda: not listener.there)
    listener.acceptor.close()


async def test_close_ends_the_listening_and_not_the_connections() -> None:
    listener = Listener(bind("127.0.0.1", 0, "port"))
    _, writer = await _client(listener.port)
    listener.acceptor.close()
    listener.acceptor.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", listener.port)
    assert len(listener.there) == 1
    writer.close()
    await listener.until(lambda: not listener.there)
