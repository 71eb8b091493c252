"""Destinations as people see them: one organisation's own, by domain; nothing of a person stands in them."""

import uuid
from typing import Any, Final

import msgspec
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from carepost.destinations import merging, words
from carepost.destinations.changes import ends_at
from carepost.destinations.models import Alert, Change, Destination
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.policy.types import Assurance
from carepost.posture import Record, judge
from carepost.posture.types import Side
from carepost.tenancy import select
from carepost.tenancy.actions import routes
from carepost.tenancy.models import Route

#: rows of a list, entries of a history
LISTED: Final = 200
SHOWN: Final = 100
#: days that failures are counted over
COUNTED_DAYS: Final = 30
_DAY_US: Final = 86_400_000_000


class Line(msgspec.Struct, frozen=True):
    id: uuid.UUID
    domain: str
    mark: words.Mark
    #: UTC microseconds, 0: none
    ends_at: int
    ends_soon: bool
    changed_at: int
    used_at: int
    alerts: int
    pinned: bool
    #: name of policy.types.Assurance; "": not met
    assurance: str
    #: posture.judge.weakened, now
    weakened: str


class Listing(msgspec.Struct, frozen=True):
    lines: tuple[Line, ...]
    #: all that fit, of which `lines` are the first
    total: int
    alerts: int


class Batch(msgspec.Struct, frozen=True):
    lines: tuple[Line, ...]
    #: the last row, where more follow
    cursor: uuid.UUID | None


class Entry(msgspec.Struct, frozen=True):
    at: int
    heading: str
    text: str
    #: good | bad | plain
    tone: str


class Host(msgspec.Struct, frozen=True):
    side: Side
    words: str
    good: bool
    ends_soon: bool


class Pin(msgspec.Struct, frozen=True):
    domain: str
    host: str
    port: int
    #: PEM, "": the system's
    ca: str
    keys: tuple[str, ...]
    else_hold: bool
    reason: str
    at: int


class Page(msgspec.Struct, frozen=True):
    line: Line
    record: Record | None
    policy: str
    hosts: tuple[Host, ...]
    entries: tuple[Entry, ...]
    more: bool
    #: sessions in order, and (what happened, how many) of the others, over COUNTED_DAYS
    good: int
    failed: tuple[tuple[str, int], ...]
    alerts: tuple[Entry, ...]
    pin: Pin | None


def listing(org: uuid.UUID, search: str = "", *, attention: bool = False) -> Listing:
    """Those with open alerts first, then by domain. `search`: part of a domain."""
    rows = _counted(org, attention)
    if search:
        rows = rows.filter(domain__contains=search.strip().lower())
    pinned = {route.domain for route in select.routes(org)}
    found = [_line(row, row.open_alerts, pinned) for row in rows.order_by("-open_alerts", "domain")[:LISTED]]
    return Listing(tuple(found), rows.count(), open_count(org))


def paged(org: uuid.UUID, after: uuid.UUID | None, limit: int, *, attention: bool = False) -> Batch:
    """By domain, `limit` at a time. `after`: a `cursor`. Raises NotFound for one that is not this organisation's."""
    rows = _counted(org, attention).order_by("domain")
    if after is not None:
        last = Destination.objects.filter(org_id=org, pk=after).values_list("domain", flat=True).first()
        if last is None:
            raise NotFound("There is no such page.")
        rows = rows.filter(domain__gt=last)
    pinned = {route.domain for route in select.routes(org)}
    found = [_line(row, row.open_alerts, pinned) for row in rows[: limit + 1]]
    return Batch(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)


def pins(org: uuid.UUID) -> list[Pin]:
    """Every pinned next hop, by domain, met or not."""
    return sorted((pin(route) for route in select.routes(org)), key=lambda one: one.domain)


def _counted(org: uuid.UUID, attention: bool) -> QuerySet[Any]:
    """With `open_alerts`."""
    # a query of its own: PostgreSQL groups by the whole primary key, which Django does not know of (tenancy.postgres)
    alerts = Alert.objects.filter(org_id=org, destination=OuterRef("pk"), seen_at=0).order_by().values("destination")
    counted = Subquery(alerts.annotate(count=Count("pk")).values("count"))
    rows = Destination.objects.filter(org_id=org).annotate(open_alerts=Coalesce(counted, 0))
    return rows.filter(open_alerts__gt=0) if attention else rows


def open_count(org: uuid.UUID) -> int:
    """Destinations somebody should look at."""
    return Alert.objects.filter(org_id=org, seen_at=0).values("destination").distinct().count()


def page(org: uuid.UUID, row: uuid.UUID) -> Page:
    """Raises NotFound, also for another organisation's."""
    found = merging.destination(org, row)
    record = merging.state_of(found)
    now = clock.now()
    changes = list(Change.objects.filter(org_id=org, destination=found).order_by("-at", "-pk")[: SHOWN + 1])
    good, failed = merging.counted(found.days.filter(org_id=org, day__gt=now // _DAY_US - COUNTED_DAYS))
    alerts = list(Alert.objects.filter(org_id=org, destination=found, seen_at=0).order_by("-at")[:SHOWN])
    route = next((one for one in select.routes(org) if one.domain == found.domain), None)
    policy = record.policy if record is not None else None
    sides = record.sides if record is not None else ()
    return Page(
        line=_line(found, len(alerts), {found.domain} if route is not None else set()),
        record=record,
        policy=policy.text.decode("utf-8", "replace") if policy is not None and policy.expires > now else "",
        hosts=tuple(_host(side, record, now) for side in sides if record is not None),
        entries=tuple(_entry(change) for change in changes[:SHOWN]),
        more=len(changes) > SHOWN,
        good=good,
        failed=tuple(sorted(((words.RESULTS.get(kind, kind), times) for kind, times in failed.items()))),
        alerts=tuple(_alert(alert) for alert in alerts),
        pin=pin(route) if route is not None else None,
    )


def by_domain(org: uuid.UUID, domain: str) -> uuid.UUID:
    """Raises NotFound."""
    row = Destination.objects.filter(org_id=org, domain=domain).values_list("pk", flat=True).first()
    if row is None:
        raise NotFound("There is no such destination.")
    return row


def _line(row: Destination, alerts: int, pinned: set[str]) -> Line:
    state = merging.state_of(row) if row.weakened else None
    # judged now: a destination that moved is believed again after a day, whether or not anything was sent there
    weakened = judge.weakened(state, clock.now()) if state is not None else ""
    soon = bool(row.ends_at) and row.ends_at - clock.now() <= 30 * _DAY_US
    mark = words.mark(row.assurance, weakened)
    proved = "" if row.assurance is None else Assurance(row.assurance).name
    return Line(
        row.pk, row.domain, mark, row.ends_at, soon, row.changed_at, row.used_at, alerts, row.domain in pinned, proved,
        weakened,
    )  # fmt: skip


def _host(side: Side, record: Record, now: int) -> Host:
    alone = msgspec.structs.replace(record, sides=(side,))
    ends = ends_at(alone)
    return Host(side, words.side(side), not side.fault, bool(ends) and ends - now <= 30 * _DAY_US)


def _entry(change: Change) -> Entry:
    text = words.sentence(change.kind, change.host, change.old, change.new)
    return Entry(change.at, words.heading(change.kind), text, "bad" if change.weaker else "plain")


def _alert(alert: Alert) -> Entry:
    if alert.kind == "weakened":
        said = "; ".join(words.heading(kind) for kind in alert.what.split())
        return Entry(alert.at, "Weaker", f"It can prove less than before: {said}.", "bad")
    days = int(alert.what) if alert.what.isdecimal() else 0
    text = "A certificate had ended." if not days else f"A certificate ended in {days} day{'' if days == 1 else 's'}."
    return Entry(alert.at, "Ends soon", text, "wait")


def pin(route: Route) -> Pin:
    keys = tuple(route.pins.split())
    return Pin(
        route.domain,
        route.host,
        route.port,
        route.ca,
        keys,
        bool(route.otherwise),
        routes.reason_of(route),
        route.created_at,
    )
