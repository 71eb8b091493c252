"""By the clock: certificates in use that run out: recipients', the organisation's own, and its authority's. Called by
the journal, and each step is told once."""

import uuid
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.db.models import Q

from carepost.ground import clock
from carepost.keyring import issuing
from carepost.keyring.acts import IN_USE
from carepost.keyring.models import Authority, OwnKey, RecipientKey
from carepost.keyring.own_acts import ACTIVE
from carepost.policy.types import Method
from carepost.proof import kinds
from carepost.tenancy import endings, events, scope
from carepost.tenancy.endings import DAY_US, STEPS

#: rows looked at together
_ROUND: Final = 500
_ACTOR: Final = ("system", "journal")


class _Watched(NamedTuple):
    table: Any
    state: str
    kind: str


_WATCHED: Final = (
    _Watched(RecipientKey, IN_USE, kinds.KEY_ENDING),
    _Watched(OwnKey, ACTIVE, kinds.OWN_KEY_ENDING),
    _Watched(Authority, issuing.ACTIVE, kinds.AUTHORITY_ENDING),
)


def ending(now: int) -> int:
    """Warns of those that end within 30, 7 and 0 days; how many warnings."""
    return sum(_ending(watched, now) for watched in _WATCHED)


def _ending(watched: _Watched, now: int) -> int:
    told = 0
    while True:
        with scope.every("certificates of every organisation and its recipients end"):
            due = watched.table.objects.filter(_due(watched, now)).order_by("pk")
            rows = list(due.values_list("org_id", "pk")[:_ROUND])
        told += sum(_warn(watched, org, pk, now) for org, pk in rows)
        if len(rows) < _ROUND:
            return told


def _due(watched: _Watched, now: int) -> Q:
    due = Q()
    for days in STEPS:
        due |= Q(not_after__lt=now + (days + 1) * DAY_US, warned__gt=days)
    return due & Q(state=watched.state, not_after__gt=0)


def _warn(watched: _Watched, org: uuid.UUID, pk: uuid.UUID, now: int) -> int:
    with scope.organisation(org), transaction.atomic():
        row = watched.table.objects.select_for_update().filter(_due(watched, now), org_id=org, pk=pk).first()
        if row is None:
            return 0
        due = endings.step(row.not_after, now, row.warned)
        if due is None:
            return 0
        left, row.warned = due
        row.save(update_fields=["warned"])
        draft, openings = kinds.make(
            watched.kind,
            id=events.new_id(),
            org=str(org),
            at=clock.now(),
            actor=_ACTOR,
            on=[str(row.pk)],
            facts={"method": Method.SMIME.value if watched.table is Authority else row.method, "days": str(left)},
        )
        events.append(draft, openings)
    return 1
