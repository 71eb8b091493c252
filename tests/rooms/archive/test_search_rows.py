"""Search by what stands in rows: state, method, provider group, assurance, category; pages of bounded work."""

from typing import Any

import pytest
from django.db import connections

from carepost.archive import narrowing
from carepost.archive import search as searching
from carepost.archive.search import Wanted, search
from carepost.ground import ids
from tests.support.noon import DAY, NOON
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def found(cast: Any, **wanted: Any) -> list[str]:
    return [m.id for m in search(cast.maple, cast.operator, Wanted(**wanted)).messages]


def whole(cast: Any, wanted: Wanted, limit: int = 3) -> tuple[list[str], list[int]]:
    """(every page's messages in order, how far back each page came)."""
    seen: list[str] = []
    back: list[int] = []
    cursor = ""
    for _ in range(200):
        page = search(cast.maple, cast.operator, wanted, after=cursor, limit=limit)
        seen += [m.id for m in page.messages]
        back.append(page.back_to)
        cursor = page.cursor
        if not cursor:
            return seen, back
    raise AssertionError("the pages do not end")


def test_every_dimension_alone_and_together(cast: Any, outbox: Outbox, at: list[int]) -> None:
    one, (first, second) = outbox.accepted(cast.maple, ("jane@patient.test", "joan@family.test"), tags=("mri",))
    outbox.sent(cast.maple, one, first, provider="google")
    outbox.failed(cast.maple, one, second, provider="yahoo")
    at[0] += 1_000_000
    two, (other,) = outbox.accepted(cast.maple, ("jane@patient.test",))
    outbox.sent(cast.maple, two, other, method="smime")
    at[0] += 1_000_000
    three, (third,) = outbox.accepted(cast.maple, ("ann@portal.test",))
    outbox.deposited(cast.maple, three, third, "ann@portal.test")
    outbox.commit()
    a, b, c = (ids.text(m) for m in (one, two, three))
    for wanted, expected in (
        ({"provider": "google"}, [a]), ({"provider": "yahoo"}, [a]), ({"provider": "apple"}, []),
        ({"method": "smime"}, [b]), ({"method": "portal"}, [c]), ({"method": "tls"}, [a]),
        ({"assurance": "MAILBOX"}, [c]), ({"assurance": "VERIFIED"}, [b, a]),
        ({"category": "transactional"}, [c, b, a]), ({"category": "marketing"}, []),
        ({"domain": "patient.test"}, [b, a]), ({"domain": "@Family.TEST"}, [a]),
        ({"domain": "patient.test", "state": "sent", "provider": "google"}, [a]),
        # all that is said of a recipient must fit one and the same
        ({"domain": "patient.test", "state": "failed"}, []), ({"provider": "google", "state": "failed"}, []),
        ({"domain": "family.test", "state": "failed", "provider": "yahoo", "tag": "mri"}, [a]),
        ({"recipient": "jane@patient.test", "method": "smime", "category": "transactional"}, [b]),
        ({"state": "failed", "provider": "yahoo", "method": "tls", "category": "transactional"}, [a]),
    ):  # fmt: skip
        assert found(cast, **wanted) == expected, wanted  # type: ignore[arg-type]
    (line,) = search(cast.maple, cast.operator, Wanted(state="failed")).messages
    assert sorted(d.provider for d in line.deliveries) == ["google", "yahoo"]


def test_windows_meet_without_gap_or_repeat(
    cast: Any, outbox: Outbox, at: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page ends after its windows and says how far back it came; the next goes on there. A message with more
    recipients than a window is looked at whole."""
    monkeypatch.setattr(narrowing, "WINDOW", 4)
    monkeypatch.setattr(narrowing, "WINDOWS", 2)
    expected = []
    for number in range(30):
        at[0] += 60_000_000
        people = [f"p{n}@patient.test" for n in range(7 if number == 11 else 1)]
        message, deliveries = outbox.accepted(cast.maple, people)
        if number % 9 == 2:
            outbox.sent(cast.maple, message, deliveries[-1], provider="google")
            outbox.failed(cast.maple, message, deliveries[-1], provider="google")
            expected.insert(0, ids.text(message))
    outbox.commit()
    seen, back = whole(cast, Wanted(assurance="VERIFIED", method="tls"))
    assert seen == expected
    assert len(back) > 2
    assert all(back[:-1])
    assert back[:-1] == sorted(back[:-1], reverse=True)
    assert back[-1] == 0
    for wanted in (
        Wanted(state="failed", provider="google"),
        Wanted(state="failed", category="transactional"),
        Wanted(state="failed", domain="patient.test"),
    ):
        assert whole(cast, wanted)[0] == expected, wanted
    assert whole(cast, Wanted(state="failed", category="marketing"))[0] == []


def test_a_page_of_the_index_is_bounded_too(
    cast: Any, outbox: Outbox, at: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Months of days, and a word every message has: whatever the page came to, the next finds the rest."""
    expected = []
    failed = []
    for back in range(40, 0, -1):
        at[0] = NOON - back * DAY
        for number in range(3):
            at[0] += 1_000_000
            message, (delivery,) = outbox.accepted(cast.maple, ("jane@patient.test",))
            expected.insert(0, ids.text(message))
            if back % 7 == number == 1:
                outbox.failed(cast.maple, message, delivery)
                failed.insert(0, ids.text(message))
    at[0] = NOON
    outbox.commit()
    monkeypatch.setattr(searching, "LOOKS", 6)
    monkeypatch.setattr(searching, "OPENED", 5)
    seen, back_to = whole(cast, Wanted(subject="panel"), limit=10)
    assert seen == expected
    assert any(back_to)
    assert whole(cast, Wanted(subject="panel", state="failed"))[0] == failed
    seen, back_to = whole(cast, Wanted(recipient="nobody@patient.test"))
    assert seen == []
    assert back_to[0] >= NOON - 10 * DAY
    assert len(back_to) < 50


@pytest.mark.parametrize("messages", [1, 2, 100])
def test_hits_are_narrowed_by_their_own_rows_however_few(cast: Any, outbox: Outbox, messages: int) -> None:
    """Not by a walk through all of an organisation's rows in another index, which SQLite preferred for one hit."""
    if connections["records"].vendor != "sqlite":
        pytest.skip("SQLite's planner; PostgreSQL's has statistics")
    asked: list[tuple[str, Any]] = []

    class Watched:
        reading = outbox.store.reading

        def rows(self, sql: str, values: Any = ()) -> list[Any]:
            asked.append((sql, values))
            return []

    hits = [n.to_bytes(16, "big") for n in range(messages)]
    for wanted in (Wanted(state="deferred"), Wanted(provider="yahoo", method="tls"), Wanted(category="marketing")):
        narrowing.fitting(Watched(), cast.maple, wanted, hits)  # type: ignore[arg-type]
    assert len(asked) == 3
    for sql, values in asked:
        plan = [row[3] for row in outbox.store.rows("EXPLAIN QUERY PLAN " + sql, values)]
        assert all("(org_id=? AND message=?)" in line or "(org_id=? AND id=?)" in line for line in plan), plan


@pytest.mark.skipif("connections['records'].vendor != 'sqlite'", reason="how SQLite says what it reads")
@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(state="failed"), Wanted(state="failed", provider="yahoo"), Wanted(state="deferred", method="smime"),
        Wanted(content=("phi-high", "phi-likely")), Wanted(content=("phi-high",), state="failed", provider="google"),
        Wanted(opened=("no",), method="tls"), Wanted(clicked=("human",), assurance="VERIFIED", content=("none",)),
    ],
    ids=["state", "state-group", "state-method", "content", "content-state-group", "opened-method", "clicked-content"],
)  # fmt: skip
def test_a_window_reads_the_index_alone(cast: Any, outbox: Outbox, wanted: Wanted) -> None:
    """A row of the table is a page of the file of its own: 2,500 of them take two seconds at ten million."""
    asked: list[tuple[str, Any]] = []

    class Watching(type(outbox.store)):  # type: ignore[misc]
        def rows(self, sql: str, parameters: Any = ()) -> Any:
            asked.append((sql, parameters))
            return super().rows(sql, parameters)

    wrapper = connections["records"]
    wrapper.ensure_connection()
    narrowing.walk(Watching(wrapper.connection), cast.maple, wanted, b"\xff" * 16, bytes(16), 50)
    assert asked
    for sql, parameters in asked:
        plan = [row[3] for row in outbox.store.rows(f"EXPLAIN QUERY PLAN {sql}", parameters)]
        searched = [step for step in plan if step.startswith("SEARCH d USING") or "archive_delivery" in step]
        assert searched and all("COVERING INDEX" in step for step in searched), plan
