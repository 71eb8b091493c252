"""Entries of the suppression list that hold now, by reason, by which mail they keep back, and by time. Each look is an
event before it is shown (law 7)."""

import uuid
from collections.abc import Collection, Sequence

from django.db.models import Q, QuerySet

from carepost.destinations import suppressions
from carepost.destinations.suppressions import Suppressed
from carepost.ground import clock
from carepost.tenancy import scope
from carepost.tenancy.actions.suppression import tokens
from carepost.tenancy.models import Suppression
from carepost.wire.types import Actor


def window(
    org: uuid.UUID,
    actor: Actor,
    *,
    reasons: Collection[str],
    scopes: Collection[str],
    addresses: Sequence[str] | None = None,
    since: int = 0,
    until: int = 0,
    offset: int = 0,
    limit: int = suppressions.MOST,
) -> list[Suppressed]:
    """The newest first. `addresses`: as `suppression.spelt` gives them; None: of everybody. `since`, `until`: put on
    the list then (UTC microseconds, both inclusive; 0: ever). Raises NotFound when `actor` may not see them."""
    with scope.organisation(org):
        suppressions.allowed(org, actor)
        rows = _standing(org, reasons, scopes)
        if addresses is not None:
            rows = rows.filter(token__in=[token for one in addresses for token in tokens(org, one)])
        if since:
            rows = rows.filter(created_at__gte=since)
        if until:
            rows = rows.filter(created_at__lte=until)
        found = [suppressions.shown_of(row) for row in rows.order_by("-id")[offset : offset + limit]]
        suppressions.tell(org, actor, len(found))
        return found


def count(org: uuid.UUID, actor: Actor, *, reasons: Collection[str], scopes: Collection[str]) -> int:
    """How many there are; no address is shown. Raises NotFound."""
    with scope.organisation(org):
        suppressions.allowed(org, actor)
        return _standing(org, reasons, scopes).count()


def _standing(org: uuid.UUID, reasons: Collection[str], scopes: Collection[str]) -> "QuerySet[Suppression]":
    """What keeps mail back now. An entry whose end has passed is history: whoever asks by these addresses has no word
    for an end, and would take it for one that holds."""
    holds = Q(expires_at=0) | Q(expires_at__gt=clock.now())
    return Suppression.objects.filter(holds, org_id=org, removed_at=0, reason__in=reasons, scope__in=scopes)
