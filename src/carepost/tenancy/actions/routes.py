"""Pinned next hops: mail for a domain goes to one host, AUTHENTICATED when its certificate names it under this CA."""

import uuid

from cryptography import x509

from carepost.ground.errors import NotFound
from carepost.tenancy import names
from carepost.tenancy.act import act
from carepost.tenancy.models import Route
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor


def add_route(org: uuid.UUID, domain: str, host: str, port: int, *, actor: Actor, ca: str = "") -> Route:
    """Replaces the route of this domain when there is one. `ca`: PEM, or "" for the system's trust store."""
    name, next_hop = names.domain(domain), names.host(host)
    if not 0 < port < 65_536:
        raise names.Wrong("bad-port", "A port is 1 to 65535.")
    _check_ca(ca)
    with act(org, Permission.ROUTES, actor=actor) as doing:
        old = Route.objects.filter(org_id=org, domain=name, removed_at=0).first()
        before = f"{old.host}:{old.port}" if old is not None else ""
        if old is not None:
            old.removed_at = doing.at
            old.save(update_fields=["removed_at"])
        row = Route.objects.create(org_id=org, domain=name, host=next_hop, port=port, ca=ca, created_at=doing.at)
        values = {"old": before, "new": f"{next_hop}:{port}"}
        doing.event("route.added", on=[row.pk], facts={"domain": name, "ca": "own" if ca else "system"}, values=values)
        doing.tell_engine()
    return row


def remove_route(org: uuid.UUID, domain: str, *, actor: Actor, reason: str = "") -> None:
    with act(org, Permission.ROUTES, actor=actor) as doing:
        row = Route.objects.filter(org_id=org, domain=names.domain(domain), removed_at=0).first()
        if row is None:
            raise NotFound("There is no such route.")
        row.removed_at = doing.at
        row.save(update_fields=["removed_at"])
        doing.event("route.removed", on=[row.pk], facts={"domain": row.domain}, values={"reason": reason})
        doing.tell_engine()


def _check_ca(pem: str) -> None:
    if not pem:
        return
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        found = []
    if not found:
        raise names.Wrong("bad-ca", "The CA file holds no PEM certificate.")
