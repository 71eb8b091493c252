"""Days sifted at once: no day with a message that fits is missing, and what the index of a day does not hold is not
looked for there again."""

import itertools
import random
from typing import Any

import pytest

from carepost.archive import joining, search, segments, sifting
from carepost.archive.tables import org_value
from carepost.audit.store import PostgresStore
from carepost.ground import ids
from tests.rooms.archive.test_index_key import found
from tests.rooms.archive.test_segments import TOP, message, small, token
from tests.support.noon import DAY, NOON
from tests.support.outbox import Outbox

__all__ = ["small"]
pytestmark = pytest.mark.django_db(databases=["default", "records"])
DAYS = range(20_000, 20_012)


def sifted(outbox: Outbox, org: bytes, asked: Any, below: bytes = TOP) -> set[int]:
    with outbox.store.reading(org):
        return sifting.sift(outbox.store, org, [(day, asked) for day in DAYS], below)


def test_no_day_that_holds_it_is_missing_and_none_that_cannot_is_looked_into(
    cast: Any, outbox: Outbox, small: None
) -> None:
    chance, numbers = random.Random(5), itertools.count(1)
    held: dict[int, dict[int, set[int]]] = {day: {} for day in DAYS}
    for day in DAYS:
        for _ in range(chance.randrange(6)):
            part = {next(numbers): {chance.randrange(60) for _ in range(5)} for _ in range(chance.randrange(1, 5))}
            with outbox.store.writing():
                entries = [token(t) + message(m) for m, tokens in part.items() for t in tokens]
                segments.add(outbox.store, cast.maple, day, entries)
            held[day] |= part
    # some are gone again: the blocks they began still say that they begin there
    for day in DAYS:
        for number in list(held[day])[::3]:
            with outbox.store.writing():
                gone = [token(t) + message(number) for t in held[day].pop(number)]
                segments.remove(outbox.store, cast.maple, day, gone)
    fewest = 0
    for _ in range(80):
        questions = [{chance.randrange(60) for _ in range(chance.randrange(1, 3))} for _ in range(2)]
        below = message(chance.randrange(1, next(numbers)))
        there = {
            day for day in DAYS for m, tokens in held[day].items()
            if message(m) < below and any(tokens >= one for one in questions)
        }  # fmt: skip
        asked = [[token(t) for t in one] for one in questions]
        days = sifted(outbox, cast.maple, asked, below)
        assert there <= days
        fewest += len(days) < len(DAYS) // 2
    assert fewest > 40 or not isinstance(outbox.store, PostgresStore)
    assert not sifted(outbox, cast.maple, [[token(99)]]) or not isinstance(outbox.store, PostgresStore)


def test_another_organisations_index_and_segments_in_the_making_are_not_asked(
    cast: Any, outbox: Outbox, small: None
) -> None:
    with outbox.store.writing():
        segments.add(outbox.store, cast.maple, DAYS[0], [token(1) + message(1)])
    if not isinstance(outbox.store, PostgresStore):
        return
    assert sifted(outbox, cast.maple, [[token(1)]]) == {DAYS[0]}
    assert sifted(outbox, cast.harbour, [[token(1)]]) == set()
    for level in (joining.MAKING, joining.GOING):
        with outbox.store.writing():
            place = (level, org_value(outbox.store, cast.maple))
            outbox.store.rows("UPDATE archive_segment SET level = ? WHERE org_id = ?", place)
        assert sifted(outbox, cast.maple, [[token(1)]]) == set()


def test_a_page_over_many_days_asks_for_them_together(
    cast: Any, outbox: Outbox, at: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    at[0] = NOON - 40 * DAY
    rare = [ids.text(outbox.accepted(cast.maple, tags=("rare",))[0])]
    for day in range(40):
        at[0] = NOON - (39 - day) * DAY
        outbox.accepted(cast.maple, tags=("often",))
        if day == 20:
            rare.insert(0, ids.text(outbox.accepted(cast.maple, tags=("rare",))[0]))
    outbox.commit()
    calls: list[int] = []
    looked: list[int] = []
    sift, hits = sifting.sift, search._hits

    def counting(log: Any, org: bytes, days: Any, below: bytes) -> set[int]:
        calls.append(len(days))
        return sift(log, org, days, below)

    def seen(log: Any, org: bytes, one: Any, *rest: Any) -> list[bytes]:
        looked.append(one.day)
        return hits(log, org, one, *rest)

    monkeypatch.setattr(sifting, "sift", counting)
    monkeypatch.setattr(search, "_hits", seen)
    assert found(cast, tag="rare") == rare
    assert calls == [4, 16, 19], (
        "few at first, then more at once; a day alone at first, and after one that had something"
    )
    assert len(looked) == (4 if isinstance(outbox.store, PostgresStore) else 41)
