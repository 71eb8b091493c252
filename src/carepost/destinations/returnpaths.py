"""The domain an organisation's bounces come back to: set, shown, taken away."""

import uuid

from carepost.destinations.models import ReturnPath
from carepost.ground.errors import NotFound
from carepost.tenancy import names, scope, select
from carepost.tenancy.act import act
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor


def current(org: uuid.UUID) -> str:
    """ "" where there is none."""
    with scope.organisation(org):
        row = ReturnPath.objects.filter(org_id=org).first()
    return row.domain if row is not None else ""


def of_smtp(org: uuid.UUID) -> bool:
    """Whether mail by SMTP has it too."""
    with scope.organisation(org):
        return ReturnPath.objects.filter(org_id=org, smtp=True).exists()


def put(org: uuid.UUID, domain: str, *, actor: Actor, reason: str, smtp: bool | None = None) -> bool:
    """False when it is that already. The domain lies below one of the organisation's sender domains, so that SPF stays
    aligned with From (RFC 9989 4.4), and its MX leads here. `smtp`: also for mail by SMTP, whose senders are told of
    failures that come back; automatic answers to such mail (out of office) reach nobody then. None: as it is. Raises
    names.Wrong, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    name = names.domain(domain)
    owned = [row.domain for row in select.domains(org)]
    if not any(name.endswith(f".{one}") for one in owned) or name in owned:
        raise names.Wrong(
            "bad-return-path", "The return path is a domain of its own below one of your sender domains: bounce.…"
        )
    if current(org) == name and smtp in (None, of_smtp(org)):
        return False
    with act(org, Permission.DOMAINS, actor=actor) as doing:
        row = ReturnPath.objects.filter(org_id=org).first() or ReturnPath(org_id=org)
        values = {"reason": why} | ({"old": row.domain} if row.domain else {})
        row.domain, row.changed_at = name, doing.at
        row.smtp = row.smtp if smtp is None else smtp
        row.save()
        facts = {"domain": name, "smtp": "yes" if row.smtp else "no"}
        doing.event("return-path.changed", on=[row.pk], facts=facts, values=values)
        doing.tell_engine()
    return True


def remove(org: uuid.UUID, *, actor: Actor, reason: str) -> None:
    """Bounces of what was sent before are no longer taken either. Raises NotFound where there is none."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.DOMAINS, actor=actor) as doing:
        row = ReturnPath.objects.filter(org_id=org).first()
        if row is None:
            raise NotFound("This organisation has no return path.")
        doing.event("return-path.removed", on=[row.pk], facts={"domain": row.domain}, values={"reason": why})
        row.delete()
        doing.tell_engine()
