"""One sender domain as pages, API and commands show it: the newest look, the keys, and the rules of the providers."""

import uuid
from collections.abc import Mapping
from typing import Final

import msgspec

from carepost.archive import complaints
from carepost.archive.complaints import Day
from carepost.archive.store import store
from carepost.archive.tables import org_value
from carepost.crypto import index
from carepost.destinations import reports
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.senders import bulk, looking, settings
from carepost.senders.bulk import Evidence, Judged, Volume
from carepost.senders.looking import Look
from carepost.senders.models import Choice
from carepost.senders.types import Key, State
from carepost.tenancy import scope, select
from carepost.tenancy.models import SenderDomain
from carepost.tenancy.permissions import Forbidden, Permission, authorise
from carepost.wire.types import Actor

_DAYS: Final = 30


class Page(msgspec.Struct, frozen=True):
    """`wrong`: records that mail suffers from. `gone_soon`: when the next former key may go; 0: none is kept."""

    row: SenderDomain
    look: Look
    keys: tuple[Key, ...]
    chosen: Choice
    rules: tuple[Judged, ...]
    bulk: Mapping[str, bool | None]

    @property
    def wrong(self) -> int:
        return sum(line.needed and line.state in (State.MISSING, State.DIFFERENT) for line in self.look.lines)

    @property
    def unknown(self) -> int:
        return sum(line.state is State.UNKNOWN for line in self.look.lines)


def page(org: uuid.UUID, actor: Actor, domain: str) -> Page:
    """`domain`: its name or id. Raises NotFound, also for who may not see it."""
    with scope.organisation(org):
        try:
            authorise(actor, Permission.DOMAINS, org)
        except Forbidden:
            raise NotFound from None
    row = settings.domain(org, domain)
    chosen = settings.choice(org, row)
    look = looking.last(org, row)
    told = evidence(org, actor, row, look)
    return Page(
        row, look, settings.keys(row, chosen.keep_days, clock.now()), chosen, bulk.judge(told),
        {provider: bulk.applies(told, provider) for provider in bulk.PROVIDERS},
    )  # fmt: skip


def evidence(org: uuid.UUID, actor: Actor, row: SenderDomain, look: Look) -> Evidence:
    picture = reports.picture(org, actor, row.domain, days=_DAYS)
    portal = next((one.portal_url for one in select.organisations() if one.pk == org), "")
    return Evidence(
        row.domain, look.lines, bool(look.at), portal, picture.messages, picture.good, volumes(org)
    )  # fmt: skip


def volumes(org: uuid.UUID) -> dict[str, Volume] | None:
    """What went to each provider in 30 days, of all the organisation's domains together; None where nothing was sent:
    who did not send is not told that all is well."""
    places, measures = ", ".join("?" * len(bulk.PROVIDERS)), ("sent", "complaint")
    sql = (
        "SELECT day, provider, measure, sum(number) FROM archive_tally WHERE org_id = ? AND day >= ? "  # noqa: S608
        f"AND provider IN ({places}) AND measure IN (?, ?) GROUP BY day, provider, measure"
    )
    history = store()
    with history.reading(org.bytes):
        given = (org_value(history, org.bytes), index.day_of(clock.now()) - _DAYS, *bulk.PROVIDERS, *measures)
        told = [(int(day), str(p), str(m), int(n)) for day, p, m, n in history.rows(sql, given)]
    if not told:
        return None
    days: dict[tuple[int, str], dict[str, int]] = {}
    for day, provider, measure, number in told:
        days.setdefault((day, provider), {})[measure] = number
    worst = {provider: Day(0, provider) for provider in bulk.PROVIDERS}
    for (number_, provider), one in days.items():
        day_ = Day(number_, provider, one.get("sent", 0), one.get("complaint", 0))
        if day_.sent >= complaints.ENOUGH and day_.complaints and day_.rate > worst[provider].rate:
            worst[provider] = day_
    rows = [(provider, measure, number) for _, provider, measure, number in told]
    return {
        provider: Volume(
            max((n for p, m, n in rows if (p, m) == (provider, "sent")), default=0),
            sum(n for p, m, n in rows if (p, m) == (provider, "sent")),
            sum(n for p, m, n in rows if (p, m) == (provider, "complaint")),
            worst[provider].rate,
            worst[provider].date if worst[provider].complaints else "",
        )
        for provider in bulk.PROVIDERS
    }  # fmt: skip
