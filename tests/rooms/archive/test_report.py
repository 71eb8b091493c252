"""How deliveries went: by provider group, domain and day; the log is counted once, however often it comes."""

from typing import Any

import pytest

from carepost.archive import report, tallies
from carepost.ground.errors import NotFound, Refused
from carepost.proof import kinds
from tests.support.noon import DAY, NOON
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def told(cast: Any, by: str, back: int = 30) -> dict[str, report.Row]:
    found = report.of(cast.maple, cast.auditor, since=NOON - back * DAY, until=NOON + DAY, by=by)
    return {row.key: row for row in found.rows} | {"total": found.total}


def test_what_became_of_a_day(cast: Any, outbox: Outbox, at: list[int]) -> None:
    """Events in later batches find out whose delivery it was; what was put off before any server was reached belongs
    to the group the domain's mail goes to."""
    one, (first,) = outbox.accepted(cast.maple, ("jane@patient.test",))
    outbox.deferred(cast.maple, one, first)
    outbox.commit()
    at[0] += 4_000_000
    outbox.sent(cast.maple, one, first, provider="gmail")
    outbox.commit()
    two, (second,) = outbox.accepted(cast.maple, ("joan@patient.test",))
    outbox.failed(cast.maple, two, second, provider="gmail")
    three, (third,) = outbox.accepted(cast.maple, ("ann@family.test",))
    outbox.deposited(cast.maple, three, third, "ann@family.test")
    four, (fourth,) = outbox.accepted(cast.maple, ("bo@family.test",))
    facts = {"state": "failed", "rule": "suppression-list"}
    outbox.add(cast.maple, kinds.DELIVERY_REFUSED, [four, fourth], facts=facts, cause="suppressed", result="refused")
    outbox.accepted(cast.harbour, ("jane@patient.test",))
    outbox.commit()
    at[0] += 2 * DAY
    outbox.add(cast.maple, kinds.DELIVERY_BOUNCED, [one, first], facts={"bounce": "mailbox-full", "state": "failed"})
    outbox.add(cast.maple, kinds.DELIVERY_COMPLAINED, [one, first], cause="abuse")
    outbox.commit()
    rows = told(cast, "provider")
    gmail, other = rows["gmail"], rows[report.OTHER]
    assert gmail.name == "Gmail and Google Workspace"
    assert (gmail.accepted, gmail.sent, gmail.deferrals, gmail.complaints) == (2, 1, 1, 1)
    assert (gmail.failed, gmail.bounced) == ({"mailbox-unknown": 1}, {"mailbox-full": 1})
    assert (gmail.methods, gmail.assurances) == ({"tls": 1}, {"VERIFIED": 1})
    assert 3_700 <= gmail.median_ms == gmail.p95_ms <= 4_300
    assert gmail.bounce_rate == 1.0
    assert (other.accepted, other.deposited, other.suppressed, other.lost) == (2, 1, 1, 0)
    domains = told(cast, "domain")
    assert (domains["patient.test"].accepted, domains["family.test"].deposited) == (2, 1)
    days = told(cast, "day")
    # later news counts on the day the message was accepted
    assert set(days) == {"2026-11-21", "total"}
    assert (days["2026-11-21"].complaints, days["total"].accepted) == (1, 4)
    text = report.table(report.of(cast.maple, cast.auditor, since=NOON, until=NOON)).decode()
    assert text.splitlines()[0].split(",")[:3] == ["key", "name", "accepted"]
    assert "mailbox-full=1" in text


def test_told_again_nothing_counts_twice(cast: Any, outbox: Outbox, at: list[int]) -> None:
    one, (first,) = outbox.accepted(cast.maple, ("jane@patient.test",))
    outbox.sent(cast.maple, one, first)
    again = list(outbox.waiting)
    outbox.commit()
    outbox.waiting = again
    outbox.commit()
    assert (told(cast, "day")["total"].accepted, told(cast, "day")["total"].sent) == (1, 1)


def test_who_may_not_search_is_told_nothing(cast: Any, outbox: Outbox, at: list[int]) -> None:
    outbox.accepted(cast.maple)
    outbox.commit()
    for who in (cast.sender, cast.stranger):
        with pytest.raises(NotFound):
            report.of(cast.maple, who, since=NOON, until=NOON)
    for wrong in ({"since": NOON, "until": NOON - 2 * DAY}, {"since": 0, "until": NOON}):
        with pytest.raises(Refused):
            report.of(cast.maple, cast.auditor, **wrong)
    with pytest.raises(Refused):
        report.of(cast.maple, cast.auditor, since=NOON, until=NOON, by="weekday")


@pytest.mark.parametrize("milliseconds", [1, 7, 250, 4_000, 3_600_000])
def test_a_slot_is_right_to_five_percent(milliseconds: int) -> None:
    assert abs(tallies.milliseconds(tallies.slot(milliseconds)) / milliseconds - 1) < 0.05
