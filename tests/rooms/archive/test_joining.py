"""A day that is over becomes one segment, a part a step: between any two steps a search finds what it found before, and
what is disposed of meanwhile is nowhere."""

import random
import tracemalloc
from threading import Event as Flag
from typing import Any

import pytest

from carepost.archive import joining, retention, search, segments
from carepost.archive.tables import org_value
from carepost.crypto import index
from carepost.ground import ids
from carepost.journal.chores import Chores
from tests.rooms.archive.test_index_key import entries, found, rotate
from tests.rooms.archive.test_segments import DAY, add, find, message, small, token
from tests.support.mailroom import KeptDoor
from tests.support.noon import DAY as DAY_US
from tests.support.noon import HOUR, NOON
from tests.support.outbox import Outbox

__all__ = ["small"]
pytestmark = pytest.mark.django_db(databases=["default", "records"])
#: messages of the day, and words
MESSAGES, WORDS = 85, 12


@pytest.fixture
def held(cast: Any, outbox: Outbox, small: None, at: list[int], monkeypatch: pytest.MonkeyPatch) -> dict[int, set[int]]:
    """What stands in a day's segments two days later; a step writes three blocks of five entries."""
    at[0] = (DAY + 2) * DAY_US
    monkeypatch.setattr(joining, "BLOCKS", 3)
    chance, all_ = random.Random(3), {}
    for first in range(1, MESSAGES, 5):
        part = {number: {chance.randrange(WORDS) for _ in range(4)} for number in range(first, first + 5)}
        add(outbox, cast.maple, part)
        all_ |= part
    add(outbox, cast.harbour, {1: {1}})
    return all_


def shown(outbox: Outbox, org: bytes, day: int = DAY) -> list[int]:
    rows = outbox.store.rows(
        "SELECT level FROM archive_segment WHERE org_id = ? AND day = ? ORDER BY number",
        (org_value(outbox.store, org), day),
    )
    return [int(level) for (level,) in rows]


def agrees(outbox: Outbox, org: bytes, held: dict[int, set[int]]) -> None:
    for one in range(WORDS):
        for other in (one, (one + 5) % WORDS):
            both = sorted((m for m, tokens in held.items() if {one, other} <= tokens), reverse=True)
            assert find(outbox, org, one, other) == both, (one, other)


def stored(outbox: Outbox) -> bytes:
    return b"".join(bytes(row) for (row,) in outbox.store.rows("SELECT entries FROM archive_block"))


def finish(work: joining.Joining) -> None:
    for _ in range(2000):
        if not work.step():
            return
    raise AssertionError("it never ends")


def test_between_any_two_steps_a_search_finds_what_it_found(cast: Any, outbox: Outbox, held: Any) -> None:
    assert len(shown(outbox, cast.maple)) > 3
    work, steps, made = joining.Joining(outbox.store), 0, 0
    while work.step():
        steps += 1
        made += joining.MAKING in shown(outbox, cast.maple)
        agrees(outbox, cast.maple, held)
    assert steps > 35 and made > 15, "a part a step, not all at once"
    assert shown(outbox, cast.maple) == [joining.WHOLE] and shown(outbox, cast.harbour) == [0]
    agrees(outbox, cast.maple, held)
    assert find(outbox, cast.harbour, 1) == [1]
    with outbox.store.reading(cast.maple):
        assert segments.days(outbox.store, cast.maple, DAY, DAY) == [(DAY, 1)]
    everything = sorted(token(t) + message(m) for m, tokens in held.items() for t in tokens)
    sql = "SELECT entries FROM archive_block WHERE org_id = ? ORDER BY first"
    blocks = [bytes(row) for (row,) in outbox.store.rows(sql, (org_value(outbox.store, cast.maple),))]
    assert b"".join(blocks) == b"".join(everything), "nothing twice, nothing left over"
    assert {len(block) for block in blocks[:-1]} == {segments.BLOCK * segments.ENTRY}


def test_another_process_goes_on_where_one_was_lost(cast: Any, outbox: Outbox, held: Any) -> None:
    blocks = 0
    for _ in range(10):
        joining.Joining(outbox.store).step()
        now = len(stored(outbox))
        assert now > blocks, "each goes on behind the last"
        blocks = now
    agrees(outbox, cast.maple, held)
    finish(joining.Joining(outbox.store))
    assert shown(outbox, cast.maple) == [joining.WHOLE]
    agrees(outbox, cast.maple, held)


@pytest.mark.parametrize("after", [1, 9, 17, 26, 33])
def test_what_is_disposed_of_meanwhile_is_nowhere(cast: Any, outbox: Outbox, held: Any, after: int) -> None:
    work, gone = joining.Joining(outbox.store), [number for number in held if number % 3 == 0]
    for _ in range(after):
        work.step()
    with outbox.store.writing():
        for number in gone:
            segments.remove(outbox.store, cast.maple, DAY, [token(t) + message(number) for t in held.pop(number)])
    assert not any(message(number) in stored(outbox) for number in gone)
    agrees(outbox, cast.maple, held)
    finish(work)
    assert not any(message(number) in stored(outbox) for number in gone)
    assert shown(outbox, cast.maple) == [joining.WHOLE]
    agrees(outbox, cast.maple, held)


@pytest.mark.parametrize("after", [1, 9, 17, 30, 200])
def test_what_comes_late_is_found_and_joined(cast: Any, outbox: Outbox, held: Any, after: int) -> None:
    work = joining.Joining(outbox.store)
    for _ in range(after):
        work.step()
    # more commits than a look a day of one segment lets stand beside it, merged among themselves meanwhile
    for number in range(1000, 1000 + 17):
        add(outbox, cast.maple, {number: {number % WORDS, 5}})
        held[number] = {number % WORDS, 5}
        work.step()
        agrees(outbox, cast.maple, held)
    finish(joining.Joining(outbox.store))
    agrees(outbox, cast.maple, held)
    assert len(shown(outbox, cast.maple)) <= 1 + joining.LATE
    assert shown(outbox, cast.maple)[0] == joining.WHOLE


def test_a_day_that_is_not_over_stays_as_it_is(cast: Any, outbox: Outbox, small: None, at: list[int]) -> None:
    day = index.day_of(NOON)
    for number in range(2):
        with outbox.store.writing():
            segments.add(outbox.store, cast.maple, day, [token(1) + message(number)])
    at[0] = (day + 1) * DAY_US + HOUR - 1
    finish(joining.Joining(outbox.store))
    assert shown(outbox, cast.maple, day) == [0, 0], "an hour more: what was accepted at midnight comes a moment later"
    at[0] += HOUR
    work = joining.Joining(outbox.store)
    finish(work)
    assert shown(outbox, cast.maple, day) == [joining.WHOLE]


def test_the_next_day_is_found_by_the_same_process_an_hour_later(
    cast: Any, outbox: Outbox, small: None, at: list[int]
) -> None:
    work, day = joining.Joining(outbox.store), index.day_of(NOON)
    at[0] = NOON
    finish(work)
    for number in range(2):
        with outbox.store.writing():
            segments.add(outbox.store, cast.maple, day, [token(1) + message(number)])
    at[0] = NOON + DAY_US
    finish(work)
    assert shown(outbox, cast.maple, day) == [joining.WHOLE]


def test_the_journal_does_it_by_the_clock(cast: Any, outbox: Outbox, held: Any) -> None:
    work = Chores(outbox.store, KeptDoor(), Flag())
    work.step()
    assert joining.MAKING in shown(outbox, cast.maple)


def test_a_day_of_two_index_keys_is_searched_as_before(cast: Any, outbox: Outbox, at: list[int]) -> None:
    rotate(cast, NOON + HOUR)
    days = []
    for moment in (NOON, NOON + HOUR - 1000, NOON + HOUR, NOON + 2 * HOUR):
        at[0] = moment
        days.append(outbox.accepted(cast.maple, subject="Your panel", tags=("lab",))[0])
        outbox.commit()
    at[0] = NOON + 2 * DAY_US
    expected = [ids.text(one) for one in days[::-1]]
    before = entries(outbox.store)
    assert found(cast, tag="lab") == expected
    finish(joining.Joining(outbox.store))
    assert shown(outbox, cast.maple, index.day_of(NOON)) == [joining.WHOLE] and entries(outbox.store) == before
    assert found(cast, tag="lab") == found(cast, subject="panel") == expected
    # and a disposal finds its entries there, under both keys
    assert retention.dispose(outbox.store, cast.maple, days[1], actor=cast.operator, reason="asked")
    assert found(cast, tag="lab") == [one for one in expected if one != ids.text(days[1])]
    assert not any(entry.endswith(days[1]) for entry in entries(outbox.store))


def test_a_page_reaches_ten_times_as_far_back(
    cast: Any, outbox: Outbox, at: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "LOOKS", 20)
    first = NOON - 10 * DAY_US
    at[0] = first
    wanted = ids.text(outbox.accepted(cast.maple, tags=("rare",))[0])
    for day in range(11):
        for hour in range(5):
            at[0] = first + day * DAY_US + hour * HOUR
            outbox.accepted(cast.maple, tags=("often",))
            outbox.commit()
    at[0] = NOON + DAY_US
    assert found(cast, tag="rare") == [], "a page's work is over before"
    finish(joining.Joining(outbox.store))
    assert found(cast, tag="rare") == [wanted]


def test_days_whose_hits_do_not_fit_end_a_page(
    cast: Any, outbox: Outbox, at: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A joined day is little to look into; its statements and the rows of its hits are work too."""
    monkeypatch.setattr(search, "LOOKS", 20)
    for day in range(8):
        at[0] = NOON - (8 - day) * DAY_US
        outbox.accepted(cast.maple, tags=("often",))
        outbox.commit()
    at[0] = NOON
    page = search.search(cast.maple, cast.operator, search.Wanted(tag="often", state="failed"))
    assert page.messages == () and page.cursor, "it says how far back it came"
    looked = []
    while page.cursor:
        looked.append(page.cursor)
        page = search.search(cast.maple, cast.operator, search.Wanted(tag="often", state="failed"), after=page.cursor)
    assert len(looked) == 2, "three days a page: each one look, and six for its hits"


def test_a_step_holds_little_however_large_the_day(cast: Any, outbox: Outbox, at: list[int]) -> None:
    at[0] = (DAY + 2) * DAY_US
    for n in range(segments.FAN - 1):
        with outbox.store.writing():
            segments.add(outbox.store, cast.maple, DAY, [token(t) + message(t * 8 + n) for t in range(60_000)])
    work, most = joining.Joining(outbox.store), 0
    tracemalloc.start()
    try:
        while work.step():
            most = max(most, tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert shown(outbox, cast.maple) == [joining.WHOLE]
    assert most < 16_000_000
