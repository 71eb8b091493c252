"""The warm-up plan as a table (deliverability.md §4)."""

import pytest

from carepost.pace.warmup import Day, cap

pytestmark = pytest.mark.fast


def test_the_days_of_a_plan_without_trouble() -> None:
    days: list[Day] = []
    for today in range(100, 116):
        now = cap(days, today, usual=5000)
        days.append(Day(today, now, delivered=now))
    assert [day.cap for day in days] == [50, 70, 98, 137, 191, 267, 373, 522, 730, 1021, 1429, 2000, 2800, 3919, 0, 0]


FULL = Day(10, 1000, delivered=1000)
CASES = [
    ("first day", [], 50),
    ("grows by 1.4", [FULL], 1400),
    ("never over 1.5 of what was delivered", [Day(10, 1000, delivered=400)], 600),
    ("a day with little mail does not throw it back below the first", [Day(10, 50, delivered=3)], 70),
    ("deferred over a tenth: stays", [Day(10, 1000, delivered=880, deferred=120)], 1000),
    ("deferred a tenth: grows", [Day(10, 1000, delivered=900, deferred=100)], 1350),
    ("hard bounces over 3 %: stays", [Day(10, 1000, delivered=960, hard=40)], 1000),
    ("complaints over 0.1 %: stays", [Day(10, 1000, delivered=1000, complained=2)], 1000),
    ("deferred over a quarter: half", [Day(10, 1000, delivered=700, deferred=300)], 500),
    ("a named reply: half", [Day(10, 1000, delivered=1000, named=True)], 500),
    ("never below the first", [Day(10, 60, delivered=60, named=True)], 50),
    ("nine attempts say nothing", [Day(10, 100, delivered=5, deferred=4)], 75),
    ("warmed: no limit", [Day(10, 0, delivered=9)], 0),
    ("thirty days without mail: again from the first", [Day(-21, 0, delivered=9)], 50),
]


@pytest.mark.parametrize(("days", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_may_go_today(days: list[Day], expected: int) -> None:
    assert cap(days, 11) == expected
