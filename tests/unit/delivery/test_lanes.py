"""What is counted of one way out, and who of those that wait for a connection comes first."""

import asyncio

import pytest

from carepost.delivery.connection import Connection
from carepost.delivery.exchange import Timeouts
from carepost.delivery.lanes import DAY, MANY, Lane, Share, Warming, base_of
from carepost.delivery.pool import Pool
from carepost.directory.sending import Pool as SendingPool
from carepost.directory.sending import Sending, Warm, pool_for
from carepost.pace.limits import Limits

NOW = 1_760_000_000_000_000 // 60_000_000 * 60_000_000
SECOND = 1_000_000


class Nobody:
    def made(self, connection: Connection) -> None: ...

    def lost(self, connection: Connection) -> None: ...


def connection() -> Connection:
    return Connection("mx.there.test", "127.0.0.1", 25, Timeouts(), Nobody())


async def test_marketing_may_not_have_the_last_fifth_of_the_connections() -> None:
    pool = Pool(5)
    for _ in range(4):
        assert not pool.full_of_bulk() and pool.room()
        one = connection()
        pool.opened(one)
        pool.carries_bulk(one)
    assert pool.full_of_bulk()
    assert pool.room(), "for other mail there is one"


async def test_other_mail_is_woken_before_marketing_that_waited_longer() -> None:
    pool = Pool(1)
    assert pool.room()
    one = connection()
    pool.opened(one)
    order: list[str] = []

    async def wait(name: str, *, bulk: bool) -> None:
        await pool.turn(bulk=bulk)
        order.append(name)

    waiting = [asyncio.ensure_future(wait("marketing", bulk=True)), asyncio.ensure_future(wait("letter", bulk=False))]
    await asyncio.sleep(0)
    pool.give_back(one)
    await asyncio.sleep(0.01)
    assert order == ["letter"]
    pool.give_back(one)
    await asyncio.gather(*waiting)
    assert order == ["letter", "marketing"]


async def test_one_connection_is_still_one_for_marketing() -> None:
    assert not Pool(1).full_of_bulk()


@pytest.mark.fast
def test_places_and_the_share_of_marketing() -> None:
    lane = Lane("", "gmail", Limits(connections=2), Share())
    assert (lane.free(NOW), lane.free(NOW, bulk=True)) == (8, 6)
    for _ in range(6):
        assert lane.begin(NOW, bulk=True) == (0, "")
    assert lane.begin(NOW, bulk=True)[1] == "connections"
    assert lane.begin(NOW) == (0, "")
    lane.end()
    assert (lane.free(NOW), lane.free(NOW, bulk=True)) == (2, 0)


@pytest.mark.fast
def test_a_rate_closes_a_lane_until_the_next_may_go() -> None:
    lane = Lane("", "gmail", Limits(per_minute=10), Share())
    assert lane.free(NOW) == 1
    assert lane.begin(NOW) == (0, "")
    assert lane.until(NOW) == (NOW + 6 * SECOND, "rate")
    assert lane.free(NOW + 5 * SECOND) == 0
    assert lane.begin(NOW + 6 * SECOND) == (0, "")


@pytest.mark.fast
def test_two_processes_share_one_connection_by_turns() -> None:
    lanes = [Lane("", "gmail", Limits(connections=1), Share(part, 2)) for part in range(2)]
    for minute in range(4):
        at = NOW + minute * 60 * SECOND
        assert sorted(lane.connections(at) for lane in lanes) == [0, 1]
        (closed,) = [lane for lane in lanes if not lane.connections(at)]
        assert closed.until(at) == ((at // (60 * SECOND) + 1) * 60 * SECOND, "turn")


@pytest.mark.fast
def test_new_connections_are_given_one_by_one_and_counted_before_they_are_opened() -> None:
    lane = Lane("", "comcast", Limits(dials=60), Share())
    assert [lane.dial(NOW) for _ in range(3)] == [0, NOW + SECOND, NOW + 2 * SECOND]
    assert Lane("", "gmail", Limits(), Share()).dial(NOW) == 0


@pytest.mark.fast
def test_a_days_share_is_counted_and_begins_anew_the_next_day() -> None:
    today = NOW // DAY
    warming = Warming(Share(0, 2))
    warming.told(Warm(today, 5, delivered=2))
    # half of five, rounded up for the first process, and half of what went before it began
    assert warming.left(NOW) == 2
    warming.sent(NOW)
    assert (warming.left(NOW), warming.left(NOW + DAY)) == (1, 3)
    warming.told(Warm(today + 1, 0))
    assert warming.left(NOW + DAY) == MANY


@pytest.mark.fast
def test_what_is_under_way_counts_towards_the_days_share_over_all_lanes_that_have_it() -> None:
    today, tomorrow = NOW // DAY, (NOW // DAY + 1) * DAY
    warming = Warming(Share())
    warming.told(Warm(today, 3))
    lane, other = (Lane("127.0.0.61", provider, Limits(), Share()) for provider in ("one.test", "two.test"))
    lane.warming = other.warming = warming
    assert lane.begin(NOW) == lane.begin(NOW) == other.begin(NOW) == (0, "")
    assert lane.begin(NOW) == other.begin(NOW) == (tomorrow, "warm-up")
    other.end()
    assert (other.free(NOW), lane.free(NOW)) == (1, 1), "one was refused: its place is free again"
    lane.end()
    lane.accepted(NOW)
    assert lane.free(NOW) == 1
    # an address whose plan ends while something is under way, and begins anew later, owes it nothing
    lane.warming = None
    lane.end()
    lane.warming = warming
    assert (warming.busy, lane.free(NOW)) == (0, 2)


@pytest.mark.fast
def test_only_those_with_limits_of_their_own_and_the_open_internet_are_limited_unasked() -> None:
    assert base_of("gmail", public=False).connections == 5
    assert base_of("clinic.test", public=False) == Limits()
    assert base_of("clinic.test", public=True).per_minute == 6000


@pytest.mark.fast
@pytest.mark.parametrize(
    ("stream", "domain", "pool"),
    [
        ("transactional", "a.test", "letters"),
        ("bulk", "a.test", "bulk-of-a"),
        ("bulk", "b.test", "bulk"),
        ("operational", "a.test", "all-of-a"),
        ("operational", "b.test", ""),
    ],
)
def test_mail_leaves_by_the_pool_that_is_meant_for_it_most_closely(stream: str, domain: str, pool: str) -> None:
    pools = (
        SendingPool("letters", ("transactional",)), SendingPool("bulk", ("bulk",)),
        SendingPool("all-of-a", (), "a.test"),
        SendingPool("bulk-of-a", ("bulk",), "a.test"),
    )  # fmt: skip
    if stream == "transactional":
        pools = pools[:2]
    assert pool_for(Sending(pools=pools), stream, domain) == pool
