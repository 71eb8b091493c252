"""How far ahead an organisation's messages may be scheduled: set, shown, put back. Engines know within two seconds."""

import uuid

from carepost.destinations.models import Ahead
from carepost.directory.types import AHEAD_DAYS, MOST_AHEAD
from carepost.tenancy import names, scope
from carepost.tenancy.act import act
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor


class _Unchanged(Exception):
    """An act without a change leaves no event."""


def days(org: uuid.UUID) -> int:
    """How many; the default where nothing was decided."""
    with scope.organisation(org):
        row = Ahead.objects.filter(org_id=org).first()
    return row.days if row is not None else AHEAD_DAYS


def put(org: uuid.UUID, days_: int, *, actor: Actor, reason: str) -> bool:
    """1 to 366 days. False when it is that already. What was accepted before stays scheduled. Raises names.Wrong,
    Forbidden."""
    why = names.words(reason, "reason", longest=500)
    if not 1 <= days_ <= MOST_AHEAD:
        raise names.Wrong("bad-days", f"Messages may be scheduled 1 to {MOST_AHEAD} days ahead.")
    try:
        with act(org, Permission.SENDING, actor=actor) as doing:
            row = Ahead.objects.filter(org_id=org).first() or Ahead(org_id=org, days=AHEAD_DAYS)
            if row.days == days_:
                raise _Unchanged
            facts = {"days": str(days_), "before": str(row.days)}
            row.days, row.changed_at = days_, doing.at
            row.save()
            doing.event("sending.ahead-set", on=[row.pk], facts=facts, values={"reason": why})
            doing.tell_engine()
    except _Unchanged:
        return False
    return True
