"""The addresses nothing is sent to, as people may see them: opened one list at a time, each list an event (law 7)."""

import uuid

import msgspec
from django.db import transaction

from carepost.crypto.rest import Damaged
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.proof import kinds
from carepost.tenancy import events, scope, select
from carepost.tenancy.actions.suppression import address_of
from carepost.tenancy.permissions import Forbidden, Permission, authorise
from carepost.wire.types import Actor

LISTED = "suppression.listed"
#: rows of one list at most
MOST = 1000


class Suppressed(msgspec.Struct, frozen=True):
    id: str
    address: str
    #: bounce | complaint | unsubscribe | request
    reason: str
    #: UTC microseconds
    at: int


def listing(org: bytes, actor: Actor) -> list[Suppressed]:
    """The newest first. Raises NotFound when `actor` may not see them."""
    owner = uuid.UUID(bytes=org)
    with scope.organisation(owner):
        try:
            authorise(actor, Permission.SUPPRESSION, owner)
        except Forbidden:
            raise NotFound from None
        found = []
        for row in select.suppressions(owner)[:MOST]:
            try:
                found.append(Suppressed(str(row.pk), address_of(row), row.reason, row.created_at))
            except (Damaged, NotFound):
                found.append(Suppressed(str(row.pk), "", row.reason, row.created_at))
        draft, openings = kinds.make(
            LISTED,
            id=events.new_id(),
            org=str(owner),
            at=clock.now(),
            actor=(actor.kind, actor.id),
            on=[],
            facts={"count": str(len(found))},
        )
        with transaction.atomic():
            events.append(draft, openings)
    return found
