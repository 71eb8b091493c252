"""Legal holds as the office meets them: placed on a message that is there, listed with their reasons, lifted."""

import uuid

import msgspec

from carepost.archive import acts
from carepost.archive.models import Message
from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy import scope
from carepost.tenancy.actions import holds
from carepost.tenancy.models import LegalHold
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: holds of one list
MOST = 500


class Hold(msgspec.Struct, frozen=True):
    """`state`: placing | placed | late | lifting | lifted. Times in UTC microseconds, 0: not yet."""

    id: str
    message: str
    state: str
    placed_at: int
    lifted_at: int
    reason: str


def place(org: uuid.UUID, message: uuid.UUID, *, actor: Actor, reason: str) -> None:
    """Raises NotFound (no such message here), Refused (held already, disposed of already), Forbidden."""
    acts.allowed(org.bytes, actor, Permission.ORGANISATION)
    with scope.organisation(org):
        row = Message.objects.filter(org_id=org, pk=message).first()
    if row is None:
        raise NotFound("There is no such message.")
    if row.disposed_at:
        raise Refused("disposed", "Its content was disposed of already; nothing is left to hold.", status=409)
    holds.place_hold(org, message, actor=actor, reason=reason)


def listing(org: uuid.UUID, actor: Actor) -> list[Hold]:
    """Those in force first, newest first among equals; the looking is an event. Raises NotFound where this actor may
    not."""
    acts.allowed(org.bytes, actor, Permission.ORGANISATION)
    with scope.organisation(org):
        rows = list(LegalHold.objects.filter(org_id=org).order_by("-pk")[:MOST])
        found = [_shown(row) for row in rows]
    acts.record("archive.holds-listed", org.bytes, actor, on=[str(org)], facts={"count": str(len(found))})
    return sorted(found, key=lambda hold: hold.state not in holds.ACTIVE)


def of_message(org: uuid.UUID, message: bytes) -> int:
    """When the hold in force on this message was placed; 0: none is."""
    with scope.organisation(org):
        row = LegalHold.objects.filter(org_id=org, message=uuid.UUID(ids.text(message)), state__in=holds.ACTIVE).first()
    return row.placed_at if row is not None else 0


def _shown(row: LegalHold) -> Hold:
    return Hold(
        str(row.pk), str(row.message), row.state, row.placed_at, row.lifted_at, holds.reason_of(row)
    )  # fmt: skip
