"""Many entries of the suppression list in one act: put on it, or taken off by reason and scope."""

import uuid
from collections.abc import Collection, Sequence
from typing import Final

from carepost.tenancy import names
from carepost.tenancy.act import Doing, act
from carepost.tenancy.actions.suppression import Wanted, address_of, put, tokens
from carepost.tenancy.models import Suppression
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: entries of one act
MOST: Final = 1_000


class _NothingDone(Exception):
    """The list says as much already: an act without a change leaves no event."""


def suppress_many(org: uuid.UUID, asked: Sequence[Wanted], *, actor: Actor) -> int:
    """How many were put on the list; the others were on it already. Raises names.Wrong, Forbidden."""
    _few(len(asked))
    try:
        with act(org, Permission.SUPPRESSION, actor=actor) as doing:
            added = sum(put(doing, one) is not None for one in asked)
            if not added:
                raise _NothingDone
    except _NothingDone:
        return 0
    return added


def unsuppress_many(
    org: uuid.UUID,
    *,
    actor: Actor,
    reason: str,
    reasons: Collection[str],
    scopes: Collection[str],
    addresses: Sequence[str] | None = None,
) -> int:
    """Off the list what stands there for one of `reasons` and keeps back one of `scopes`: of `addresses` (as
    `suppression.spelt` gives them), or all there is (None), MOST at a time. How many. Raises names.Wrong, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    _few(len(addresses or ()))
    try:
        with act(org, Permission.SUPPRESSION, actor=actor) as doing:
            rows = Suppression.objects.filter(org_id=org, removed_at=0, reason__in=reasons, scope__in=scopes)
            if addresses is not None:
                rows = rows.filter(token__in=[token for one in addresses for token in tokens(org, one)])
            found = list(rows.order_by("-id")[:MOST])
            if not found:
                raise _NothingDone
            for row in found:
                _off(doing, row, why)
            doing.tell_engine()
    except _NothingDone:
        return 0
    return len(found)


def _off(doing: Doing, row: Suppression, why: str) -> None:
    facts = {"cause": row.reason, "scope": row.scope}
    values = {"address": address_of(row), "reason": why}
    doing.event("suppression.removed", on=[row.pk], facts=facts, values=values)
    row.removed_at = row.changed_at = doing.at
    row.save(update_fields=["removed_at", "changed_at"])


def _few(count: int) -> None:
    if count > MOST:
        raise names.Wrong("too-many-addresses", f"At most {MOST} addresses at a time.")
