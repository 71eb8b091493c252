"""A shard: held by one process, commits in groups told in order, doors that close, events drained without a gap."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from carepost.ground import clock
from carepost.ground.errors import ConfigError, Unavailable
from carepost.spool.limits import Limits
from carepost.spool.shard import Shard
from carepost.spool.types import Append, Group, Outcome, Place, Unit
from tests.unit.spool import rows

pytestmark = pytest.mark.fast


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    opened = Shard.open(tmp_path / "shard-0000", 0)
    yield opened
    opened.close()


def test_one_process_holds_a_shard(tmp_path: Path) -> None:
    first = Shard.open(tmp_path / "shard-0000", 0)
    with pytest.raises(ConfigError, match="held by another"):
        Shard.open(tmp_path / "shard-0000", 0)
    first.close()
    Shard.open(tmp_path / "shard-0000", 0).close()


def test_a_folder_that_is_refused_is_let_go(tmp_path: Path) -> None:
    Shard.open(tmp_path / "shard-0000", 0).close()
    for _ in range(2):
        with pytest.raises(ConfigError, match="belongs to shard 0"):
            Shard.open(tmp_path / "shard-0000", 1)


async def test_what_arrives_during_a_commit_forms_the_next_group(shard: Shard) -> None:
    sizes: list[int] = []
    began, go_on = threading.Event(), threading.Event()
    commit = shard.backend.commit

    def watched(units: list[Unit]) -> Group:
        sizes.append(len(units))
        if len(sizes) == 1:
            began.set()
            go_on.wait(10)
        return commit(units)

    shard.backend.commit = watched  # type: ignore[method-assign, assignment]
    first = shard.ask(rows.accept())
    await asyncio.to_thread(began.wait, 10)
    others = [shard.ask(rows.accept()) for _ in range(30)]
    go_on.set()
    await asyncio.gather(first, *others)
    assert sizes == [1, 30]


async def test_what_one_turn_of_the_loop_submits_is_one_group(shard: Shard) -> None:
    sizes: list[int] = []
    commit = shard.backend.commit

    def watched(units: list[Unit]) -> Group:
        sizes.append(len(units))
        return commit(units)

    shard.backend.commit = watched  # type: ignore[method-assign, assignment]
    await asyncio.gather(*[shard.ask(rows.accept()) for _ in range(20)])
    assert sizes == [20]


async def test_callers_are_told_in_order_and_one_callers_fault_stays_his(shard: Shard) -> None:
    told: list[int] = []
    done = asyncio.get_running_loop().create_future()

    def tell(number: int) -> None:
        told.append(number)
        if number == 3:
            raise RuntimeError("a fault in a callback")
        if number == 9:
            done.set_result(None)

    for number in range(10):
        shard.submit(rows.accept(), lambda _, n=number: tell(n))  # type: ignore[misc]
    await done
    assert told == list(range(10))


async def test_what_nobody_waits_for_any_more_is_stored_all_the_same(shard: Shard) -> None:
    """A client that hangs up after its final dot (BI-023)."""
    unit = rows.accept()
    waiting = asyncio.ensure_future(shard.ask(unit))
    waiting.cancel()
    await shard.ask(rows.accept())
    assert shard.backend.message(unit.message.id) is not None


async def test_a_failed_group_is_told_to_all_of_it(shard: Shard) -> None:
    def broken(units: list[Unit]) -> Group:
        raise Unavailable("spool-failed", "The disk is gone.")

    commit, shard.backend.commit = shard.backend.commit, broken  # type: ignore[method-assign, assignment]
    results = await asyncio.gather(*[shard.ask(rows.accept()) for _ in range(5)], return_exceptions=True)
    assert all(isinstance(r, Unavailable) for r in results)
    shard.backend.commit = commit  # type: ignore[method-assign]
    assert await shard.ask(rows.accept()) is None


async def test_a_fault_of_ours_does_not_end_the_writer(shard: Shard) -> None:
    def broken(units: list[Unit]) -> Group:
        raise ZeroDivisionError

    commit, shard.backend.commit = shard.backend.commit, broken  # type: ignore[method-assign, assignment]
    with pytest.raises(Unavailable):
        await shard.ask(rows.accept())
    shard.backend.commit = commit  # type: ignore[method-assign]
    assert await shard.ask(rows.accept()) is None


async def test_another_thread_may_wait(shard: Shard) -> None:
    assert await asyncio.to_thread(shard.call, rows.accept()) is None
    assert shard.backend.head == 2


async def test_closing_carries_out_what_was_submitted(tmp_path: Path) -> None:
    shard = Shard.open(tmp_path / "shard-0000", 0)
    outcomes: list[Outcome] = []
    for _ in range(50):
        shard.submit(rows.accept(), outcomes.append)
    await asyncio.to_thread(shard.close)
    with pytest.raises(Unavailable):
        shard.submit(rows.accept())
    again = Shard.open(tmp_path / "shard-0000", 0)
    assert again.backend.head == 100
    again.close()


# draining


async def test_events_are_drained_in_order_from_memory_and_from_disk(shard: Shard) -> None:
    for _ in range(3):
        await shard.ask(rows.accept(events=4))
    rows_, head = await shard.drain(0, 0, 5)
    assert ([r.seq for r in rows_], head) == ([1, 2, 3, 4, 5], 12)
    shard._tail.clear()
    from_disk, _ = await shard.drain(0, 0, 5)
    assert from_disk == rows_
    await shard.ask(rows.accept(events=1))
    assert [r.seq for r in (await shard.drain(10, 0, 50))[0]] == [11, 12, 13], "the tail begins behind what is asked"
    assert (await shard.drain(13, 0, 50)) == ((), 13)


async def test_a_drain_waits_for_an_event(shard: Shard) -> None:
    waiting = asyncio.ensure_future(shard.drain(0, 0, 10, wait_s=20))
    await asyncio.sleep(0)
    await shard.ask(Append((rows.event(),)))
    assert [r.seq for r in (await waiting)[0]] == [1]
    assert (await shard.drain(1, 0, 10, wait_s=0.01)) == ((), 1)


async def test_what_is_acknowledged_is_forgotten(shard: Shard) -> None:
    units = [rows.accept(state="failed", place=Place.NOWHERE) for _ in range(20)]
    await asyncio.gather(*[shard.ask(u) for u in units])
    _, head = await shard.drain(0, 0, 100)
    assert shard.stats()["outbox"] == head == 40
    await shard.drain(head, head, 100)
    assert shard.stats()["outbox"] == 0
    await shard.ask(Append((rows.event(),)))
    assert shard.backend.acked == 40
    assert all(shard.backend.message(u.message.id) is None for u in units)


async def test_an_acknowledgement_ahead_of_the_events_forgets_only_what_there_is(shard: Shard) -> None:
    await shard.ask(rows.accept())
    await shard.drain(0, 1_000_000, 10)
    await shard.ask(rows.accept())
    assert [r.seq for r in (await shard.drain(2, 2, 10))[0]] == [3, 4]


# limits


def test_the_doors_close_when_the_disk_is_nearly_full(tmp_path: Path) -> None:
    shard = Shard.open(tmp_path / "shard-0000", 0, Limits(min_free=1 << 60))
    with pytest.raises(Unavailable) as error:
        shard.admit(10)
    assert error.value.code == "disk-low"
    shard.close()


async def test_the_doors_close_at_80_percent_of_the_outbox_and_open_again(tmp_path: Path) -> None:
    shard = Shard.open(tmp_path / "shard-0000", 0, Limits(outbox=10))
    for _ in range(7):
        await shard.ask(Append((rows.event(),)))
        shard.admit(0)
    await shard.ask(Append((rows.event(),)))
    with pytest.raises(Unavailable) as error:
        shard.admit(0)
    assert error.value.code == "outbox-full"
    await shard.ask(Append((rows.event(),)))  # delivery of what was accepted goes on
    await shard.drain(5, 5, 10)
    shard.admit(0)
    shard.close()


async def test_the_doors_close_when_the_journal_is_late(tmp_path: Path, at: "Clock") -> None:
    shard = Shard.open(tmp_path / "shard-0000", 0)
    await shard.ask(Append((rows.event(),)))
    at.forward(599)
    shard.admit(0)
    at.forward(2)
    with pytest.raises(Unavailable) as error:
        shard.admit(0)
    assert error.value.code == "journal-late"
    shard.close()
    again = Shard.open(tmp_path / "shard-0000", 0)
    with pytest.raises(Unavailable):
        again.admit(0)
    assert again.stats()["outbox_s"] >= 600
    await again.drain(1, 1, 10)
    again.admit(0)
    again.close()


class Clock:
    def __init__(self) -> None:
        self.now = clock.now()

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * 1_000_000)


@pytest.fixture
def at() -> Iterator[Clock]:
    source = Clock()
    clock.set_source(lambda: source.now)
    yield source
    clock.set_source(None)
