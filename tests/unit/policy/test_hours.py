"""Hours of the week, in the zone they were written for."""

from datetime import UTC, datetime

import pytest

from carepost.policy.hours import parse

pytestmark = pytest.mark.fast


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("text", "moment", "inside"),
    [
        ("mon-fri 08:00-18:00 UTC", "2026-11-24T08:00", True),
        ("mon-fri 08:00-18:00 UTC", "2026-11-24T18:00", False),
        ("mon-fri 08:00-18:00 UTC", "2026-11-22T12:00", False),
        ("sat-mon 00:00-24:00 UTC", "2026-11-22T23:59", True),
        ("sat-mon 00:00-24:00 UTC", "2026-11-24T00:00", False),
        ("mon,wed 08:00-09:00 UTC", "2026-11-25T08:30", True),
        # over midnight the day counts on which it began
        ("fri 22:00-06:00 UTC", "2026-11-28T05:59", True),
        ("fri 22:00-06:00 UTC", "2026-11-27T05:59", False),
        ("not mon-fri 08:00-18:00 UTC", "2026-11-24T12:00", False),
        # summer and winter time
        ("mon-fri 08:00-18:00 America/New_York", "2026-07-21T12:30", True),
        ("mon-fri 08:00-18:00 America/New_York", "2026-11-24T12:30", False),
    ],
)
def test_hours_hold_where_they_say(text: str, moment: str, inside: bool) -> None:
    assert parse(text).hold(at(moment)) is inside


@pytest.mark.parametrize(
    "text",
    ["", "always", "mon-fri 8:00-18:00 UTC", "xxx 08:00-18:00 UTC", "mon 08:00-08:00 UTC", "mon 08:60-09:00 UTC",
     "mon 08:00-25:00 UTC", "mon 08:00-18:00 Nowhere/None", "mon 08:00-18:00 ../../etc/passwd", "mon-fri 08:00-18:00"],
)  # fmt: skip
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)
