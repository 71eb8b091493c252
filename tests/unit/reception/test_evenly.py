"""Connections of one port are shared out evenly by the engines of a machine; a failing engine costs nobody anything."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from carepost.reception.evenly import Evenly

pytestmark = pytest.mark.fast


class Engine:
    """One engine's part, and the connections that came to it."""

    def __init__(self, folder: Path, index: int, engines: int = 2) -> None:
        self.part = Evenly(folder, 25, index, engines)
        self.has: list[socket.socket] = []
        self.part.lives(0)

    def accepts(self, number: int) -> None:
        """The kernel gave it so many."""
        for _ in range(number):
            came = socket.socket()
            if self.part.elsewhere(came, len(self.has)):
                came.close()
            else:
                self.takes(came)

    def takes(self, connection: socket.socket) -> None:
        self.has.append(connection)
        self.part.lives(len(self.has))

    def reads(self) -> None:
        self.part.handed(self.takes)

    def loses(self, number: int) -> None:
        for _ in range(number):
            self.has.pop().close()
        self.part.lives(len(self.has))

    def close(self) -> None:
        self.part.close()
        for connection in self.has:
            connection.close()
        self.has = []


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Engine, Engine]]:
    first, second = Engine(tmp_path, 0), Engine(tmp_path, 1)
    yield first, second
    first.close()
    second.close()


def test_an_uneven_hash_ends_even(pair: tuple[Engine, Engine]) -> None:
    first, second = pair
    first.accepts(14)
    second.accepts(2)
    first.reads()
    second.reads()
    assert (len(first.has), len(second.has)) == (8, 8)


def test_what_is_on_its_way_counts_before_it_is_read(pair: tuple[Engine, Engine]) -> None:
    first, second = pair
    first.accepts(8)
    # not read yet: the second still counts the four that are coming as its own
    second.accepts(4)
    first.reads()
    second.reads()
    assert (len(first.has), len(second.has)) == (6, 6)


def test_who_lost_clients_is_given_the_next(pair: tuple[Engine, Engine]) -> None:
    first, second = pair
    first.accepts(8)
    second.reads()
    second.loses(3)
    first.accepts(3)
    second.reads()
    assert (len(first.has), len(second.has)) == (4, 4)


def test_a_handed_connection_is_the_same_connection(pair: tuple[Engine, Engine]) -> None:
    first, second = pair
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as client,
    ):
        accepted, _ = listening.accept()
        first.accepts(1)
        assert first.part.elsewhere(accepted, 1)
        accepted.close()
        second.reads()
        client.sendall(b"EHLO client.test\r\n")
        assert second.has[0].recv(100) == b"EHLO client.test\r\n"
        second.has[0].sendall(b"250 mail.test\r\n")
        assert client.recv(100) == b"250 mail.test\r\n"
        assert not second.has[0].get_inheritable()


def test_an_engine_that_closed_is_given_none(pair: tuple[Engine, Engine]) -> None:
    first, second = pair
    second.part.lives(0xFFFFFFFF)
    first.accepts(6)
    assert len(first.has) == 6


def test_an_engine_that_was_killed_costs_no_connection(tmp_path: Path) -> None:
    first, second = Engine(tmp_path, 0), Engine(tmp_path, 1)
    # killed: its count stands, its socket is gone
    second.part._take.close()
    first.accepts(5)
    assert len(first.has) == 5
    again = Engine(tmp_path, 1)
    first.accepts(5)
    again.reads()
    assert (len(first.has), len(again.has)) == (5, 5)
    for engine in (first, again):
        engine.close()


def test_what_was_on_its_way_to_the_killed_is_forgotten_when_it_comes_again(tmp_path: Path) -> None:
    first, second = Engine(tmp_path, 0), Engine(tmp_path, 1)
    first.accepts(6)
    second.part._take.close()
    again = Engine(tmp_path, 1)
    first.accepts(4)
    again.reads()
    # three went with the killed; the new one begins at none, so three of the next four come to it
    assert (len(first.has), len(again.has)) == (4, 3)
    for engine in (first, again):
        engine.close()


def test_a_full_queue_keeps_the_connection(pair: tuple[Engine, Engine]) -> None:
    first, second = pair
    first.accepts(2000)
    second.reads()
    assert len(first.has) + len(second.has) == 2000


def test_its_sockets_need_no_longer_a_path_than_the_engines_own(tmp_path: Path) -> None:
    """The supervisor refuses a home whose path leaves no room for `engine-00.sock`."""
    part = Evenly(tmp_path, 65_535, 0, 2)
    assert all(len(path.name) <= len("engine-00.sock") for path in tmp_path.glob("*.sock"))
    part.close()


def test_three_engines(tmp_path: Path) -> None:
    engines = [Engine(tmp_path, index, 3) for index in range(3)]
    engines[0].accepts(12)
    for engine in engines:
        engine.reads()
    assert [len(engine.has) for engine in engines] == [4, 4, 4]
    for engine in engines:
        engine.close()


def test_another_number_of_engines_reads_no_old_counts(tmp_path: Path) -> None:
    first, second = Engine(tmp_path, 0), Engine(tmp_path, 1)
    first.accepts(4)
    first.close()
    second.close()
    engines = [Engine(tmp_path, index, 3) for index in range(3)]
    engines[2].accepts(3)
    for engine in engines:
        engine.reads()
    assert [len(engine.has) for engine in engines] == [1, 1, 1]
    for engine in engines:
        engine.close()
