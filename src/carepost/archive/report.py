"""How deliveries went, by provider group, by the recipient's domain, or by day: sums of `archive.tallies`.

A number belongs to the day its message was accepted on, so that later days may still change an earlier one. Times are
read from slots 9 % wide: a median or 95th percentile is right to about 5 %."""

import csv
import io
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from carepost.archive import acts, packs, sums, tallies
from carepost.archive.store import store
from carepost.archive.tables import org_value
from carepost.audit.store import PostgresStore, Store
from carepost.crypto import index
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.pace import providers
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

BY: Final = ("provider", "domain", "day")
#: days of one report
MOST_DAYS: Final = 366
#: rows of one report: of domains those with most mail
MOST_ROWS: Final = 500
#: where no mail server was reached, or none of a known group
OTHER: Final = ""
_DAY_US: Final = 86_400_000_000
#: days that are not packed, and are still read one by one: today, and what the clock did not come to
_LOOSE: Final = 3


class Row(msgspec.Struct):
    """One provider group, domain or day. `failed`, `bounced`: reason -> deliveries (rfc.bounces.MEANINGS, or the code
    of a refusal here); `methods`, `assurances`: of what was sent or deposited. `median_ms`, `p95_ms`: from acceptance
    here to acceptance there, waits included; 0 where nothing was sent."""

    #: id of the group, domain, or day as 2026-11-21
    key: str
    #: for people
    name: str
    accepted: int = 0
    sent: int = 0
    deposited: int = 0
    #: attempts put off
    deferrals: int = 0
    suppressed: int = 0
    complaints: int = 0
    #: recipients who followed the link in a message
    unsubscribes: int = 0
    failed: dict[str, int] = {}
    bounced: dict[str, int] = {}
    methods: dict[str, int] = {}
    assurances: dict[str, int] = {}
    median_ms: int = 0
    p95_ms: int = 0

    @property
    def lost(self) -> int:
        """Failed for good, at once or later."""
        return sum(self.failed.values()) + sum(self.bounced.values())

    @property
    def bounce_rate(self) -> float:
        """Of what was sent or refused, 0..1: how much came back."""
        tried = self.sent + sum(self.failed.values())
        return self.lost / tried if tried else 0.0

    @property
    def complaint_rate(self) -> float:
        return self.complaints / self.sent if self.sent else 0.0

    @property
    def unsubscribe_rate(self) -> float:
        return self.unsubscribes / self.sent if self.sent else 0.0


class Report(msgspec.Struct, frozen=True):
    """`since`, `until`: first and last day, as 2026-11-21. `cut`: there are more rows than are told. `at`: when it was
    computed, UTC microseconds."""

    by: str
    since: str
    until: str
    rows: tuple[Row, ...]
    total: Row
    cut: bool
    at: int


def of(org: bytes, actor: Actor, *, since: int, until: int, by: str = "provider") -> Report:
    """`since`, `until`: UTC microseconds, both days included. Raises NotFound (forbidden), Refused."""
    acts.allowed(org, actor, Permission.SEARCH)
    if by not in BY:
        raise Refused("bad-by", f"A report is by {', '.join(BY)}.", status=422)
    first, last = index.day_of(since), index.day_of(until)
    if last < first or last - first >= MOST_DAYS:
        raise Refused("time-too-long", f"A report is about {MOST_DAYS} days at most, the earlier first.", status=422)
    log = store()
    with log.reading(org):
        # the sums by group answer for groups and days; until a home has them all, those by domain do
        summed = sums.since(log, org) <= first
        when = (org_value(log, org), first, last)
        total = _total(log.rows(_SUMS.format("measure", _DAILY if summed else _TALLY, "measure"), when))
        if by == "domain":
            # days that are over are packed; a home that has not packed them yet adds up the sums by domain and day
            unpacked = last + 1 - max(first, packs.packed(log, when[0]))
            rows = _packed(log, org, first, last) if unpacked <= _LOOSE else _domains(log, when)
        elif summed:
            found = log.rows(_SUMS.format(f"{by}, measure", _DAILY, f"{by}, measure"), when)
            rows = _summed((str(key), str(m), int(n)) for key, m, n in found)
        elif by == "day":
            found = log.rows(_SUMS.format("day, measure", _TALLY, "day, measure"), when)
            rows = _summed((str(key), str(m), int(n)) for key, m, n in found)
        else:
            found = log.rows(_SUMS.format("domain, provider, measure", _TALLY, "domain, provider, measure"), when)
            rows = _summed(_by_group([(str(d), str(p), str(m), int(n)) for d, p, m, n in found]))
    for row in rows:
        row.key = _day_name(row.key) if by == "day" else row.key
        row.name = {"provider": _group_name(row.key), "day": row.key}.get(by) or row.key or "(not known)"
    rows.sort(key=(lambda row: row.key) if by == "day" else (lambda row: (-row.accepted, row.key)))
    return Report(
        by, _day_name(first), _day_name(last), tuple(rows[:MOST_ROWS]), total, len(rows) > MOST_ROWS, clock.now()
    )  # fmt: skip


_TALLY, _DAILY = "archive_tally", "archive_daily"
_SUMS: Final = "SELECT {}, sum(number) FROM {} WHERE org_id = ? AND day >= ? AND day <= ? GROUP BY {}"
#: the domains with most mail: what else is counted is read of these alone
_MOST: Final = (
    "SELECT domain, sum(CASE WHEN measure = 'accepted' THEN number ELSE 0 END) AS taken FROM archive_tally "
    "WHERE org_id = ? AND day >= ? AND day <= ? GROUP BY domain ORDER BY taken DESC, domain COLLATE {} LIMIT ?"
)


def _total(found: Iterable[tuple[Any, ...]]) -> Row:
    rows = _summed(("", str(measure), int(number)) for measure, number in found)
    total = rows[0] if rows else Row("", "")
    total.name = "All"
    return total


def _packed(log: Store, org: bytes, first: int, last: int) -> list[Row]:
    found = packs.largest(log, org, first, last, MOST_ROWS + 1)
    return _summed((domain, measure, n) for domain, counts in found.items() for measure, n in counts.items())


def _domains(log: Store, when: tuple[object, ...]) -> list[Row]:
    # as Python orders text, whatever the database's own order is
    binary = '"C"' if isinstance(log, PostgresStore) else "BINARY"
    most = [str(domain) for domain, _ in log.rows(_MOST.format(binary), (*when, MOST_ROWS + 1))]
    if not most:
        return []
    sql = (
        "SELECT domain, measure, sum(number) FROM archive_tally WHERE org_id = ? AND day >= ? AND day <= ? "  # noqa: S608
        f"AND domain IN ({', '.join('?' * len(most))}) GROUP BY domain, measure"
    )
    return _summed((str(domain), str(m), int(n)) for domain, m, n in log.rows(sql, (*when, *most)))


COLUMNS: Final = (
    "key", "name", "accepted", "sent", "deposited", "deferrals", "suppressed", "failed", "bounced", "complaints",
    "bounce_rate", "complaint_rate", "median_ms", "p95_ms", "failed_reasons", "bounced_reasons", "methods",
    "assurances", "unsubscribes",
)  # fmt: skip


def table(report: Report) -> bytes:
    """CSV (RFC 4180), the total last."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for row in (*report.rows, report.total):
        rows.writerow([
            row.key, row.name, row.accepted, row.sent, row.deposited, row.deferrals, row.suppressed,
            sum(row.failed.values()), sum(row.bounced.values()), row.complaints, f"{row.bounce_rate:.4f}",
            f"{row.complaint_rate:.4f}", row.median_ms, row.p95_ms, *map(_pairs, (row.failed, row.bounced)),
            *map(_pairs, (row.methods, row.assurances)), row.unsubscribes,
        ])  # fmt: skip
    return out.getvalue().encode()


def _pairs(counts: dict[str, int]) -> str:
    return " ".join(f"{name}={number}" for name, number in sorted(counts.items()))


def _by_group(found: list[tuple[str, str, str, int]]) -> Iterable[tuple[str, str, int]]:
    """What happened before any server was reached belongs to the group the domain's mail went to otherwise."""
    usual: dict[str, tuple[int, str]] = {}
    for domain, provider, _, number in found:
        if provider:
            usual[domain] = max(usual.get(domain, (0, "")), (number, provider))
    for domain, provider, measure, number in found:
        yield provider or usual.get(domain, (0, OTHER))[1], measure, number


def _summed(found: Iterable[tuple[str, str, int]]) -> list[Row]:
    rows: dict[str, Row] = {}
    took: dict[str, dict[int, int]] = {}
    for key, measure, number in found:
        row = rows.get(key)
        if row is None:
            row = rows[key] = Row(key, "")
        word, _, detail = measure.partition(":")
        if word == "took":
            slots = took.setdefault(key, {})
            slots[int(detail)] = slots.get(int(detail), 0) + number
        elif detail:
            counts = {"failed": row.failed, "bounced": row.bounced, "method": row.methods}.get(word, row.assurances)
            counts[detail] = counts.get(detail, 0) + number
        else:
            field = {"deferral": "deferrals", "complaint": "complaints", "unsubscribed": "unsubscribes"}.get(word, word)
            if field in _COUNTED:
                setattr(row, field, getattr(row, field) + number)
    for key, slots in took.items():
        rows[key].median_ms, rows[key].p95_ms = _percentile(slots, 0.5), _percentile(slots, 0.95)
    return list(rows.values())


_COUNTED: Final = frozenset({"accepted", "sent", "deposited", "deferrals", "suppressed", "complaints", "unsubscribes"})


def _percentile(slots: dict[int, int], share: float) -> int:
    wanted, seen = sum(slots.values()) * share, 0
    for slot in sorted(slots):
        seen += slots[slot]
        if seen >= wanted:
            return round(tallies.milliseconds(slot))
    return 0


def _group_name(key: str) -> str:
    return providers.find(key).name if key else providers.find(providers.DEFAULT).name


def _day_name(day: int | str) -> str:
    return clock.rfc3339(int(day) * _DAY_US)[:10]
