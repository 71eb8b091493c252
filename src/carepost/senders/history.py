"""The history of a sender domain: how its records stood day by day, what was reported about it, and what changed.

What other systems reported counts on the day a report begins; only proved reports count."""

import datetime
import uuid
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from carepost.destinations.models import Report
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.senders import settings
from carepost.senders.changes import Turn, values
from carepost.senders.models import Change, Standing
from carepost.senders.types import Line, Part, State
from carepost.tenancy import scope
from carepost.tenancy.models import DkimKey, SenderDomain
from carepost.tenancy.permissions import Forbidden, Permission, authorise
from carepost.wire.types import Actor

DAY_US: Final = 86_400_000_000
#: how long days and changes are kept; the log keeps its events longer
KEPT_DAYS: Final = 400
#: changes of one answer
SHOWN: Final = 100
#: days of one answer
DAYS: Final = 84
MOST_DAYS: Final = 366
_EPOCH: Final = datetime.date(1970, 1, 1).toordinal()

TITLES: Final = {
    Part.SPF: "Who may send (SPF)", Part.DKIM: "Our signature (DKIM)", Part.DMARC: "What receivers should do (DMARC)",
    Part.DMARC_REPORTS: "Reports to another domain (DMARC)", Part.RETURN_MX: "Where bounces come back to",
    Part.RETURN_SPF: "Who may send with the return path (SPF)", Part.TRACKING: "Where links lead over",
    Part.MX: "Where answers go (MX)", Part.REVERSE: "The name of a sending address",
    Part.HELO: "The name this system says", Part.MTA_STS: "Encryption to you is required (MTA-STS)",
    Part.MTA_STS_FILE: "The policy itself (MTA-STS)", Part.TLS_REPORTS: "Reports about encryption (TLS-RPT)",
}  # fmt: skip


class Day(msgspec.Struct, frozen=True):
    """One day, or several together. `date`: YYYY-MM-DD, UTC, the first of them. `looked`: on how many DNS was asked;
    `right`, `wrong`, `unknown`, `total`: records, by the worst look. `messages` in its name and `unproved` by DMARC,
    `sessions` to its servers and `failed`: as others reported them."""

    date: str
    looked: int = 0
    right: int = 0
    wrong: int = 0
    unknown: int = 0
    total: int = 0
    messages: int = 0
    unproved: int = 0
    sessions: int = 0
    failed: int = 0


class Entry(msgspec.Struct, frozen=True):
    """One change. `kind`: added | first | record | policy | key-made | key-signs | key-retired | key-revoked. `at`: UTC
    microseconds. `name`: of the record. `old`, `new`: what stood and stands there, a value a line."""

    at: int
    kind: str
    name: str
    heading: str
    text: str
    old: str = ""
    new: str = ""
    weaker: bool = False


class History(msgspec.Struct, frozen=True):
    """`days`: oldest first, each of them. `changes`: newest first. `more`: there are older ones than are shown."""

    row: SenderDomain
    days: tuple[Day, ...]
    changes: tuple[Entry, ...]
    more: bool


def note(
    org: uuid.UUID, domain: SenderDomain, lines: Sequence[Line], turns: Sequence[Turn], now: int, *, first: bool
) -> None:
    """Keeps one look, inside its transaction. `first`: nobody looked at this domain before."""
    right = sum(line.right for line in lines)
    if first:
        Change.objects.create(org_id=org, domain=domain, at=now, kind="first", new=f"{right} of {len(lines)}")
    for turn in turns:
        line = turn.line
        Change.objects.create(
            org_id=org, domain=domain, at=now, kind="record", part=line.part.value, name=line.name[:300], was=turn.was,
            state=line.state.value, old="\n".join(turn.old), new="\n".join(values(line)), weaker=turn.weaker,
        )  # fmt: skip
    _stood(org, domain, lines, right, now // DAY_US)
    Change.objects.filter(org_id=org, domain=domain, at__lt=now - KEPT_DAYS * DAY_US).delete()


def served(org: uuid.UUID, domain: SenderDomain, was: tuple[str, str], now: tuple[str, str], at: int) -> None:
    """Another MTA-STS policy is served here from now on, inside its act. `was`, `now`: mode ("": none is served), text
    of the policy."""
    if was == now:
        return
    order = ("", "none", "testing", "enforce")
    Change.objects.create(
        org_id=org, domain=domain, at=at, kind="policy", part=Part.MTA_STS_FILE.value, was=was[0], state=now[0],
        old=was[1], new=now[1], weaker=order.index(now[0]) < order.index(was[0]),
    )  # fmt: skip


def _stood(org: uuid.UUID, domain: SenderDomain, lines: Sequence[Line], right: int, day: int) -> None:
    wrong = sum(line.needed and line.state in (State.MISSING, State.DIFFERENT) for line in lines)
    unknown = sum(line.state is State.UNKNOWN for line in lines)
    mine = Standing.objects.filter(org_id=org, domain=domain)
    row = mine.filter(day=day).first()
    if row is None:
        row = Standing(org_id=org, domain=domain, day=day)
        mine.filter(day__lt=day - KEPT_DAYS).delete()
    elif (row.wrong, -row.unknown) > (wrong, -unknown):
        # the day had a worse look already; at as many wrong ones, the look that knows more counts
        return
    row.right, row.wrong, row.unknown, row.total = right, wrong, unknown, len(lines)
    row.save()


def history(org: uuid.UUID, actor: Actor, domain: str, *, days: int = DAYS) -> History:
    """`domain`: its name or id; `days`: up to today. Raises NotFound, also for who may not see it."""
    with scope.organisation(org):
        try:
            authorise(actor, Permission.DOMAINS, org)
        except Forbidden:
            raise NotFound from None
    row = settings.domain(org, domain)
    today = clock.now() // DAY_US
    first = today - max(1, min(days, MOST_DAYS)) + 1
    with scope.organisation(org):
        found = list(Change.objects.filter(org_id=org, domain=row).order_by("-at", "-pk")[: SHOWN + 1])
        told = {day: Day(_date(day)) for day in range(first, today + 1)}
        _standings(org, row, told)
        _reports(org, row, told)
    entries = [*map(_entry, found[:SHOWN]), *_own(row)]
    entries.sort(key=lambda one: -one.at)
    oldest = found[SHOWN - 1].at if len(found) > SHOWN else 0
    shown = tuple(one for one in entries if one.at >= oldest)
    return History(row, tuple(told.values()), shown, len(found) > SHOWN)


def weeks(days: Sequence[Day]) -> list[Day]:
    """Seven days together, the newest first, as far back as anything is known and the newest always; a week's records
    stand as on its worst day."""
    known = [at for at, one in enumerate(days) if one.looked or one.messages or one.sessions]
    days = days[(min(known, default=len(days) - 1) - len(days)) // 7 * 7 :]
    found = []
    for end in range(len(days), 0, -7):
        some = days[max(0, end - 7) : end]
        looked = [one for one in some if one.looked]
        worst = max(looked, key=lambda one: (one.wrong, -one.unknown), default=Day(some[0].date))
        found.append(
            Day(
                some[0].date, len(looked), worst.right, worst.wrong, worst.unknown, worst.total,
                sum(one.messages for one in some), sum(one.unproved for one in some),
                sum(one.sessions for one in some), sum(one.failed for one in some),
            )
        )  # fmt: skip
    return found


def _date(day: int) -> str:
    return datetime.date.fromordinal(_EPOCH + day).isoformat()


def _standings(org: uuid.UUID, row: SenderDomain, told: dict[int, Day]) -> None:
    for one in Standing.objects.filter(org_id=org, domain=row, day__gte=min(told)):
        if one.day in told:
            told[one.day] = Day(_date(one.day), 1, one.right, one.wrong, one.unknown, one.total)


def _reports(org: uuid.UUID, row: SenderDomain, told: dict[int, Day]) -> None:
    mine = Report.objects.filter(org_id=org, domain=row.domain, begins__gte=min(told) * DAY_US).exclude(proved="")
    for kind, begins, good, bad in mine.values_list("kind", "begins", "good", "bad"):
        day = told.get(begins // DAY_US)
        if day is None:
            continue
        if kind == "dmarc":
            day = msgspec.structs.replace(day, messages=day.messages + good + bad, unproved=day.unproved + bad)
        elif kind == "tls":
            day = msgspec.structs.replace(day, sessions=day.sessions + good + bad, failed=day.failed + bad)
        told[begins // DAY_US] = day


_STATES: Final = {"right": "right", "missing": "missing", "different": "different from what it should be"}
_MODES: Final = {"": "none is served here", "none": "none", "testing": "testing", "enforce": "enforce"}


def _entry(change: Change) -> Entry:
    if change.kind == "first":
        return Entry(change.at, "first", "", "First compared with DNS", f"{change.new} records were as they should be.")
    if change.kind == "policy":
        text = (
            f"The mode is now: {_MODES.get(change.state, change.state)}; before: {_MODES.get(change.was, change.was)}."
        )
        return Entry(
            change.at, "policy", "", "MTA-STS policy served here", text, change.old, change.new, change.weaker
        )  # fmt: skip
    heading = TITLES[Part(change.part)] if change.part in set(Part) else change.part
    if change.was == change.state:
        less = "It asks for less than before." if change.weaker else "It was right before and is now."
        text = less if change.state == State.RIGHT.value else "It was not right before, and is not now."
    else:
        text = (
            f"It is {_STATES.get(change.state, change.state)} now; before it was {_STATES.get(change.was, change.was)}."
        )
    return Entry(change.at, "record", change.name, heading, text, change.old, change.new, change.weaker)


def _own(row: SenderDomain) -> Iterable[Entry]:
    """What was done here: the domain, and each of its keys."""
    yield Entry(row.created_at, "added", row.domain, "Domain added", "Mail is signed in its name since then.")
    for key in row.dkim_keys.all():
        yield from _key(row, key)


def _key(row: SenderDomain, key: DkimKey) -> Iterable[Entry]:
    name = f"{key.selector}._domainkey.{row.domain}"
    kind = "RSA" if key.algorithm.startswith("rsa") else "Ed25519"
    if key.created_at != key.active_at:
        text = f"{kind}, selector {key.selector}. Nothing is signed with it until DNS shows it."
        yield Entry(key.created_at, "key-made", name, "Next signing key made", text, new=key.record)
    if key.active_at:
        yield Entry(key.active_at, "key-signs", name, "Signing key in use", f"{kind}, selector {key.selector}.")
    if key.retired_at and key.retired_at != key.revoked_at:
        yield Entry(
            key.retired_at, "key-retired", name, "Former signing key", f"{key.selector} signs nothing any more."
        )
    if key.revoked_at:
        yield Entry(key.revoked_at, "key-revoked", name, "Signing key revoked", f"Nobody may believe {key.selector}.")
