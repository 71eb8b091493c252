"""What is watched, and what came of it, as people may see it. Figures are made of stored verdicts, so that the
account's switch holds for the past too."""

import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from django.db.models import Count, Q, Sum

from carepost.engagement import acts, networks
from carepost.engagement.models import Account, Copy, Hit, Host, Sent, Watch
from carepost.engagement.types import (
    CATEGORIES,
    DEFAULT,
    NEITHER,
    OFF,
    Engaged,
    Fetched,
    Line,
    Report,
    Settings,
    Split,
    Watched,
)
from carepost.ground import ids
from carepost.ground.errors import CarepostError
from carepost.tenancy import scope, sealing
from carepost.tenancy.permissions import Forbidden, Permission, authorise
from carepost.tracking import reasons
from carepost.tracking.types import COUNTED, Ruling, Switch
from carepost.wire.types import Actor

#: days of one report
LONGEST: Final = 400
#: fetches of one message's page
MOST: Final = 200


def settings(org: uuid.UUID) -> Settings:
    with scope.organisation(org):
        rows = {row.category: _watched(row) for row in Watch.objects.filter(org_id=org)}
        hosts = dict(Host.objects.filter(org_id=org).order_by("domain").values_list("domain", "host"))
    watched = tuple(rows.get(category, Watched(category, OFF, OFF, "", 0)) for category in CATEGORIES)
    return Settings(watched, switch(org), hosts, networks.known(org), networks.shared())


def switch(org: uuid.UUID) -> Switch:
    with scope.organisation(org):
        row = Account.objects.filter(org_id=org).first()
    return Switch(row.counts) if row is not None else DEFAULT


def engaged(org: uuid.UUID, asked: Engaged) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(opened, clicked): what a copy must count as, as history has it, by what the account counts; (): whatever."""
    counts = COUNTED[switch(org)]
    if asked in (Engaged.NOT_OPENED, Engaged.NOT_CLICKED):
        values = (NEITHER, *sorted(one.value for one in Ruling if one not in counts))
    else:
        values = tuple(sorted(one.value for one in counts))
    return (values, ()) if asked in (Engaged.OPENED, Engaged.NOT_OPENED) else ((), values)


def _watched(row: Watch) -> Watched:
    try:
        place = sealing.place(*acts.PLACE, row.pk)
        said = sealing.open_(row.org_id, "evidence", bytes(row.attestation), place).decode()
    except CarepostError:
        said = ""
    return Watched(row.category, row.opens, row.clicks, said, row.changed_at)


def access_report(
    org: uuid.UUID, actor: Actor, *, first: int, last: int, category: str = "", counts: Switch | None = None
) -> Report:
    """Days `first` to `last` (since 1970-01-01), at most LONGEST of them. `counts`: None: the account's. Numbers alone,
    of nobody. Raises Forbidden."""
    first = max(first, last - LONGEST + 1)
    by = counts or switch(org)
    with scope.organisation(org):
        _may(actor, org)
        where = Q(org_id=org, day__gte=first, day__lte=last) & (Q(category=category) if category else Q())
        copies = list(
            Copy.objects.filter(where).values_list("day", "category", "opened", "clicked").annotate(Count("id"))
        )
        sent = list(Sent.objects.filter(where).values_list("day", "category", "what").annotate(Sum("count")))
    return _report(by, copies, sent)


def _may(actor: Actor, org: uuid.UUID) -> None:
    """Whoever may list messages, or say what is watched."""
    try:
        authorise(actor, Permission.SEARCH, org)
    except Forbidden:
        authorise(actor, Permission.TRACKING, org)


def _report(by: Switch, copies: list[tuple[int, str, str, str, int]], sent: list[tuple[int, str, str, int]]) -> Report:
    opened: dict[tuple[int, str], dict[str, int]] = {}
    clicked: dict[tuple[int, str], dict[str, int]] = {}
    for day, category, was_opened, was_clicked, count in copies:
        _add(opened, (day, category), was_opened, count)
        _add(clicked, (day, category), was_clicked, count)
    for day, category, what, count in sent:
        _add(opened if what == "opens" else clicked, (day, category), "sent", count)
    keys = sorted({*opened, *clicked}, key=lambda key: (-key[0], key[1]))
    lines = tuple(
        Line(_date(key[0]), key[1], _split(by, opened.get(key, {})), _split(by, clicked.get(key, {}))) for key in keys
    )
    return Report(by.value, lines, _sum(line.opened for line in lines), _sum(line.clicked for line in lines))


def _date(day: int) -> str:
    return str(date(1970, 1, 1) + timedelta(days=day))


def _add(into: dict[tuple[int, str], dict[str, int]], key: tuple[int, str], what: str, count: int) -> None:
    row = into.setdefault(key, {})
    row[what] = row.get(what, 0) + count


def _split(by: Switch, row: dict[str, int]) -> Split:
    counted = sum(row.get(ruling, 0) for ruling in COUNTED[by])
    human, undetermined, automated = (
        row.get(ruling, 0) for ruling in (Ruling.HUMAN, Ruling.UNDETERMINED, Ruling.AUTOMATED)
    )
    return Split(row.get("sent", 0), human, undetermined, automated, counted)


def _sum(splits: Iterable[Split]) -> Split:
    found = list(splits)
    return Split(*(sum(getattr(one, name) for one in found) for name in Split.__struct_fields__))


def access_copies(org: uuid.UUID, actor: Actor, message: bytes) -> dict[str, tuple[Fetched, ...]]:
    """Fetches of a message's copies, by delivery, in order of time. Raises Forbidden."""
    by = switch(org)
    with scope.organisation(org):
        authorise(actor, Permission.READ, org)
        deliveries = list(
            Copy.objects.filter(org_id=org, message=uuid.UUID(bytes=message)).values_list("delivery", flat=True)
        )
        hits = (
            list(Hit.objects.filter(org_id=org, delivery__in=deliveries).order_by("at", "pk")[:MOST])
            if deliveries
            else []
        )
    found: dict[str, list[Fetched]] = {}
    for hit in hits:
        found.setdefault(ids.text(hit.delivery.bytes), []).append(_fetched(hit, by))
    return {delivery: tuple(lines) for delivery, lines in found.items()}


def _fetched(hit: Hit, by: Switch) -> Fetched:
    counted = hit.role != "decoy" and hit.verdict in COUNTED[by]
    words = reasons.words(hit.reason) if hit.reason else ""
    return Fetched(
        hit.kind, hit.role, hit.link, hit.at, hit.last_at, hit.count, hit.verdict, words, hit.confidence, counted
    )  # fmt: skip
