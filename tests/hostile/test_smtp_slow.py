"""BI-022: slow clients lose their place, nothing half sent is stored, and others are served meanwhile."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.dialogue import read_reply, say, sign_in
from tests.support.live import Live


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    started: list[Live] = []

    def begin(**limits: Any) -> Live:
        started.append(Live(tmp_path, **limits))
        return started[-1]

    yield begin
    for one in started:
        one.close()


def closed_within(connection: socket.socket, seconds: float) -> bytes:
    """What was still said until the server closed."""
    connection.settimeout(seconds)
    said = b""
    try:
        while data := connection.recv(4096):
            said += data
    except ConnectionError:
        pass
    return said


def test_one_octet_at_a_time_does_not_prolong_a_command(start: Callable[..., Live]) -> None:
    live = start(command_timeout=0.6)
    with live.connect() as connection:
        read_reply(connection)
        connection.settimeout(0.05)
        said, began = b"", time.monotonic()
        while not said and time.monotonic() - began < 10:
            try:
                connection.sendall(b"N")
                said = connection.recv(4096)
            except TimeoutError:
                pass
        assert said.startswith(b"421 4.4.2")
        assert closed_within(connection, 10) == b""
    _until(lambda: live.servers["submission"].connections == 0)


def test_a_message_that_never_ends_is_cut_and_nothing_of_it_stays(start: Callable[..., Live]) -> None:
    live = start(data_timeout=0.6, command_timeout=30, data_step=1000)
    with sign_in(live, "maple") as connection:
        for line in ("MAIL FROM:<nurse@maple.test>", "RCPT TO:<ann@elsewhere.test>", "DATA"):
            say(connection, line)
        # as long as enough comes, patience lasts
        for _ in range(5):
            connection.sendall(b"x" * 998 + b"\r\n")
            time.sleep(0.2)
        connection.settimeout(0.05)
        said, began = b"", time.monotonic()
        while not said and time.monotonic() - began < 10:
            try:
                connection.sendall(b"x")
                said = connection.recv(4096)
            except TimeoutError:
                pass
        assert said.startswith(b"421 4.4.2")
    _until(lambda: live.bodies.held == 0)
    assert live.intake.submissions == []


def test_a_handshake_that_does_not_come_is_cut(start: Callable[..., Live]) -> None:
    live = start(handshake_timeout=0.5)
    with live.connect() as connection:
        read_reply(connection)
        assert say(connection, "EHLO x.test")[0].startswith("250")
        assert say(connection, "STARTTLS")[0].startswith("220")
        assert closed_within(connection, 10) == b""
    with live.connect("submissions") as connection:
        assert closed_within(connection, 10) == b""


def test_garbage_instead_of_a_handshake_ends_the_connection_only(start: Callable[..., Live]) -> None:
    live = start()
    with live.connect() as connection:
        read_reply(connection)
        say(connection, "EHLO x.test")
        say(connection, "STARTTLS")
        connection.sendall(b"MAIL FROM:<ceo@maple.test>\r\n")
        closed_within(connection, 10)
    with sign_in(live, "maple") as connection:
        assert say(connection, "NOOP") == ["250 2.0.0 OK"]


def test_connections_are_limited_in_all_and_by_client(start: Callable[..., Live]) -> None:
    live = start(max_connections=3)
    held = [live.connect() for _ in range(3)]
    for connection in held:
        assert read_reply(connection)[0].startswith("220")
    with live.connect() as late:
        assert read_reply(late)[0].startswith("421 4.7.0")
        assert closed_within(late, 10) == b""
    held.pop().close()
    _until(lambda: live.servers["submission"].connections == 2)
    with live.connect() as again:
        assert read_reply(again)[0].startswith("220")
    for connection in held:
        connection.close()


def test_a_peer_that_keeps_sending_after_its_refusal_is_read_out_and_sees_the_reply(start: Callable[..., Live]) -> None:
    live = start(linger=2.0)
    with live.connect() as connection:
        read_reply(connection)
        connection.sendall(b"EHLO x\nNOOP\n" + b"x" * 500_000)
        assert closed_within(connection, 10).startswith(b"521 5.5.2")


def test_draining_answers_what_is_under_way_and_then_closes(start: Callable[..., Live]) -> None:
    live = start()
    live.intake.gate = asyncio.Event()
    idle = live.connect()
    read_reply(idle)
    busy = sign_in(live, "maple")
    for line in ("MAIL FROM:<nurse@maple.test>", "RCPT TO:<ann@elsewhere.test>", "DATA"):
        say(busy, line)
    busy.sendall(b"Subject: x\r\n\r\n.\r\n")
    assert live.intake.arrived.acquire(timeout=10)

    async def drain() -> None:
        await asyncio.gather(*(server.drain(20) for server in live.servers.values()))

    ending = threading.Thread(target=lambda: live.thread.run(drain()))
    ending.start()
    assert closed_within(idle, 10).startswith(b"421 4.3.2")
    with pytest.raises(ConnectionRefusedError):
        live.connect()
    live.thread.loop.call_soon_threadsafe(live.intake.gate.set)
    assert read_reply(busy)[0].startswith("250 2.0.0")
    assert closed_within(busy, 10).startswith(b"421 4.3.2")
    busy.close()
    ending.join(20)
    assert not ending.is_alive()
    assert len(live.intake.submissions) == 1


def test_a_connection_lost_after_the_dot_changes_nothing_about_the_message(start: Callable[..., Live]) -> None:
    """BI-023, the door's half: the message was handed over, so it is sent; its room is given back."""
    live = start()
    live.intake.gate = asyncio.Event()
    connection = sign_in(live, "maple")
    for line in ("MAIL FROM:<nurse@maple.test>", "RCPT TO:<ann@elsewhere.test>", "DATA"):
        say(connection, line)
    connection.sendall(b"Subject: x\r\n\r\n.\r\n")
    assert live.intake.arrived.acquire(timeout=10)
    connection.close()
    _until(lambda: live.servers["submission"].connections == 0)
    live.thread.loop.call_soon_threadsafe(live.intake.gate.set)
    _until(lambda: live.bodies.held == 0)
    assert len(live.intake.submissions) == 1


def _until(holds: Callable[[], bool]) -> None:
    """At most ten seconds."""
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to hold")


def test_only_tls_1_2_and_newer(start: Callable[..., Live]) -> None:
    live = start()
    old = live.client_tls()
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with live.connect("submissions") as connection, pytest.raises((ssl.SSLError, ConnectionError)):
        old.wrap_socket(connection, server_hostname="mail.maple.test")
