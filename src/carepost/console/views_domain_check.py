"""One of our own domains: what DNS says beside what it should say, and what large mailbox providers ask for.

DNS is asked when a person presses a button; the page shows the newest look, also the one by the clock."""

from typing import Final
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from carepost.console.guard import shielded
from carepost.ground import clock
from carepost.mailbox import door
from carepost.senders import bulk, history, looking, reading, settings
from carepost.senders.bulk import Judged, Met
from carepost.senders.reading import Page
from carepost.senders.types import Line, State
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission

_WORDS: Final = {
    State.RIGHT: ("good", "Right"), State.MISSING: ("bad", "Missing"), State.DIFFERENT: ("bad", "Different"),
    State.UNKNOWN: ("plain", "Not known now"),
}  # fmt: skip
_MET: Final = {
    Met.MET: ("good", "Met"),
    Met.NOT: ("bad", "Not met"),
    Met.UNKNOWN: ("plain", "Cannot be known from here"),
}


class Shown(msgspec.Struct, frozen=True):
    """A line as people see it. `same`: since when it is so, UTC microseconds."""

    line: Line
    title: str
    tone: str
    word: str
    same: int


class RuleShown(msgspec.Struct, frozen=True):
    rule: Judged
    tone: str
    word: str


class Week(msgspec.Struct, frozen=True):
    """`tone`, `word`: how its records stood on its worst day."""

    told: history.Day
    tone: str
    word: str


class Provider(msgspec.Struct, frozen=True):
    name: str
    source: str
    applies: bool | None
    rules: tuple[RuleShown, ...]
    met: int


@require_safe
@permission(Permission.DOMAINS)
@shielded
def records(request: StaffRequest, row: UUID) -> HttpResponse:
    page = reading.page(request.desk.org, request.desk.actor, str(row))
    lines = [_shown(page, line) for line in page.look.lines]
    context = {
        "page": page,
        "wrong": [one for one in lines if _suffers(one.line)],
        "others": [one for one in lines if not _suffers(one.line)],
        "now": clock.now(),
    }
    return render(request, "console/domain-check.html", context)


@require_POST
@permission(Permission.DOMAINS)
@shielded
def check(request: StaffRequest, row: UUID) -> HttpResponse:
    """Raises NotFound for another organisation's; what no engine answers is not known."""
    domain = settings.domain(request.desk.org, str(row))
    looking.look(request.desk.org, domain, door.client().ask, actor=request.desk.actor)
    return redirect("console:domain-records", row)


@require_safe
@permission(Permission.DOMAINS)
@shielded
def rules(request: StaffRequest, row: UUID) -> HttpResponse:
    page = reading.page(request.desk.org, request.desk.actor, str(row))
    providers = []
    for provider, name in bulk.PROVIDERS.items():
        mine = tuple(RuleShown(rule, *_MET[rule.state]) for rule in page.rules if rule.provider == provider)
        met = sum(one.rule.state is Met.MET for one in mine)
        providers.append(Provider(name, bulk.SOURCES[provider], page.bulk[provider], mine, met))
    return render(request, "console/domain-rules.html", {"page": page, "providers": providers, "many": bulk.BULK})


@require_safe
@permission(Permission.DOMAINS)
@shielded
def over_time(request: StaffRequest, row: UUID) -> HttpResponse:
    """Week by week how its records stood and what others reported, and what changed."""
    found = history.history(request.desk.org, request.desk.actor, str(row))
    weeks = [Week(one, *_stood(one)) for one in history.weeks(found.days)]
    context = {"row": found.row, "weeks": weeks, "entries": found.changes, "more": found.more, "now": clock.now()}
    return render(request, "console/domain-history.html", context | {"kept": history.KEPT_DAYS})


def _stood(week: history.Day) -> tuple[str, str]:
    if not week.looked:
        return "plain", "Not looked at"
    if week.wrong:
        return "bad", f"{week.wrong} not right"
    return ("plain", f"{week.unknown} not known") if week.unknown else ("good", "Right")


def _shown(page: Page, line: Line) -> Shown:
    tone, word = _WORDS[line.state]
    if line.right and line.todo:
        tone, word = "wait", "Right, with advice"
    elif not line.needed and not line.right and line.state is not State.UNKNOWN:
        tone, word = "wait", "Missing" if line.state is State.MISSING else "Different"
    if line.code == "not-set":
        word = "Not set"
    elif line.code == "no-name":
        word = "Name this system first"
    known = page.look.known.get(line.place)
    same = known.at if known is not None and known.state == line.state.value else 0
    return Shown(line, history.TITLES[line.part], tone, word, same)


def _suffers(line: Line) -> bool:
    return line.needed and line.state in (State.MISSING, State.DIFFERENT)
