"""Reports as the API writes them."""

import msgspec

from carepost.archive import complaints
from carepost.archive import report as reports


class ReportRow(msgspec.Struct, frozen=True):
    """One provider group, domain or day (`key`). `failed`, `bounced`: reason -> deliveries; `methods`, `assurances`: of
    what was sent or deposited; `deferrals`: attempts put off; rates from 0 to 1. Times in milliseconds from acceptance
    here to acceptance there, right to about 5 %; 0 where nothing was sent."""

    key: str
    name: str
    accepted: int
    sent: int
    deposited: int
    deferrals: int
    suppressed: int
    complaints: int
    failed: dict[str, int]
    bounced: dict[str, int]
    bounce_rate: float
    complaint_rate: float
    methods: dict[str, int]
    assurances: dict[str, int]
    median_ms: int
    p95_ms: int
    unsubscribes: int = 0


class DeliveryReport(msgspec.Struct, frozen=True):
    """A message counts on the day it was accepted. `cut`: there are more rows. `at`: UTC microseconds."""

    by: str
    since: str
    until: str
    rows: tuple[ReportRow, ...]
    total: ReportRow
    cut: bool
    at: int


def report(found: reports.Report) -> DeliveryReport:
    rows = tuple(map(_row, found.rows))
    return DeliveryReport(found.by, found.since, found.until, rows, _row(found.total), found.cut, found.at)


def _row(row: reports.Row) -> ReportRow:
    return ReportRow(
        row.key, row.name, row.accepted, row.sent, row.deposited, row.deferrals, row.suppressed, row.complaints,
        row.failed, row.bounced, round(row.bounce_rate, 4), round(row.complaint_rate, 4), row.methods, row.assurances,
        row.median_ms, row.p95_ms, row.unsubscribes,
    )  # fmt: skip


class ComplaintDay(msgspec.Struct, frozen=True):
    """One provider group's day (as 2026-11-21, of acceptance). `rate`: complaints of what was sent, 0 to 1. `level`: ""
    (nothing to do, or fewer than 500 messages), `warn` above 0.1 %, `act` from 0.3 %."""

    day: str
    provider: str
    name: str
    sent: int
    complaints: int
    unsubscribes: int
    rate: float
    level: str


class ComplaintReport(msgspec.Struct, frozen=True):
    """Days on which somebody complained or unsubscribed, the newest first. `cut`: there are more. `at`: UTC
    microseconds."""

    since: str
    until: str
    rows: tuple[ComplaintDay, ...]
    cut: bool
    at: int


def complaint_days(found: complaints.Days) -> ComplaintReport:
    rows = tuple(
        ComplaintDay(
            one.date, one.provider, one.name, one.sent, one.complaints, one.unsubscribes, round(one.rate, 5), one.level
        )
        for one in found.rows
    )  # fmt: skip
    return ComplaintReport(found.since, found.until, rows, found.cut, found.at)
