"""What an organisation decides: where opens and clicks are watched at all, over which host, and what of them counts."""

import uuid
from typing import Final

from carepost.engagement.models import Account, Host, Watch
from carepost.engagement.types import CATEGORIES, LEVELS, OFF
from carepost.ground.errors import NotFound
from carepost.tenancy import names, sealing, select
from carepost.tenancy.act import Doing, act
from carepost.tenancy.permissions import Permission
from carepost.tracking.types import Switch
from carepost.wire.types import Actor

WATCHED: Final = "tracking.watched"
COUNTED: Final = "tracking.counted"
HOST_SET: Final = "tracking.host-set"
HOST_REMOVED: Final = "tracking.host-removed"
#: where the sealed words of an attestation stand
PLACE: Final = ("engagement_watch", "attestation")
#: an attestation is a sentence, not a tick
_SHORTEST: Final = 20


class _Same(Exception):
    """Nothing would change."""


def watch(
    org: uuid.UUID, category: str, *, opens: str, clicks: str, attestation: str = "", actor: Actor, reason: str
) -> bool:
    """False where it is so already. `opens`, `clicks`: off | asked (only messages that ask for it) | on (all that do
    not say no). To watch more than before needs an attestation: who vouches, in their words, that these messages may
    be watched (HHS OCR, online tracking technologies). Raises names.Wrong, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    said = names.words(attestation, "attestation", longest=1_000, empty=True)
    if category not in CATEGORIES:
        raise names.Wrong("bad-category", f"Opens and clicks can be watched in {', '.join(CATEGORIES)} mail.")
    for word in (opens, clicks):
        if word not in LEVELS:
            raise names.Wrong("bad-level", f"Watching is one of {', '.join(LEVELS)}.")
    try:
        with act(org, Permission.TRACKING, actor=actor) as doing:
            row = Watch.objects.filter(org_id=org, category=category).first()
            before = (row.opens, row.clicks) if row is not None else (OFF, OFF)
            if before == (opens, clicks):
                raise _Same
            more = any(LEVELS.index(new) > LEVELS.index(old) for new, old in zip((opens, clicks), before, strict=True))
            if more and len(said) < _SHORTEST:
                raise names.Wrong(
                    "attestation-needed",
                    "To watch opens or clicks, say who vouches that these messages show nothing of a person's health, "
                    "and why: a sentence of at least 20 letters.",
                )
            _put(doing, row, category, (opens, clicks), said)
            facts = {"category": category, "opens": opens, "clicks": clicks}
            old = {"opens-before": before[0], "clicks-before": before[1]}
            values = {"reason": why} | ({"attestation": said} if more else {})
            doing.event(WATCHED, on=[org], facts=facts | old, values=values)
            doing.tell_engine()
    except _Same:
        return False
    return True


def _put(doing: Doing, row: Watch | None, category: str, levels: tuple[str, str], said: str) -> None:
    if levels == (OFF, OFF):
        if row is not None:
            row.delete()
        return
    row = row or Watch(org_id=doing.org, category=category)
    row.opens, row.clicks = levels
    row.changed_at = doing.at
    if said:
        row.attestation = sealing.seal(doing.org, "evidence", said.encode(), sealing.place(*PLACE, row.pk))
    row.save()


def count_as(org: uuid.UUID, switch: str, *, actor: Actor, reason: str) -> bool:
    """What counts from now on, of the past too: figures are made of stored verdicts. False where it is so already."""
    why = names.words(reason, "reason", longest=500)
    if switch not in frozenset(Switch):
        raise names.Wrong("bad-count", f"What counts is one of {', '.join(Switch)}.")
    try:
        with act(org, Permission.TRACKING, actor=actor) as doing:
            row = Account.objects.filter(org_id=org).first() or Account(org_id=org)
            before = row.counts
            if before == switch:
                raise _Same
            row.counts, row.changed_at = switch, doing.at
            row.save()
            doing.event(COUNTED, on=[org], facts={"counts": switch, "counts-before": before}, values={"reason": why})
    except _Same:
        return False
    return True


def put_host(org: uuid.UUID, domain: str, host: str, *, actor: Actor, reason: str) -> bool:
    """Tracked links of mail from `domain` lead over `host` from now on: a name below one of the organisation's sender
    domains, so that no third party is asked. False where it is so already."""
    why = names.words(reason, "reason", longest=500)
    name, over = names.domain(domain), names.domain(host)
    owned = [row.domain for row in select.domains(org)]
    if name not in owned:
        raise NotFound("There is no such sender domain.")
    if not any(over.endswith(f".{one}") for one in owned) or over in owned:
        raise names.Wrong("bad-host", "The tracking host is a name of its own below one of your sender domains: link.…")
    try:
        with act(org, Permission.TRACKING, actor=actor) as doing:
            row = Host.objects.filter(org_id=org, domain=name).first() or Host(org_id=org, domain=name)
            before = row.host
            if before == over:
                raise _Same
            row.host, row.changed_at = over, doing.at
            row.save()
            facts = {"domain": name, "host": over} | ({"host-before": before} if before else {})
            doing.event(HOST_SET, on=[row.pk], facts=facts, values={"reason": why})
            doing.tell_engine()
    except _Same:
        return False
    return True


def remove_host(org: uuid.UUID, domain: str, *, actor: Actor, reason: str) -> None:
    """Links lead over the portal's address again; those that were sent go on working as long as the name leads here."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.TRACKING, actor=actor) as doing:
        row = Host.objects.filter(org_id=org, domain=names.domain(domain)).first()
        if row is None:
            raise NotFound("This domain has no tracking host.")
        doing.event(HOST_REMOVED, on=[row.pk], facts={"domain": row.domain, "host": row.host}, values={"reason": why})
        row.delete()
        doing.tell_engine()
