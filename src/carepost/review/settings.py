"""How an organisation's reviewers are told that something waits."""

import uuid
from typing import Final

import msgspec

from carepost.review.models import Setting
from carepost.tenancy import names, scope
from carepost.tenancy.act import act
from carepost.tenancy.names import Wrong
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

AT_ONCE: Final = "at-once"
DAILY: Final = "daily"
OFF: Final = "off"
LETTERS: Final = (AT_ONCE, DAILY, OFF)
#: hours; a month
_MOST: Final = 744


class Told(msgspec.Struct, frozen=True):
    """`letters`: at-once | daily | off; `address`: "" is everybody who may release; `remind`: hours before the time of
    a delivery is over, 0 for none."""

    letters: str = AT_ONCE
    address: str = ""
    remind: int = 24


def of(org: uuid.UUID) -> Told:
    with scope.organisation(org):
        row = Setting.objects.filter(org_id=org).first()
    return Told(row.letters, row.address, row.remind) if row is not None else Told()


def change(org: uuid.UUID, *, letters: str, address: str, remind: int, actor: Actor, reason: str) -> Told:
    """Raises Forbidden, NotFound, Wrong."""
    why = names.words(reason, "reason", longest=500)
    if letters not in LETTERS:
        raise Wrong("bad-letters", "Letters are written at-once, daily, or not at all (off).")
    if not 0 <= remind <= _MOST:
        raise Wrong("bad-hours", f"A reminder comes 0 (none) to {_MOST} hours before the time is over.")
    to = names.address(address) if address.strip() else ""
    with act(org, Permission.ORGANISATION, actor=actor) as doing:
        row, _ = Setting.objects.get_or_create(org_id=org)
        if (row.letters, row.address, row.remind) == (letters, to, remind):
            raise Wrong("unchanged", "These settings have these values already.")
        old = row.address
        row.letters, row.address, row.remind = letters, to, remind
        row.save(update_fields=["letters", "address", "remind"])
        doing.event("review.changed", on=[org], values={"old": old, "new": to, "reason": why})
    return Told(letters, to, remind)
