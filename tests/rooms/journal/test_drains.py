"""How long events gather between two batches of a shard, and that a burst puts the journal off five seconds at most."""

import threading

import pytest

from carepost.ground import clock
from carepost.journal import gathering
from carepost.journal.commits import Batch
from carepost.journal.drains import LIMIT, ShardDrainer
from carepost.journal.gathering import BURST, LONG, MANY, MOST, SHORT, WAY, Gathering
from carepost.spool.shard import TAIL
from carepost.wire.types import Drained


def test_a_message_alone_is_in_history_soon_and_many_share_a_commit() -> None:
    one = Gathering(LIMIT)
    assert one.rest(3) == SHORT
    assert one.rest(MANY) == LONG > SHORT


def test_nobody_rests_while_more_is_there_or_nothing_came() -> None:
    one = Gathering(LIMIT)
    assert one.rest(LIMIT) == 0
    assert one.rest(0) == 0


def test_a_burst_is_made_way_for_five_seconds_and_not_again_until_it_was_quiet() -> None:
    one = Gathering(LIMIT)
    looks = [one.longer(BURST, 1, LONG, now=float(n)) for n in range(10)]
    assert looks == [n < WAY for n in range(10)]
    # a look that finds less than a burst ends it; the next one has its five seconds again
    assert not one.longer(BURST - 1, 1, LONG, now=10.0)
    assert one.longer(BURST, 1, LONG, now=11.0)


@pytest.mark.parametrize("brought", [0, 1, MANY - 1])
def test_a_small_batch_ends_a_burst_too(brought: int) -> None:
    one = Gathering(LIMIT)
    assert one.longer(BURST, 1, LONG, now=0.0)
    assert not one.longer(BURST, 1, LONG, now=WAY)
    one.rest(brought)
    assert one.longer(BURST, 1, LONG, now=WAY + 1)


def test_what_waits_never_outgrows_what_a_shard_keeps_at_hand() -> None:
    assert not Gathering(LIMIT).longer(BURST, MOST, LONG, now=0.0)
    assert MOST < TAIL


class Engine:
    """A shard whose events come as told: `heads`, one an answer."""

    def __init__(self, heads: list[int]) -> None:
        self.heads = heads
        self.asked: list[tuple[int, int]] = []

    def drain(
        self, shard: int, after: int, acked: int, limit: int = LIMIT, wait_s: float = 0.0
    ) -> tuple[tuple[Drained, ...], int]:
        self.asked.append((after, limit))
        head = self.heads.pop(0)
        many = min(limit, head - after)
        return tuple(Drained(after + 1 + n, b"", b"", b"") for n in range(many)), head


class Log:
    """Commits that stand at once."""

    def submit(self, one: Batch) -> None:
        one.done.set()


class Seen:
    def __init__(self) -> None:
        self.behind: list[int] = []

    def at(self, source: str, head: int, taken: int, since: int) -> None:
        self.behind.append(head - taken)


class Stopping(threading.Event):
    """Time passes where somebody would wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.is_set()


def _drained(heads: list[int], monkeypatch: pytest.MonkeyPatch) -> tuple[Engine, Seen, Stopping]:
    engine, seen, stopping = Engine(heads), Seen(), Stopping()
    monkeypatch.setattr(clock, "monotonic", lambda: stopping.now)
    one = ShardDrainer(0, 0, Log(), seen, stopping, engine, lambda _, taken: taken)  # type: ignore[arg-type]
    one.step()
    return engine, seen, stopping


def test_a_drainer_lets_a_burst_pass_and_says_meanwhile_how_far_behind_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    # many, then three seconds of a burst, then quiet
    engine, seen, stopping = _drained([400, 1400, 2400, 3400, 3401], monkeypatch)
    assert engine.asked == [(0, LIMIT), *[(400, 0)] * 4]
    assert seen.behind == [0, 1000, 2000, 3000]
    assert stopping.now == 4 * LONG


def test_a_drainer_does_not_look_again_after_few_events(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, _, stopping = _drained([3], monkeypatch)
    assert engine.asked == [(0, LIMIT)]
    assert stopping.now == gathering.SHORT
