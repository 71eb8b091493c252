"""Whose turn it is, without a shard: every flow in its turn, every destination once round, none left behind."""

from collections import Counter

import pytest

from carepost.queue.rota import MOST_KNOWN, WEIGHTS, Rota
from carepost.spool.types import Flow

pytestmark = pytest.mark.fast

A, B = Flow("transactional", b"a" * 16), Flow("transactional", b"b" * 16)
BULK = Flow("bulk", b"a" * 16)


class Stock:
    """How many deliveries are ready where; the rota is told what a shard would tell it."""

    def __init__(self, rota: Rota, **stock: int) -> None:
        self.rota = rota
        self.left: Counter[tuple[Flow, bytes]] = Counter()

    def put(self, flow: Flow, destination: bytes, count: int = 1) -> None:
        self.left[flow, destination] += count
        self.rota.add(flow, destination)

    def take(self, want: int, per_destination: int = 1_000_000) -> list[tuple[Flow, bytes]]:
        taken: list[tuple[Flow, bytes]] = []
        while len(taken) < want:
            turn = self.rota.next(want - len(taken), per_destination)
            if turn is None:
                break
            flow, destination, most = turn
            found = min(most, self.left[flow, destination])
            self.left[flow, destination] -= found
            self.rota.took(flow, destination, found, most)
            taken += [(flow, destination)] * found
        return taken


@pytest.fixture
def stock() -> Stock:
    return Stock(Rota())


def test_nothing_ready_is_nothing(stock: Stock) -> None:
    assert stock.take(10) == []
    assert not stock.rota


def test_two_flows_take_turns_whatever_they_have(stock: Stock) -> None:
    stock.put(A, b"x", 1_000_000)
    stock.put(B, b"y", 40)
    taken = Counter(flow for flow, _ in stock.take(64))
    assert taken == {A: 32, B: 32}


def test_a_newcomer_waits_for_one_turn(stock: Stock) -> None:
    stock.put(A, b"x", 1_000_000)
    stock.take(5)
    stock.put(B, b"y", 1)
    flows = [flow for flow, _ in stock.take(20)]
    assert flows.index(B) <= WEIGHTS["transactional"]


def test_streams_weigh_as_they_matter(stock: Stock) -> None:
    stock.put(BULK, b"x", 1000)
    stock.put(A, b"x", 1000)
    taken = Counter(flow.stream for flow, _ in stock.take(100))
    assert taken["transactional"] == 4 * taken["bulk"]


def test_within_a_flow_destinations_come_round(stock: Stock) -> None:
    for name in (b"x", b"y", b"z"):
        stock.put(A, name, 100)
    order = [destination for _, destination in stock.take(3 * WEIGHTS["transactional"])]
    assert set(order) == {b"x", b"y", b"z"}


def test_a_destination_that_is_busy_is_set_aside_and_comes_back(stock: Stock) -> None:
    stock.put(A, b"x", 10)
    stock.put(A, b"y", 10)
    taken = stock.take(100, per_destination=3)
    assert Counter(d for _, d in taken) == {b"x": 3, b"y": 3}
    assert stock.take(100, per_destination=3) == []
    assert not stock.rota, "nothing is looked at again and again"
    assert stock.rota.waits(A, b"x")
    stock.rota.release(b"x")
    assert stock.take(100, per_destination=3) == [(A, b"x")]


def test_a_busy_destination_is_shared_by_those_who_wait_for_it(stock: Stock) -> None:
    stock.put(A, b"x", 100)
    stock.put(B, b"x", 100)
    stock.take(2, per_destination=2)
    stock.take(10, per_destination=2)
    taken: Counter[Flow] = Counter()
    for _ in range(60):
        stock.rota.release(b"x")
        taken.update(flow for flow, _ in stock.take(10, per_destination=2))
    assert set(taken) == {A, B}
    assert min(taken.values()) >= 20


def test_everything_is_taken_exactly_once(stock: Stock) -> None:
    for i in range(50):
        stock.put(A if i % 2 else B, b"d%d" % (i % 7), i)
    total = sum(stock.left.values())
    taken = 0
    while got := stock.take(13):
        taken += len(got)
        for _, destination in got:
            stock.rota.release(destination)
    assert taken == total
    assert not stock.rota.busy


def test_what_is_not_known_is_read_from_the_shard(stock: Stock) -> None:
    rota = stock.rota
    rota.look(A)
    assert rota.next(1, 10) is None
    assert rota.wanting() == (A, b"")
    rota.found(A, [b"x", b"y"], more=True)
    assert rota.wanting() is None
    for name in (b"x", b"y"):
        assert rota.next(1, 10) == (A, name, 1)
        rota.took(A, name, 0, 1)
    assert rota.wanting() == (A, b"y"), "the rest, after what is known"
    rota.found(A, [], more=False)
    assert rota.wanting() is None and not rota


def test_more_destinations_than_are_remembered_are_found_again(stock: Stock) -> None:
    rota = stock.rota
    for i in range(MOST_KNOWN + 1):
        rota.add(A, b"%08d" % i)
    for _ in range(MOST_KNOWN):
        turn = rota.next(1, 10)
        assert turn is not None
        rota.took(A, turn[1], 0, 1)
    assert rota.wanting() == (A, b"")


def test_a_forgotten_destination_has_no_turn_until_it_is_added(stock: Stock) -> None:
    stock.put(A, b"x")
    stock.rota.forget(A, b"x")
    assert stock.take(1) == []
    stock.rota.add(A, b"x")
    assert stock.take(1) == [(A, b"x")]
