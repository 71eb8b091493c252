"""Legal hold: a message's content is kept, whatever retention says, until the hold is lifted (45 CFR 164.316(b)(2) says
how long at least; a court may say longer)."""

import uuid
from typing import Final

from carepost.ground.errors import NotFound, Refused
from carepost.tenancy import names, sealing
from carepost.tenancy.act import act
from carepost.tenancy.models import LegalHold
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

PLACED: Final = "message.hold-placed"
LIFTED: Final = "message.hold-lifted"
#: what keeps retention from a message
ACTIVE: Final = ("placing", "placed")


def place_hold(org: uuid.UUID, message: uuid.UUID, *, actor: Actor, reason: str) -> LegalHold:
    """Whether the message is there is the caller's to ask. Raises Refused (held already), Forbidden."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.ORGANISATION, actor=actor) as doing:
        if LegalHold.objects.filter(org_id=org, message=message, state__in=ACTIVE).exists():
            raise Refused("held-already", "This message is under legal hold already.", status=409)
        row = LegalHold(org_id=org, message=message, placed_at=doing.at)
        row.sealed = sealing.seal(org, "evidence", why.encode(), _place(row))
        row.save(force_insert=True)
        doing.event(PLACED, on=[message], values={"reason": why})
    return row


def lift_hold(org: uuid.UUID, hold: uuid.UUID, *, actor: Actor, reason: str) -> LegalHold:
    """Raises NotFound (no such hold in force), Forbidden."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.ORGANISATION, actor=actor) as doing:
        row = LegalHold.objects.filter(org_id=org, pk=hold, state__in=ACTIVE).first()
        if row is None:
            raise NotFound("There is no such legal hold in force.")
        row.state, row.lifted_at = "lifting", doing.at
        row.save(update_fields=["state", "lifted_at"])
        doing.event(LIFTED, on=[row.message], values={"reason": why})
    return row


def reason_of(row: LegalHold) -> str:
    """Why it was placed. Raises crypto.rest.Damaged, NotFound."""
    return sealing.open_(row.org_id, "evidence", bytes(row.sealed), _place(row)).decode()


def _place(row: LegalHold) -> str:
    return sealing.place("tenancy_legalhold", "sealed", row.pk)
