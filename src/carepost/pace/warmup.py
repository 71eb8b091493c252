"""A new sending address is believed little at first: what it may send to one provider in a day, and when that grows.

50 messages on the first day, 1.4 times as many on each day after one without trouble, never over 1.5 times of what was
delivered the day before, until the level that is usual for the organisation. Pure. Days: since 1970, UTC."""

from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.pace import providers

FIRST: Final = 50
GROWTH: Final = 1.4
#: of what was delivered the day before
AT_MOST: Final = 1.5
#: shares of a day's attempts that are trouble: it stays as it is, or goes back to half
DEFERRED, HARD, COMPLAINED = 0.10, 0.03, 0.001
DEFERRED_BADLY: Final = 0.25
#: days without mail after which it begins again
IDLE: Final = 30
#: attempts below which a share says nothing
ENOUGH: Final = 10


def group(provider: str) -> str:
    """Whose plan counts: a provider with a name, else all the others together."""
    return provider if providers.named(provider) else providers.DEFAULT


class Day(msgspec.Struct, frozen=True):
    """What one address did at one provider on one day."""

    day: int
    cap: int
    delivered: int = 0
    deferred: int = 0
    hard: int = 0
    complained: int = 0
    #: a provider named our rate or reputation (4.7.28, TSS04, S3150)
    named: bool = False

    @property
    def attempted(self) -> int:
        return self.delivered + self.deferred + self.hard


def troubled(day: Day) -> bool:
    many = day.attempted >= ENOUGH
    return day.named or (
        many
        and (
            day.deferred > DEFERRED * day.attempted
            or day.hard > HARD * day.attempted
            or day.complained > COMPLAINED * day.attempted
        )
    )


def badly(day: Day) -> bool:
    return day.named or (day.attempted >= ENOUGH and day.deferred > DEFERRED_BADLY * day.attempted)


def cap(days: Sequence[Day], today: int, *, first: int = FIRST, usual: int = 0) -> int:
    """What may go today; 0: no limit any more. `days`: those before today on which something went, oldest first.
    `usual`: the day's level at which the plan ends; 0: it never ends by itself."""
    if not days or today - days[-1].day > IDLE:
        return first
    last = days[-1]
    if last.cap == 0:
        return 0
    if badly(last):
        return max(first, last.cap // 2)
    if troubled(last):
        return last.cap
    grown = min(int(last.cap * GROWTH), int(max(last.delivered, first) * AT_MOST))
    grown = max(grown, min(last.cap, first))
    if usual and grown >= usual and last.cap * GROWTH >= usual:
        return 0
    return max(first, grown)
