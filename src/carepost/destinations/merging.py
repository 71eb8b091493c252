"""What the engines saw, merged into each organisation's destinations: the journal calls it with what is new.

Taking the same twice changes nothing, so a journal that was killed begins where its mark stands."""

import uuid
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from django.db import transaction

from carepost.destinations import changes
from carepost.destinations.models import Alert, Change, Day, Destination
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.policy.types import Assurance
from carepost.posture import Record, judge
from carepost.posture.types import Day as Counted
from carepost.posture.types import Side
from carepost.proof import kinds
from carepost.tenancy import events, scope
from carepost.tenancy.models import Organisation, Route

WEAKENED: Final = "destination.weakened"
_ACTOR: Final = ("system", "journal")
_DAY_US: Final = 86_400_000_000
#: changes of one destination, and days of counts, that are kept
KEPT, DAYS = 500, 400

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


def count(day: Counted, known: Callable[[str], Record | None]) -> None:
    """An organisation's sessions of one day: its destination is made when it is new, with what is `known` of it."""
    org = uuid.UUID(bytes=day.org)
    with scope.organisation(org), transaction.atomic():
        if not Organisation.objects.filter(pk=org).exists():
            return
        row, made = Destination.objects.get_or_create(org_id=org, domain=day.domain)
        began = day.day * _DAY_US
        if began > row.used_at or made:
            row.used_at = began
            row.save(update_fields=["used_at"])
        if made or began > row.used_at - _DAY_US:
            Day.objects.filter(org_id=org, destination=row, day__lt=day.day - DAYS).delete()
        failed: dict[str, int] = {}
        for counted in day.counts:
            for failure, times in counted.failed:
                failed[failure.result] = failed.get(failure.result, 0) + times
        Day.objects.update_or_create(
            org_id=org,
            destination=row,
            day=day.day,
            part=day.run,
            defaults={"good": sum(c.good for c in day.counts), "failed": _encoder.encode(failed).decode()},
        )
    record = known(day.domain) if made else None
    if record is not None:
        take(record)


def take(record: Record) -> None:
    """What an engine now knows of a domain, into the destination of every organisation that has it."""
    with scope.every("a domain is several organisations' destination"):
        found = Destination.objects.filter(domain=record.domain)
        orgs = list(found.values_list("org_id", flat=True))
    for org in orgs:
        with scope.organisation(org), transaction.atomic():
            row = Destination.objects.select_for_update().filter(org_id=org, domain=record.domain).first()
            if row is not None:
                _merge(row, record)


def state_of(row: Destination) -> Record | None:
    """None: its domain was never met. A state of a later version that cannot be read is as though never met."""
    try:
        return _decoder.decode(row.state) if row.state else None
    except msgspec.DecodeError:
        return None


def _merge(row: Destination, record: Record) -> None:
    now = clock.now()
    before = state_of(row)
    after = msgspec.structs.replace(record, sides=_sides(row, before, record))
    if before == after:
        return
    found = changes.between(before, after, now)
    row.state = _encoder.encode(after).decode()
    best = changes.best(after)
    row.assurance = None if best is None else best.value
    row.weakened = judge.weakened(after, now)
    ends = changes.ends_at(after)
    if ends != row.ends_at:
        row.ends_at, row.warned = ends, Destination._meta.get_field("warned").default
    if found:
        row.changed_at = now
    row.save()
    for number, one in enumerate(found):
        # a microsecond apart: they are shown in this order
        Change.objects.create(
            org_id=row.org_id, destination=row, at=now + number, kind=one.kind, host=one.host,
            old=one.old, new=one.new, weaker=one.weaker,
        )  # fmt: skip
    weaker = sorted({one.kind for one in found if one.weaker})
    if weaker:
        warn(row, "weakened", " ".join(weaker), WEAKENED)
    _trim(row)


def _sides(row: Destination, before: Record | None, record: Record) -> tuple[Side, ...]:
    """Of each host the newest sight; of pinned hosts only this organisation's own."""
    route = Route.objects.filter(org_id=row.org_id, domain=row.domain, removed_at=0).first()
    own = route.host.rstrip(".").lower() if route is not None else ""
    named = {*record.hosts, *record.moved_hosts}
    kept: dict[tuple[str, bool], Side] = {}
    for side in (*(before.sides if before is not None else ()), *record.sides):
        wanted = side.host == own if side.pinned else side.host in named
        newer = kept.get((side.host, side.pinned))
        if wanted and (newer is None or side.at >= newer.at):
            kept[side.host, side.pinned] = side
    return tuple(kept.values())


def warn(row: Destination, kind: str, what: str, event: str, facts: dict[str, str] | None = None) -> Alert:
    """The alert and its event, inside the transaction of what they are about."""
    alert = Alert.objects.create(org_id=row.org_id, destination=row, at=clock.now(), kind=kind, what=what[:120])
    draft, openings = kinds.make(
        event,
        id=events.new_id(),
        org=str(row.org_id),
        at=alert.at,
        actor=_ACTOR,
        on=[str(row.pk)],
        facts={"domain": row.domain, "what": what, **(facts or {})},
        cause=what.partition(" ")[0],
    )
    events.append(draft, openings)
    return alert


def _trim(row: Destination) -> None:
    old = list(Change.objects.filter(org_id=row.org_id, destination=row).order_by("-at").values_list("pk")[KEPT:])
    if old:
        Change.objects.filter(org_id=row.org_id, pk__in=[pk for (pk,) in old]).delete()


def destination(org: uuid.UUID, row: uuid.UUID) -> Destination:
    """Raises NotFound, also for another organisation's."""
    found = Destination.objects.filter(org_id=org, pk=row).first()
    if found is None:
        raise NotFound("There is no such destination.")
    return found


def standing(row: Destination) -> str:
    """good | weak | none | unknown: how a list marks it."""
    if row.assurance is None:
        return "unknown"
    if row.weakened:
        return "weak"
    return "good" if row.assurance >= Assurance.VERIFIED else "none"


def counted(days: Iterable[Day]) -> tuple[int, dict[str, int]]:
    """(sessions that were in order, failed ones by type)."""
    good = 0
    failed: dict[str, int] = {}
    for day in days:
        good += day.good
        for result, times in msgspec.json.decode(day.failed, type=dict[str, int]).items():
            failed[result] = failed.get(result, 0) + times
    return good, failed
