"""What an administrator chooses for a sender domain: the schedule of its keys, and the MTA-STS policy served here."""

import re
import uuid
from collections.abc import Sequence
from typing import Final

from carepost.ground import clock
from carepost.senders import history, settings
from carepost.senders.models import Choice, StsPolicy
from carepost.senders.transport import text_of
from carepost.tenancy import names
from carepost.tenancy.act import Doing, act
from carepost.tenancy.models import SenderDomain
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

SCHEDULED: Final = "domain.dkim-scheduled"
POLICY: Final = "domain.mta-sts-changed"
#: days; longer than the four a message may be on its way
LEAST_KEPT, MOST_KEPT = 5, 365
LEAST_ROTATE, MOST_ROTATE = 30, 730
MODES: Final = ("", "testing", "enforce", "none")
#: seconds (RFC 8461 3.2): a day, and a year
LEAST_AGE, MOST_AGE = 86_400, 31_557_600
_HOSTS: Final = 20
_PATTERN: Final = re.compile(r"(\*\.)?(.+)")


def schedule(
    org: uuid.UUID, domain: str, *, actor: Actor, rotate_days: int | None = None, keep_days: int | None = None
) -> Choice:
    """What is None stays. `rotate_days` 0: no schedule. Raises Wrong, NotFound, Forbidden."""
    if rotate_days is not None and rotate_days != 0 and not LEAST_ROTATE <= rotate_days <= MOST_ROTATE:
        raise names.Wrong("bad-schedule", f"Keys change every {LEAST_ROTATE} to {MOST_ROTATE} days, or 0: never.")
    if keep_days is not None and not LEAST_KEPT <= keep_days <= MOST_KEPT:
        raise names.Wrong("bad-days", f"A former key stays published for {LEAST_KEPT} to {MOST_KEPT} days.")
    with act(org, Permission.DOMAINS, actor=actor) as doing:
        row = settings.domain(org, domain)
        chosen = _chosen(doing, row)
        chosen.rotate_days = chosen.rotate_days if rotate_days is None else rotate_days
        chosen.keep_days = chosen.keep_days if keep_days is None else keep_days
        chosen.save()
        facts = {"domain": row.domain, "days": str(chosen.rotate_days), "kept": str(chosen.keep_days)}
        doing.event(SCHEDULED, on=[row.pk], facts=facts)
    return chosen


def serve_policy(
    org: uuid.UUID, domain: str, *, actor: Actor, mode: str, mx: Sequence[str] = (), max_age: int = 604_800
) -> Choice:
    """The MTA-STS policy served for the domain from now on; `mode` "": none is. A domain that once enforced should
    serve `none` for as long as the former policy lives (RFC 8461 8.3) before it serves nothing. Raises Wrong,
    NotFound, Forbidden."""
    if mode not in MODES:
        raise names.Wrong("bad-mode", "The mode is testing, enforce or none; leave it empty to serve no policy.")
    hosts = tuple(dict.fromkeys(_host(one) for one in mx if one.strip()))
    if mode in ("testing", "enforce") and not hosts:
        raise names.Wrong("no-mx", "Name the mail servers of the domain, as its MX records do.")
    if len(hosts) > _HOSTS:
        raise names.Wrong("many-mx", f"A policy names at most {_HOSTS} mail servers.")
    if not LEAST_AGE <= max_age <= MOST_AGE:
        raise names.Wrong("bad-age", "A policy lives for a day to a year (86400 to 31557600 seconds).")
    with act(org, Permission.DOMAINS, actor=actor) as doing:
        row = settings.domain(org, domain)
        chosen = _chosen(doing, row)
        was = (chosen.sts_mode, _served(chosen))
        chosen.sts_mode, chosen.sts_mx, chosen.sts_age = mode, "\n".join(hosts), max_age
        chosen.sts_id = clock.rfc3339(doing.at)[:19].translate({ord(c): None for c in "-:T"}) if mode else ""
        chosen.save()
        StsPolicy.objects.filter(domain=row.domain, owner=org).delete()
        text = _served(chosen)
        if mode:
            StsPolicy.objects.update_or_create(domain=row.domain, defaults={"owner": org, "text": text})
        history.served(org, row, was, (mode, text), doing.at)
        doing.event(POLICY, on=[row.pk], facts={"domain": row.domain, "mode": mode or "not-served"})
    return chosen


def _served(chosen: Choice) -> str:
    sts = settings.sts(chosen)
    return text_of(sts) if sts is not None else ""


def _chosen(doing: Doing, row: SenderDomain) -> Choice:
    found = Choice.objects.filter(org_id=doing.org, domain_id=row.pk).first() or Choice(org_id=doing.org, domain=row)
    found.changed_at = doing.at
    return found


def _host(typed: str) -> str:
    """A host, or a wildcard for exactly one label (RFC 8461 3.2)."""
    found = _PATTERN.fullmatch(typed.strip())
    assert found is not None
    return (found[1] or "") + names.domain(found[2])
