"""Complaints and unsubscribes of what was sent, by provider group and day, and which days ask for somebody's eyes.

Gmail and Yahoo want complaints below 0.1 % of what was delivered, and act where they reach 0.3 % (standards 2.4). A
number belongs to the day its message was accepted on. Receivers that report complaints to nobody (Gmail) show none."""

from typing import Final

import msgspec

from carepost.archive import acts, sums
from carepost.archive.store import store
from carepost.archive.tables import org_value
from carepost.audit.store import Store
from carepost.crypto import index
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.pace import providers
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: shares of what was sent: from here on it is watched, and mended at once
WARN, ACT = 0.001, 0.003
#: a day of a provider with fewer messages, or a single complaint, says nothing
ENOUGH, FEWEST = 500, 2
#: days of one answer, and its rows: the newest
MOST_DAYS, MOST_ROWS = 366, 400
_DAY_US: Final = 86_400_000_000
_MEASURES: Final = ("sent", "complaint", "unsubscribed")


class Day(msgspec.Struct, frozen=True):
    """One provider's day. `provider`: id of its group, "" where no known group was reached."""

    day: int
    provider: str
    sent: int = 0
    complaints: int = 0
    unsubscribes: int = 0

    @property
    def rate(self) -> float:
        """Complaints of what was sent, 0..1; 0 where nothing was."""
        return self.complaints / self.sent if self.sent else 0.0

    @property
    def level(self) -> str:
        """ "" (nothing to do, or too little to say), `warn`, `act`."""
        if self.sent < ENOUGH or self.complaints < FEWEST or self.rate <= WARN:
            return ""
        return "act" if self.rate >= ACT else "warn"

    @property
    def date(self) -> str:
        """As 2026-11-21."""
        return clock.rfc3339(self.day * _DAY_US)[:10]

    @property
    def name(self) -> str:
        """Of the group, for people."""
        return providers.find(self.provider or providers.DEFAULT).name


class Days(msgspec.Struct, frozen=True):
    """`rows`: days on which somebody complained or unsubscribed, the newest first; `cut`: there are more. `at`: UTC
    microseconds."""

    since: str
    until: str
    rows: tuple[Day, ...]
    cut: bool
    at: int


def days(org: bytes, actor: Actor, *, since: int, until: int) -> Days:
    """`since`, `until`: UTC microseconds, both days included. Raises NotFound (forbidden), Refused."""
    acts.allowed(org, actor, Permission.SEARCH)
    first, last = index.day_of(since), index.day_of(until)
    if last < first or last - first >= MOST_DAYS:
        raise Refused("time-too-long", f"A report is about {MOST_DAYS} days at most, the earlier first.", status=422)
    found = [one for one in of(store(), org, first, last) if one.complaints or one.unsubscribes]
    names = [clock.rfc3339(day * _DAY_US)[:10] for day in (first, last)]
    return Days(names[0], names[1], tuple(found[:MOST_ROWS]), len(found) > MOST_ROWS, clock.now())


def of(log: Store, org: bytes, first: int, last: int) -> list[Day]:
    """Every day and group of these days (inclusive), the newest first; nothing while a home of before is summed."""
    sql = (
        "SELECT day, provider, measure, number FROM archive_daily WHERE org_id = ? AND day >= ? AND day <= ? "
        "AND measure IN (?, ?, ?)"
    )
    with log.reading(org):
        if sums.since(log, org) > first:
            return []
        rows = log.rows(sql, (org_value(log, org), first, last, *_MEASURES))
    found: dict[tuple[int, str], dict[str, int]] = {}
    for day, provider, measure, number in rows:
        found.setdefault((int(day), str(provider)), {})[str(measure)] = int(number)
    made = [
        Day(day, provider, one.get("sent", 0), one.get("complaint", 0), one.get("unsubscribed", 0))
        for (day, provider), one in found.items()
    ]
    return sorted(made, key=lambda one: (-one.day, -one.complaints, one.provider))
