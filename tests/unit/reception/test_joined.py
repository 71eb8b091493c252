"""The head of an answer and its body leave in one write, and nothing is kept back for long."""

import asyncio

import pytest

from carepost.reception.http.joined import Joined

pytestmark = pytest.mark.fast

HEAD = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n"


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.said: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.said.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True


def joined() -> tuple[Wire, Joined]:
    wire = Wire()
    return wire, Joined(wire, asyncio.get_running_loop())


@pytest.mark.asyncio
async def test_head_and_body_are_one_write() -> None:
    wire, transport = joined()
    transport.write(HEAD)
    transport.write(b"{}")
    await asyncio.sleep(0)
    assert wire.said == [HEAD + b"{}"]


@pytest.mark.asyncio
async def test_an_empty_body_lets_the_head_go() -> None:
    wire, transport = joined()
    transport.write(HEAD)
    transport.write(b"")
    assert wire.said == [HEAD]


@pytest.mark.asyncio
async def test_a_head_whose_body_comes_later_goes_at_the_end_of_the_turn() -> None:
    wire, transport = joined()
    transport.write(HEAD)
    assert wire.said == []
    await asyncio.sleep(0)
    assert wire.said == [HEAD]
    transport.write(b"piece")
    assert wire.said == [HEAD, b"piece"]


@pytest.mark.asyncio
async def test_closing_says_what_was_kept() -> None:
    wire, transport = joined()
    transport.write(HEAD)
    transport.close()
    await asyncio.sleep(0)
    assert (wire.said, wire.closed) == ([HEAD], True)


@pytest.mark.asyncio
async def test_an_aborted_connection_gets_nothing_more() -> None:
    wire, transport = joined()
    transport.write(HEAD)
    transport.abort()
    await asyncio.sleep(0)
    assert (wire.said, wire.closed) == ([], True)


@pytest.mark.asyncio
async def test_an_interim_answer_and_a_body_alone_wait_for_nothing() -> None:
    wire, transport = joined()
    transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    transport.write(b"5\r\nHTTP/\r\n")
    assert len(wire.said) == 2
    assert transport.get_extra_info("peername") == ("127.0.0.1", 1)
