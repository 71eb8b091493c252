"""The events of looking: each is committed before what it tells of is shown (law 7)."""

import uuid
from collections.abc import Mapping, Sequence

from django.db import transaction

from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.proof import kinds
from carepost.tenancy import events, scope
from carepost.tenancy.permissions import Forbidden, Permission, authorise
from carepost.wire.types import Actor


def allowed(org: bytes, actor: Actor, permission: Permission) -> None:
    """Raises NotFound: forbidden is answered as absent is."""
    owner = uuid.UUID(bytes=org)
    try:
        with scope.organisation(owner):
            authorise(actor, permission, owner)
    except Forbidden:
        raise NotFound from None


def record(
    kind: str,
    org: bytes,
    actor: Actor,
    *,
    on: Sequence[str] = (),
    facts: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
) -> None:
    """One event of the office, durable when this returns."""
    owner = uuid.UUID(bytes=org)
    draft, openings = kinds.make(
        kind,
        id=events.new_id(),
        org=str(owner),
        at=clock.now(),
        actor=(actor.kind, actor.id),
        on=list(on),
        values={name: text.encode() for name, text in (values or {}).items()},
        facts=facts,
    )
    with scope.organisation(owner), transaction.atomic():
        events.append(draft, openings)
