"""Sums of days by provider group: the same truth as the sums by domain, however it came, and for homes of before."""

import random
from typing import Any

import pytest

from carepost.archive import report, summing, sums, tallies
from carepost.archive.tables import org_value
from carepost.crypto import index
from carepost.ground import clock
from tests.support.noon import DAY, NOON
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])

GROUPS = ("gmail", "microsoft", "x.example")
MEASURES = ("accepted", "sent", "deferral", "failed:mailbox-full", "complaint", "unsubscribed", "took:90", "method:tls")


def made_at(at: int, chance: random.Random) -> bytes:
    return ((at // 1000 << 16 | 0x7000) << 64 | 1 << 63 | chance.getrandbits(62)).to_bytes(16, "big")


def batches(org: bytes, seed: int, *, moving: bool) -> list[dict[bytes, tallies.Count]]:
    """Of twelve days. A domain is seen without a group, with its own, or (`moving`) with any; days come in disorder."""
    chance = random.Random(seed)
    own = {f"d{number}.test": chance.choice([*GROUPS, ""]) for number in range(8)}
    found = []
    for _ in range(30):
        batch: dict[bytes, tallies.Count] = {}
        for _ in range(chance.randrange(1, 9)):
            delivery = made_at(NOON - chance.randrange(12) * DAY, chance)
            domain = chance.choice([*own, ""])
            group = chance.choice([*GROUPS, ""]) if moving else chance.choice([own.get(domain, ""), ""])
            measures = chance.choices(MEASURES, k=chance.randrange(1, 4))
            batch[delivery] = tallies.Count(org, delivery, domain, group, measures)
        found.append(batch)
    return found


def tallied(store: Any, org: bytes) -> list[tuple[int, str, str, str, int]]:
    sql = "SELECT day, domain, provider, measure, number FROM archive_tally WHERE org_id = ?"
    return [(int(a), b, c, d, int(n)) for a, b, c, d, n in store.rows(sql, (org_value(store, org),))]


def expected(store: Any, org: bytes) -> dict[tuple[int, str, str], int]:
    """What the sums must be, of the rows by domain and in plain words: the group first seen on the latest day."""
    rows = tallied(store, org)
    first: dict[str, dict[str, int]] = {}
    for day, domain, provider, _, _ in rows:
        if domain and provider:
            first.setdefault(domain, {})[provider] = min(day, first.get(domain, {}).get(provider, day))
    last = {domain: max((day, provider) for provider, day in seen.items())[1] for domain, seen in first.items()}
    found: dict[tuple[int, str, str], int] = {}
    for day, domain, provider, measure, number in rows:
        key = (day, provider or last.get(domain, ""), measure)
        found[key] = found.get(key, 0) + number
    return found


def daily(store: Any, org: bytes) -> dict[tuple[int, str, str], int]:
    sql = "SELECT day, provider, measure, number FROM archive_daily WHERE org_id = ? AND number <> 0"
    return {(int(a), b, c): int(n) for a, b, c, n in store.rows(sql, (org_value(store, org),))}


def wipe(store: Any) -> None:
    for table in ("archive_daily", "archive_domain", "archive_summed"):
        store.rows(f"DELETE FROM {table}")


def told(cast: Any, by: str) -> Any:
    found = report.of(cast.maple, cast.auditor, since=NOON - 11 * DAY, until=NOON, by=by)
    return found.rows, found.total


def counted(store: Any, org: bytes, some: list[dict[bytes, tallies.Count]], keep: sums.Sums) -> None:
    for batch in some:
        with store.writing():
            tallies.write(store, None, batch, keep)  # type: ignore[arg-type]  # every domain is known: no book is opened


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("moving", [False, True], ids=["settled", "moving"])
def test_sums_are_a_function_of_the_rows_by_domain(
    cast: Any, outbox: Outbox, at: list[int], seed: int, moving: bool
) -> None:
    store = outbox.store
    counted(store, cast.maple, batches(cast.maple, seed, moving=moving), sums.Sums())
    assert daily(store, cast.maple) == expected(store, cast.maple)
    kept = {by: told(cast, by) for by in report.BY}
    wipe(store)
    before = {by: told(cast, by) for by in report.BY}
    # by provider the old way chose the group with most mail: the same wherever a domain has one group
    assert all(kept[by] == before[by] for by in report.BY if by != "provider" or not moving)
    assert kept["provider"][1] == before["provider"][1]


@pytest.mark.parametrize("seed", range(3))
def test_a_home_of_before_is_summed_by_the_clock_while_mail_goes_on(
    cast: Any, outbox: Outbox, at: list[int], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summing, "DAYS", 2)
    store = outbox.store
    some = batches(cast.maple, seed, moving=True)
    counted(store, cast.maple, some[:15], sums.Sums())
    wipe(store)
    keep, rest, steps = sums.Sums(), iter(some[15:]), 0
    while (batch := next(rest, None)) is not None:
        counted(store, cast.maple, [batch], keep)
        if steps % 5 == 4:
            # ended and started again: it goes on where it was
            work = summing.Summing(store)
        elif not steps:
            work = summing.Summing(store)
            assert not daily(store, cast.maple) and sums.since(store, cast.maple) == sums.NEVER
        work.step()
        steps += 1
    while work.step():
        steps += 1
        assert steps < 100
    assert sums.since(store, cast.maple) == 0
    assert daily(store, cast.maple) == expected(store, cast.maple)


def test_what_an_earlier_version_counted_beside_us_is_found_and_summed(
    cast: Any, outbox: Outbox, at: list[int]
) -> None:
    store = outbox.store
    counted(store, cast.maple, batches(cast.maple, 9, moving=True), sums.Sums())
    row = (org_value(store, cast.maple), index.day_of(NOON), "new.test", "gmail", "sent", 7)
    store.many(
        "INSERT INTO archive_tally (org_id, day, domain, provider, measure, number) VALUES (?, ?, ?, ?, ?, ?)", [row]
    )
    assert daily(store, cast.maple) != expected(store, cast.maple)
    work = summing.Summing(store)
    steps = 0
    while work.step():
        steps += 1
        assert steps < 100
    assert daily(store, cast.maple) == expected(store, cast.maple)


def test_what_did_not_reach_its_commit_is_not_remembered(
    cast: Any, outbox: Outbox, at: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, keep = outbox.store, sums.Sums()
    delivery = made_at(clock.now(), random.Random(1))
    first = {delivery: tallies.Count(cast.maple, delivery, "d.test", "", ["accepted"])}
    sent = {delivery: tallies.Count(cast.maple, delivery, "d.test", "gmail", ["sent"])}
    counted(store, cast.maple, [first], keep)
    monkeypatch.setattr(tallies, "_ADD", "INSERT INTO no_such_table VALUES (?, ?, ?, ?, ?, ?)")
    with pytest.raises(Exception, match="no_such_table"):
        counted(store, cast.maple, [sent], keep)
    monkeypatch.undo()
    counted(store, cast.maple, [sent], keep)
    assert daily(store, cast.maple) == expected(store, cast.maple)
    assert {(group, measure) for _, group, measure in daily(store, cast.maple)} == {
        ("gmail", "accepted"), ("gmail", "sent"),
    }  # fmt: skip


def test_organisations_are_summed_apart(cast: Any, outbox: Outbox, at: list[int]) -> None:
    store, keep = outbox.store, sums.Sums()
    for org, seed in ((cast.maple, 1), (cast.harbour, 2), (cast.maple, 3)):
        counted(store, org, batches(org, seed, moving=True), keep)
    for org in (cast.maple, cast.harbour):
        assert daily(store, org) == expected(store, org)
