"""Hours of the week in a rule's own time zone: "mon-fri 08:00-18:00 America/New_York", "not sat 00:00-24:00 UTC"."""

import functools
import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TEXT: Final = re.compile(
    r"(?P<inverse>not )?(?P<days>[a-z,-]{3,40}) (?P<h1>\d\d):(?P<m1>\d\d)-(?P<h2>\d\d):(?P<m2>\d\d)"
    r" (?P<zone>[\w/+-]{1,60})"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Hours(msgspec.Struct, frozen=True):
    #: 0 is Monday
    days: frozenset[int]
    #: minutes of the day: from the first up to before the second; 24:00 is 1440
    start: int
    end: int
    zone: str
    inverse: bool = False

    def hold(self, at: int) -> bool:
        """Whether this moment (UTC microseconds) lies within. Over midnight: the day counts on which it began."""
        local = (_EPOCH + timedelta(microseconds=at)).astimezone(_zone(self.zone))
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            inside = day in self.days and self.start <= minute < self.end
        else:
            inside = (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)
        return inside is not self.inverse


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Hours:
    """Raises ValueError for another form, an unknown day or an unknown zone."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError("hours are written like: mon-fri 08:00-18:00 America/New_York")
    start, end = _minute(found["h1"], found["m1"]), _minute(found["h2"], found["m2"])
    if start == end:
        raise ValueError("the hours begin and end at the same minute")
    _zone(found["zone"])
    return Hours(_days(found["days"]), start, end, found["zone"], bool(found["inverse"]))


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError("days are written mon, tue, wed, thu, fri, sat, sun")
        at, until = DAYS.index(first), DAYS.index(last or first)
        days.update((at + i) % 7 for i in range((until - at) % 7 + 1))
    return frozenset(days)


def _minute(hour: str, minute: str) -> int:
    found = int(hour) * 60 + int(minute)
    if int(minute) > 59 or found > 1440:
        raise ValueError("times are written 00:00 to 24:00")
    return found


@functools.lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ValueError("this time zone is not known") from None
