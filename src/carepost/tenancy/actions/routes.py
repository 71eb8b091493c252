"""Pinned next hops: mail for a domain goes to one host, AUTHENTICATED when its certificate names it under this CA,
holds one of these keys, or both; where that is not met, another method, or nothing until a person decides."""

import re
import uuid
from collections.abc import Sequence
from typing import Final

from carepost.crypto.rest import Damaged
from carepost.directory.types import HOLD
from carepost.ground.errors import NotFound
from carepost.tenancy import names, sealing
from carepost.tenancy.act import act
from carepost.tenancy.models import Route
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: keys of one route: the one in use and those that may come
_KEYS: Final = 8
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def add_route(
    org: uuid.UUID,
    domain: str,
    host: str,
    port: int,
    *,
    actor: Actor,
    ca: str = "",
    pins: Sequence[str] = (),
    else_hold: bool = False,
    reason: str = "",
) -> Route:
    """Replaces the route of this domain when there is one. `ca`: PEM, or "" for the system's trust store. `pins`:
    SHA-256 of public keys (SubjectPublicKeyInfo), hex; with pins and no CA the key alone counts. `else_hold`: where
    this host does not prove itself the message is held, and no other method is taken."""
    name, next_hop = names.domain(domain), names.host(host)
    if not 0 < port < 65_536:
        raise names.Wrong("bad-port", "A port is 1 to 65535.")
    names.ca(ca)
    keys = _keys(pins)
    why = names.words(reason, "reason", longest=500, empty=True)
    with act(org, Permission.ROUTES, actor=actor) as doing:
        old = Route.objects.filter(org_id=org, domain=name, removed_at=0).first()
        before = f"{old.host}:{old.port}" if old is not None else ""
        if old is not None:
            old.removed_at = doing.at
            old.save(update_fields=["removed_at"])
        row = Route(org_id=org, domain=name, host=next_hop, port=port, ca=ca, created_at=doing.at)
        row.pins, row.otherwise = " ".join(keys), HOLD if else_hold else ""
        row.pinned_by = f"{actor.kind}:{actor.id}"
        if why:
            row.reason = sealing.seal(org, "evidence", why.encode(), _place(row))
        row.save(force_insert=True)
        facts = {"domain": name, "ca": "own" if ca else "system"}
        if keys:
            facts["keys"] = str(len(keys))
        if row.otherwise:
            facts["otherwise"] = row.otherwise
        values = {"old": before, "new": f"{next_hop}:{port} {row.pins}".strip()} | ({"reason": why} if why else {})
        doing.event("route.added", on=[row.pk], facts=facts, values=values)
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


def reason_of(route: Route) -> str:
    """Why it was pinned, as its author said; "" where nothing was said or it cannot be opened."""
    if not route.reason:
        return ""
    try:
        return sealing.open_(route.org_id, "evidence", bytes(route.reason), _place(route)).decode()
    except (Damaged, NotFound):
        return ""


def _place(route: Route) -> str:
    return sealing.place("tenancy_route", "reason", route.pk)


def _keys(pins: Sequence[str]) -> list[str]:
    keys = [pin.strip().lower().replace(":", "").removeprefix("sha256") for pin in pins if pin.strip()]
    if len(keys) > _KEYS or not all(_DIGEST.fullmatch(key) for key in keys):
        raise names.Wrong("bad-key", f"A key is 64 hexadecimal digits (SHA-256 of the public key); at most {_KEYS}.")
    return list(dict.fromkeys(keys))
