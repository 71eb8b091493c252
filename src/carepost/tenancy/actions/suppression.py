"""Addresses nothing is sent to any more: bounced for good, complained, unsubscribed, or asked for."""

import uuid
from typing import Final

from django.db import IntegrityError

from carepost.crypto import index
from carepost.ground.errors import NotFound
from carepost.rfc.address import parse_path
from carepost.tenancy import keys, names, scope, sealing
from carepost.tenancy.act import act
from carepost.tenancy.models import Suppression
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

REASONS: Final = ("bounce", "complaint", "unsubscribe", "request")


def token(org: uuid.UUID, address: str) -> bytes:
    """What the engine compares (`OrgSnapshot.suppressed`): under the first index key, so that rotation keeps it.
    `address`: as `spelt` gives it."""
    return index.token(keys.version(org, "index", 1), "address", address)


def spelt(address: str) -> str:
    """As the doors read it (A-labels, no invisible characters), so that no spelling escapes the list (BI-063).
    Raises AddressError."""
    return parse_path(address.strip(), utf8=True)


def suppress(org: uuid.UUID, address: str, *, actor: Actor, reason: str) -> bool:
    """False when the address was suppressed already. Raises AddressError."""
    if reason not in REASONS:
        raise names.Wrong("bad-reason", f"Reasons are: {', '.join(REASONS)}.")
    address = spelt(address)
    with scope.organisation(org):
        known = token(org, address)
        if Suppression.objects.filter(org_id=org, token=known).exists():
            return False
    try:
        with act(org, Permission.SUPPRESSION, actor=actor) as doing:
            row = Suppression(org_id=org, token=known, reason=reason, created_at=doing.at)
            row.sealed = sealing.seal(org, "evidence", address.encode(), _place(row))
            row.save(force_insert=True)
            doing.event("suppression.added", on=[row.pk], facts={"cause": reason}, values={"address": address})
            doing.tell_engine()
    except IntegrityError:
        return False
    return True


def unsuppress(org: uuid.UUID, address: str, *, actor: Actor, reason: str) -> None:
    why = names.words(reason, "reason", longest=500)
    address = spelt(address)
    with act(org, Permission.SUPPRESSION, actor=actor) as doing:
        row = Suppression.objects.filter(org_id=org, token=token(org, address)).first()
        if row is None:
            raise NotFound("This address is not suppressed.")
        values = {"address": address, "reason": why}
        doing.event("suppression.removed", on=[row.pk], facts={"cause": row.reason}, values=values)
        row.delete()
        doing.tell_engine()


def address_of(row: Suppression) -> str:
    return sealing.open_(row.org_id, "evidence", bytes(row.sealed), _place(row)).decode()


def _place(row: Suppression) -> str:
    return sealing.place("tenancy_suppression", "sealed", row.pk)
