"""Who sends as us, and who could not reach us: the reports of other systems, kept a while and added up.

A report whose sender nobody proved is kept and shown, and never counted: whoever knows the address can write one."""

import uuid
from collections.abc import Iterable
from typing import Final

import msgspec
from django.db import IntegrityError, transaction

from carepost.destinations.models import Report
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.rfc.reports import Failure, Row
from carepost.tenancy import scope
from carepost.tenancy.permissions import Forbidden, Permission, authorise
from carepost.wire.reports import Received
from carepost.wire.types import Actor

DAY_US: Final = 86_400_000_000
#: how long a report is kept, and how many of one domain
KEPT_US: Final = 400 * DAY_US
MOST: Final = 5_000
#: reports added up for one page
_LOOKED_AT: Final = 1_000


class Rows(msgspec.Struct, frozen=True):
    rows: tuple[Row, ...] = ()
    failures: tuple[Failure, ...] = ()


class Source(msgspec.Struct, frozen=True):
    """One address that sent in the name of a domain. `good`: of its messages those that DMARC proved."""

    address: str
    messages: int
    good: int
    #: domains whose signatures or envelopes it used
    names: tuple[str, ...]
    #: what receivers did with those that failed: none | quarantine | reject, the strongest
    done: str
    reporters: tuple[str, ...]
    #: UTC microseconds: end of the newest report
    last: int

    @property
    def bad(self) -> int:
        return self.messages - self.good


class Trouble(msgspec.Struct, frozen=True):
    """One kind of failed connection to one of our hosts."""

    kind: str
    host: str
    sessions: int


class Picture(msgspec.Struct, frozen=True):
    """What the proved reports of a span say of one domain. Counts are of messages, and of TLS sessions."""

    domain: str
    since: int
    dmarc: int
    messages: int
    good: int
    unlisted: int
    sources: tuple[Source, ...]
    asks: str
    tls: int
    sessions: int
    failed: int
    troubles: tuple[Trouble, ...]
    #: reports nobody proved: not counted
    unproved: int
    newest: int
    #: more reports than were added up
    cut: bool = False

    @property
    def bad(self) -> int:
        return self.messages - self.good


def keep(org: bytes, event: bytes, received: Received) -> bool:
    """The journal's: once however often it is called. False: it was there before."""
    owner, report = uuid.UUID(bytes=org), received.report
    with scope.organisation(owner), transaction.atomic():
        mine = Report.objects.filter(org_id=owner)
        if mine.filter(event=uuid.UUID(bytes=event)).exists():
            return False
        try:
            with transaction.atomic():
                Report.objects.create(
                    org_id=owner, event=uuid.UUID(bytes=event), kind=report.kind, domain=report.domain,
                    reporter=report.reporter, number=report.number, proved=received.proved, begins=report.begins,
                    ends=report.ends, good=report.good, bad=report.bad, more=report.more, policy=report.policy,
                    rows=msgspec.json.encode(Rows(report.rows, report.failures)).decode(),
                )  # fmt: skip
        except IntegrityError:
            # the reporter sent the same report again
            return False
        mine.filter(received_at__lt=clock.now() - KEPT_US).delete()
        same = mine.filter(domain=report.domain).order_by("-received_at")
        for old in same.values_list("pk", flat=True)[MOST : MOST + 100]:
            mine.filter(pk=old).delete()
    return True


def picture(org: uuid.UUID, actor: Actor, domain: str, *, days: int = 30) -> Picture:
    """Raises NotFound when `actor` may not see it. Domains above and below `domain` count where reports name them."""
    with scope.organisation(org):
        try:
            authorise(actor, Permission.DOMAINS, org)
        except Forbidden:
            raise NotFound from None
        since = clock.now() - days * DAY_US
        wanted = Report.objects.filter(org_id=org, domain=domain, ends__gte=since).order_by("-ends")
        rows = list(wanted[: _LOOKED_AT + 1])
    cut = len(rows) > _LOOKED_AT
    rows = rows[:_LOOKED_AT]
    proved = [row for row in rows if row.proved]
    dmarc, tls = [r for r in proved if r.kind == "dmarc"], [r for r in proved if r.kind == "tls"]
    return Picture(
        domain, since, len(dmarc), sum(r.good + r.bad for r in dmarc), sum(r.good for r in dmarc),
        sum(r.more for r in dmarc), _sources(dmarc), next((r.policy for r in dmarc if r.policy), ""),
        len(tls), sum(r.good + r.bad for r in tls), sum(r.bad for r in tls), _troubles(tls),
        len(rows) - len(proved), rows[0].ends if rows else 0, cut,
    )  # fmt: skip


_DONE: Final = {"": 0, "none": 1, "pass": 1, "quarantine": 2, "reject": 3}


def _sources(reports: Iterable[Report]) -> tuple[Source, ...]:
    """The most suspicious first: by messages that failed, then by all."""
    found: dict[str, Source] = {}
    for report in reports:
        for row in _rows(report).rows:
            before = found.get(row.source) or Source(row.source, 0, 0, (), "", (), 0)
            done = "" if row.aligned else row.disposition
            found[row.source] = Source(
                row.source,
                before.messages + row.count,
                before.good + (row.count if row.aligned else 0),
                tuple(dict.fromkeys((*before.names, *(n for n in (*row.signed, row.sent) if n))))[:6],
                max(before.done, done, key=lambda word: _DONE.get(word, 0)),
                tuple(dict.fromkeys((*before.reporters, report.reporter)))[:6],
                max(before.last, report.ends),
            )
    return tuple(sorted(found.values(), key=lambda s: (-s.bad, -s.messages, s.address))[:200])


def _troubles(reports: Iterable[Report]) -> tuple[Trouble, ...]:
    found: dict[tuple[str, str], int] = {}
    for report in reports:
        for failure in _rows(report).failures:
            place = (failure.kind, failure.mx)
            found[place] = found.get(place, 0) + failure.count
    return tuple(sorted((Trouble(k, h, n) for (k, h), n in found.items()), key=lambda t: -t.sessions)[:50])


def _rows(report: Report) -> Rows:
    try:
        return msgspec.json.decode(report.rows, type=Rows) if report.rows else Rows()
    except msgspec.MsgspecError:
        return Rows()
