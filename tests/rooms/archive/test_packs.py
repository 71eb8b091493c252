"""Sums by domain over months, packed: whatever was packed when, and however late something was counted, a page by
domain says what the rows it is made of say."""

import random
from typing import Any

import pytest

from carepost.archive import packing, packs, report, summing, sums, tallies
from carepost.archive.tables import org_value
from carepost.crypto import index
from carepost.ground import clock
from tests.support.noon import DAY, NOON
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])

MEASURES = ("accepted", "accepted", "sent", "deferral", "bounced:mailbox-full", "complaint", "took:90", "method:tls")
DAYS = 150


def batches(org: bytes, seed: int) -> list[dict[bytes, tallies.Count]]:
    """Of 150 days, some of them without mail; most is of late, and what is older is counted late."""
    chance, found = random.Random(seed), []
    for number in range(60):
        batch: dict[bytes, tallies.Count] = {}
        for _ in range(chance.randrange(1, 12)):
            back = min(DAYS - 1, int(chance.expovariate(0.03))) if chance.random() < 0.8 else number % 7
            moment = (NOON - back * DAY) // 1000 << 16 | 0x7000
            delivery = (moment << 64 | 1 << 63 | chance.getrandbits(62)).to_bytes(16, "big")
            domain, group = f"d{chance.randrange(12)}.test", chance.choice(["gmail", ""])
            batch[delivery] = tallies.Count(
                org, delivery, domain, group, chance.choices(MEASURES, k=chance.randrange(1, 4))
            )
        found.append(batch)
    return found


def counted(store: Any, some: list[dict[bytes, tallies.Count]], keep: sums.Sums) -> None:
    for batch in some:
        with store.writing():
            tallies.write(store, None, batch, keep)  # type: ignore[arg-type]  # every domain is known: no book is opened


def expected(store: Any, org: bytes, first: int, last: int, most: int) -> packs.Sums:
    sql = "SELECT domain, measure, number FROM archive_tally WHERE org_id = ? AND day >= ? AND day <= ?"
    all_: packs.Sums = {}
    for domain, measure, number in store.rows(sql, (org_value(store, org), first, last)):
        counts = all_.setdefault(domain, {})
        counts[measure] = counts.get(measure, 0) + int(number)
    order = sorted(all_, key=lambda domain: (-all_[domain].get("accepted", 0), domain))
    return {domain: all_[domain] for domain in order[:most]}


def finish(work: packing.Packing) -> None:
    for _ in range(500):
        if not work.step():
            return
    raise AssertionError("it never ends")


def windows(seed: int) -> list[tuple[int, int]]:
    chance, today = random.Random(seed), index.day_of(NOON)
    ends = [(today - n, today) for n in (0, 6, 29, 89, DAYS)]
    for _ in range(12):
        first = today - chance.randrange(DAYS)
        ends.append((first, first + chance.randrange(DAYS)))
    return ends


def agrees(store: Any, org: bytes, seed: int) -> None:
    for first, last in windows(seed):
        with store.reading(org):
            found = packs.largest(store, org, first, last, 7)
        whole = expected(store, org, first, last, 7)
        assert found == whole and list(found) == list(whole), (first, last)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_packed_when_a_page_says_the_same(
    cast: Any, outbox: Outbox, at: list[int], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a few days a step
    monkeypatch.setattr(packing, "ROWS", 10)
    store, keep = outbox.store, sums.Sums()
    some = batches(cast.maple, seed)
    counted(store, some[:10], keep)
    for part in range(1, 6):
        work = packing.Packing(store)
        for _ in range(part):
            work.step()
        agrees(store, cast.maple, seed + part)
        counted(store, some[part * 10 : part * 10 + 10], keep)
        agrees(store, cast.maple, seed + part)
    finish(packing.Packing(store))
    agrees(store, cast.maple, seed)
    own = org_value(store, cast.maple)
    assert not store.rows("SELECT 1 FROM archive_late WHERE org_id = ?", (own,))
    levels = {int(level) for (level,) in store.rows("SELECT level FROM archive_pack WHERE org_id = ?", (own,))}
    assert levels == {0, 1, 2, 3}
    # today is not over
    assert packs.packed(store, own) <= index.day_of(clock.now())


def test_a_day_moves_on_and_the_day_that_was_today_is_packed(cast: Any, outbox: Outbox, at: list[int]) -> None:
    store, keep = outbox.store, sums.Sums()
    counted(store, batches(cast.maple, 5), keep)
    finish(packing.Packing(store))
    before = packs.packed(store, org_value(store, cast.maple))
    at[0] += DAY
    finish(packing.Packing(store))
    assert packs.packed(store, org_value(store, cast.maple)) == index.day_of(NOON) + 1 > before
    agrees(store, cast.maple, 5)


def test_the_report_by_domain_reads_them_and_says_what_it_said(cast: Any, outbox: Outbox, at: list[int]) -> None:
    store, keep = outbox.store, sums.Sums()
    counted(store, batches(cast.maple, 3), keep)

    def told() -> Any:
        found = report.of(cast.maple, cast.auditor, since=NOON - DAYS * DAY, until=NOON, by="domain")
        return found.rows, found.total

    before = told()
    finish(packing.Packing(store))
    assert told() == before
    with store.writing():
        store.rows("DELETE FROM archive_pack")
    assert told() != before


def test_what_an_earlier_version_counted_beside_us_is_packed_anew(cast: Any, outbox: Outbox, at: list[int]) -> None:
    store, keep = outbox.store, sums.Sums()
    counted(store, batches(cast.maple, 9), keep)
    finish(packing.Packing(store))
    row = (org_value(store, cast.maple), index.day_of(NOON) - 20, "d1.test", "gmail", "sent", 7)
    with store.writing():
        store.many(
            "INSERT INTO archive_tally (org_id, day, domain, provider, measure, number) VALUES (?, ?, ?, ?, ?, ?)"
            "ON CONFLICT (org_id, day, domain, provider, measure) DO UPDATE SET number = archive_tally.number + 7",
            [row],
        )
    work = summing.Summing(store)
    for _ in range(200):
        if not work.step():
            break
    assert packs.packed(store, org_value(store, cast.maple)) == 0
    finish(packing.Packing(store))
    agrees(store, cast.maple, 9)


def test_organisations_are_packed_apart(cast: Any, outbox: Outbox, at: list[int]) -> None:
    store, keep = outbox.store, sums.Sums()
    for org, seed in ((cast.maple, 1), (cast.harbour, 2)):
        counted(store, batches(org, seed), keep)
    finish(packing.Packing(store))
    for org in (cast.maple, cast.harbour):
        agrees(store, org, 4)


@pytest.mark.parametrize("first", [0, 3, 17, 64, 4_000])
def test_pieces_cover_each_day_once(first: int) -> None:
    for length in range(0, 200, 7):
        days = [day for level, start in packs.cover(first, first + length)
                for day in range(start, start + packs.SIZES[level])]  # fmt: skip
        assert days == list(range(first, first + length))
        assert len(list(packs.cover(first, first + length))) <= 22
