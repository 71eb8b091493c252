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


def put(org: uuid.UUID, domain: str, *, actor: Actor, reason: str) -> bool:
    """False when it is that already. The domain lies below one of the organisation's sender domains, so that SPF stays
    aligned with From (RFC 7489 3.1.2), and its MX leads here. Raises names.Wrong, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    name = names.domain(domain)
    owned = [row.domain for row in select.domains(org)]
    if not any(name.endswith(f".{one}") for one in owned) or name in owned:
        raise names.Wrong(
            "bad-return-path", "The return path is a domain of its own below one of your sender domains: bounce.…"
        )
    if current(org) == name:
        return False
    with act(org, Permission.DOMAINS, actor=actor) as doing:
        row = ReturnPath.objects.filter(org_id=org).first() or ReturnPath(org_id=org)
        values = {"reason": why} | ({"old": row.domain} if row.domain else {})
        row.domain, row.changed_at = name, doing.at
        row.save()
        doing.event("return-path.changed", on=[row.pk], facts={"domain": name}, values=values)
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
