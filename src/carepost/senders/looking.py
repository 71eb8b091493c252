"""One look at a sender domain: an engine is asked, what it found is kept with its time, and what turned is on record.

Only what DNS answered changes what is known: name servers that are silent turn nothing wrong."""

import uuid
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from django.db import transaction

from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.rfc import asking
from carepost.rfc.asking import FAILED, Found, Question
from carepost.senders import changes, check, history, settings
from carepost.senders.changes import Known, Turn
from carepost.senders.models import Check
from carepost.senders.types import Line, Phase, State
from carepost.tenancy import scope
from carepost.tenancy.act import act
from carepost.tenancy.models import Organisation, SenderDomain
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire.types import Actor

CHECKED: Final = "domain.checked"
CHANGED: Final = "domain.dns-changed"
HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
#: questions in a row without an answer after which no more are asked
_SILENT: Final = 4

#: a question to an engine's resolver (`intake.client.Client.ask`)
Ask = Callable[[Question], Found]


class Look(msgspec.Struct, frozen=True):
    """What was found. `at`: 0 where nobody looked yet. `known`: by the place of a line."""

    at: int
    lines: tuple[Line, ...] = ()
    known: dict[str, Known] = {}

    @property
    def good(self) -> int:
        return sum(line.right for line in self.lines)


_lines = msgspec.json.Decoder(tuple[Line, ...])
_known = msgspec.json.Decoder(dict[str, Known])
_encode = msgspec.json.Encoder().encode


def fresh(ask: Ask) -> Ask:
    """Asks anew what an engine remembers; after some questions without an answer nothing more is asked."""
    silent = 0

    def asked(question: Question) -> Found:
        nonlocal silent
        if silent >= _SILENT:
            return FAILED
        found = ask(msgspec.structs.replace(question, fresh=True))
        silent = silent + 1 if found.failed else 0
        return found

    return asked


def look(org: uuid.UUID, domain: SenderDomain, ask: Ask, *, actor: Actor) -> Look:
    """By a person, a key or the clock: asks, keeps and tells. Raises Forbidden, NotFound (removed meanwhile)."""
    with scope.organisation(org):
        authorise(actor, Permission.DOMAINS, org)
    asked = settings.asked(org, domain)
    lines = asking.run(check.check(asked), fresh(ask))
    return keep(org, domain, lines, actor=actor, waits=any(key.phase is Phase.NEXT for key in asked.keys))


def keep(
    org: uuid.UUID, domain: SenderDomain, lines: Sequence[Line], *, actor: Actor, waits: bool = False
) -> Look:  # fmt: skip
    """`waits`: a next key is to be published: it is looked for again within the hour. What two looks at the same moment
    found is noted once (decision 0068)."""
    while True:
        # the clock's look that finds nothing turned tells nothing; one that finds something is an act
        if actor.kind == "system" and (kept := _quiet(org, domain, lines, waits)) is not None:
            return kept
        try:
            return _told(org, domain, lines, actor, waits)
        except _NotedMeanwhileError:
            continue


class _NotedMeanwhileError(Exception):
    """Another look at the same domain noted all that this one found: nothing of an act is left to tell."""


class _Compared(msgspec.Struct, frozen=True):
    known: dict[str, Known]
    turns: Sequence[Turn]
    now: int
    first: bool


def _quiet(org: uuid.UUID, domain: SenderDomain, lines: Sequence[Line], waits: bool) -> Look | None:
    """Kept, where nothing turned; else None, and nothing was written."""
    with scope.organisation(org), transaction.atomic():
        # as every act locks it: what was known last is read after any other look was kept, never beside it
        Organisation.objects.select_for_update().filter(pk=org).first()
        found = _compared(org, domain, lines)
        if found.turns:
            return None
        _write(org, domain, lines, found, waits)
    return Look(found.now, tuple(lines), found.known)


def _told(org: uuid.UUID, domain: SenderDomain, lines: Sequence[Line], actor: Actor, waits: bool) -> Look:
    with act(org, Permission.DOMAINS, actor=actor) as doing:
        found = _compared(org, domain, lines)
        if actor.kind == "system" and not found.turns:
            raise _NotedMeanwhileError
        row = _write(org, domain, lines, found, waits)
        if actor.kind != "system":
            facts = {"domain": domain.domain, "right": str(sum(line.right for line in lines)), "of": str(len(lines))}
            doing.event(CHECKED, on=[domain.pk, row.pk], facts=facts)
        for turn in found.turns:
            line = turn.line
            facts = {"domain": domain.domain, "part": line.part.value, "name": line.name, "from": turn.was}
            facts |= {"to": line.state.value, "cause": line.code}
            doing.event(CHANGED, on=[domain.pk], facts=facts | ({"weaker": "yes"} if turn.weaker else {}))
    return Look(found.now, tuple(lines), found.known)


def _compared(org: uuid.UUID, domain: SenderDomain, lines: Sequence[Line]) -> _Compared:
    """With what is known now, inside the transaction that keeps it."""
    before, now = last(org, domain), clock.now()
    return _Compared(_moved(before.known, lines, now), changes.between(before.known, lines), now, not before.at)


def last(org: uuid.UUID, domain: SenderDomain) -> Look:
    with scope.organisation(org):
        row = Check.objects.filter(org_id=org, domain_id=domain.pk).first()
    return Look(row.at, _lines.decode(row.lines), _known.decode(row.known)) if row is not None else Look(0)


def _write(
    org: uuid.UUID, domain: SenderDomain, lines: Sequence[Line], found: _Compared, waits: bool
) -> Check:  # fmt: skip
    if not SenderDomain.objects.filter(org_id=org, pk=domain.pk, removed_at=0).exists():
        raise NotFound
    kept = Check.objects.select_for_update().filter(org_id=org, domain_id=domain.pk).first()
    row = kept or Check(org_id=org, domain=domain)
    waiting = msgspec.json.decode(row.turned, type=list[str])
    # weaker than it was: somebody must know
    weaker = (one.line.place for one in found.turns if one.weaker)
    row.turned = _encode(list(dict.fromkeys([*waiting, *weaker]))).decode()
    row.at, row.lines, row.known = found.now, _encode(tuple(lines)).decode(), _encode(found.known).decode()
    soon = waits or any(line.state is State.UNKNOWN for line in lines)
    row.due_at = found.now + (HOUR_US if soon else DAY_US)
    row.save()
    history.note(org, domain, lines, found.turns, found.now, first=found.first)
    return row


def _moved(before: dict[str, Known], lines: Sequence[Line], now: int) -> dict[str, Known]:
    """Of records that are asked about today."""
    found = {}
    for line in lines:
        old = before.get(line.place)
        if line.state is State.UNKNOWN:
            if old is not None:
                found[line.place] = old
            continue
        same = old is not None and (old.state, old.code) == (line.state.value, line.code)
        since = old.at if same and old is not None else now
        found[line.place] = Known(line.state.value, line.code, since, changes.values(line))
    return found
