"""The search index against a plain set: what is added is found, in order, in pages, and what is removed is not."""

import itertools
import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from carepost.archive import segments
from carepost.archive.tables import org_value
from carepost.audit.store import PostgresStore
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])

DAY = 20_780
TOP = b"\xff" * 16


def token(number: int) -> bytes:
    return number.to_bytes(8, "big")


def message(number: int) -> bytes:
    return number.to_bytes(16, "big")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Blocks so small that a few hundred entries make many, and several levels."""
    monkeypatch.setattr(segments, "BLOCK", 5)
    monkeypatch.setattr(segments, "FAN", 3)
    monkeypatch.setattr(segments, "_AHEAD", 2)
    return


def add(outbox: Outbox, org: bytes, held: dict[int, set[int]]) -> None:
    with outbox.store.writing():
        entries = [token(t) + message(m) for m, tokens in held.items() for t in tokens]
        segments.add(outbox.store, org, DAY, entries)


def find(outbox: Outbox, org: bytes, *tokens: int, below: bytes = TOP, limit: int = 1000, day: int = DAY) -> list[int]:
    with outbox.store.reading(org):
        found = segments.find(outbox.store, org, day, [[token(t) for t in tokens]], below, limit)
    return [int.from_bytes(m, "big") for m in found]


def test_the_index_answers_as_a_set_would(cast: Any, outbox: Outbox, small: None) -> None:
    chance = random.Random(7)
    everything: dict[int, set[int]] = {}
    numbers = itertools.count(1)
    for _ in range(20):
        batch = {next(numbers): {chance.randrange(1, 30) for _ in range(6)} for _ in range(chance.randrange(1, 12))}
        add(outbox, cast.maple, batch)
        everything |= batch
    for _ in range(60):
        wanted = [chance.randrange(1, 30) for _ in range(chance.randrange(1, 4))]
        below = chance.randrange(1, len(everything) + 2)
        expected = sorted((m for m, held in everything.items() if held >= set(wanted) and m < below), reverse=True)
        limit = chance.randrange(1, 8)
        assert find(outbox, cast.maple, *wanted, below=message(below), limit=limit) == expected[:limit]
    assert find(outbox, cast.maple, 99) == []
    assert find(outbox, cast.maple, 1, below=message(0)) == []
    assert find(outbox, cast.harbour, 1) == [], "another organisation's index holds nothing of it"
    assert find(outbox, cast.maple, 1, day=DAY + 1) == []


def test_segments_gather_into_few(cast: Any, outbox: Outbox, small: None) -> None:
    for number in range(1, 82):
        add(outbox, cast.maple, {number: {1, 2, number + 10}})
    owner = org_value(outbox.store, cast.maple)
    rows = outbox.store.rows("SELECT level FROM archive_segment WHERE org_id = ? ORDER BY number", (owner,))
    assert [level for (level,) in rows] == [4], "81 commits, three to one each time"
    assert find(outbox, cast.maple, 1, 2) == list(range(81, 0, -1))
    assert find(outbox, cast.maple, 2, 50) == [40]


def test_what_is_removed_is_gone_and_its_neighbours_stay(cast: Any, outbox: Outbox, small: None) -> None:
    held = {number: {1, 2, number % 7 + 10} for number in range(1, 60)}
    for number, tokens in held.items():
        add(outbox, cast.maple, {number: tokens})
    gone = [number for number in held if number % 3 == 0 or number > 40]
    with outbox.store.writing():
        for number in gone:
            entries = [token(t) + message(number) for t in held[number]]
            segments.remove(outbox.store, cast.maple, DAY, entries)
            segments.remove(outbox.store, cast.maple, DAY, entries)
    left = [number for number in sorted(held, reverse=True) if number not in gone]
    assert find(outbox, cast.maple, 1) == left
    assert find(outbox, cast.maple, 1, 2) == left
    for rest in range(7):
        assert find(outbox, cast.maple, 2, rest + 10) == [n for n in left if n % 7 == rest]
    index = b"".join(bytes(entries) for (entries,) in outbox.store.rows("SELECT entries FROM archive_block"))
    assert all(message(number) not in index for number in gone)
    add(outbox, cast.maple, {70: {1}})
    assert find(outbox, cast.maple, 1, limit=1) == [70]


def test_a_large_day_is_merged_a_few_blocks_at_a_time(cast: Any, outbox: Outbox) -> None:
    """What the journal holds at a time does not grow with the day: eight segments of 40,000 entries are 18 MB of
    objects at once, and a day of a million messages was 790 MB."""
    made = [[token(t) + message(t * 8 + n) for t in range(40_000)] for n in range(segments.FAN)]
    for entries in made[:-1]:
        with outbox.store.writing():
            segments.add(outbox.store, cast.maple, DAY, entries)
    tracemalloc.start()
    try:
        with outbox.store.writing():
            segments._merge(outbox.store, org_value(outbox.store, cast.maple), DAY, range(1, segments.FAN), 99, 1)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 12_000_000
    everything = sorted(entry for entries in made[:-1] for entry in entries)
    place = (org_value(outbox.store, cast.maple), DAY)
    with outbox.store.reading(cast.maple):
        assert outbox.store.rows("SELECT number FROM archive_segment WHERE org_id = ? AND day = ?", place) == [(99,)]
        sql = "SELECT entries FROM archive_block WHERE org_id = ? AND day = ? ORDER BY first"
        blocks = [bytes(block) for (block,) in outbox.store.rows(sql, place)]
    assert b"".join(blocks) == b"".join(everything)
    assert {len(block) for block in blocks[:-1]} == {segments.BLOCK * segments.ENTRY}, "and full but for the last"


def test_a_look_into_a_day_is_a_statement_a_token_however_many_segments(
    cast: Any, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        add(outbox, cast.maple, {100 * number + one: {0, 1, number + 10} for one in range(5)})
    asked: list[str] = []
    rows = outbox.store.rows

    def seen(sql: str, parameters: Any = ()) -> Any:
        asked.append(sql)
        return rows(sql, parameters)

    monkeypatch.setattr(outbox.store, "rows", seen)
    assert len(find(outbox, cast.maple, 1)) == 35 and len(asked) == 1
    asked.clear()
    assert find(outbox, cast.maple, 1, 13) == [304, 303, 302, 301, 300] and len(asked) == 2


def test_a_look_goes_by_the_segments_of_a_day_and_not_through_its_blocks(cast: Any, outbox: Outbox) -> None:
    """A day of ten million messages has a thousand blocks, and one segment once it is over."""
    values = (token(1) + bytes(16), org_value(outbox.store, cast.maple), DAY)
    if isinstance(outbox.store, PostgresStore):
        plan = [str(row[0]) for row in outbox.store.rows("EXPLAIN " + segments._AT_EACH_LATERAL, values)]
        (blocks,) = (n for n, step in enumerate(plan) if "on archive_block c" in step)
        assert any("Limit" in step for step in plan[:blocks]), "one block a segment, whatever the tables hold"
        return
    plan = [str(row[3]) for row in outbox.store.rows("EXPLAIN QUERY PLAN " + segments._AT_EACH, values)]
    assert plan[0].startswith("SEARCH s USING PRIMARY KEY (org_id=? AND day=?)")
    assert plan[1].endswith("(org_id=? AND day=? AND number=? AND first=?)")
