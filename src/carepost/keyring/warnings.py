"""By the clock: certificates in use that run out. Called by the journal; each step is told once."""

import uuid
from typing import Final

from django.db import transaction
from django.db.models import Q

from carepost.ground import clock
from carepost.keyring.acts import IN_USE
from carepost.keyring.models import RecipientKey
from carepost.proof import kinds
from carepost.tenancy import endings, events, scope
from carepost.tenancy.endings import DAY_US, STEPS

#: rows looked at together
_ROUND: Final = 500
_ACTOR: Final = ("system", "journal")


def ending(now: int) -> int:
    """Warns of those that end within 30, 7 and 0 days; how many warnings."""
    told = 0
    while True:
        with scope.every("certificates of every organisation's recipients end"):
            rows = list(RecipientKey.objects.filter(_due(now)).order_by("pk").values_list("org_id", "pk")[:_ROUND])
        told += sum(_warn(org, pk, now) for org, pk in rows)
        if len(rows) < _ROUND:
            return told


def _due(now: int) -> Q:
    due = Q()
    for days in STEPS:
        due |= Q(not_after__lt=now + (days + 1) * DAY_US, warned__gt=days)
    return due & Q(state=IN_USE, not_after__gt=0)


def _warn(org: uuid.UUID, pk: uuid.UUID, now: int) -> int:
    with scope.organisation(org), transaction.atomic():
        row = RecipientKey.objects.select_for_update().filter(_due(now), org_id=org, pk=pk).first()
        if row is None:
            return 0
        due = endings.step(row.not_after, now, row.warned)
        if due is None:
            return 0
        left, row.warned = due
        row.save(update_fields=["warned"])
        draft, openings = kinds.make(
            kinds.KEY_ENDING,
            id=events.new_id(),
            org=str(org),
            at=clock.now(),
            actor=_ACTOR,
            on=[str(row.pk)],
            facts={"method": row.method, "days": str(left)},
        )
        events.append(draft, openings)
    return 1
