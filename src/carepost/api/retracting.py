"""Taking one message back: from the queue by its engine, from the portal where it lies there already."""

from carepost.api.shapes import Retracted
from carepost.archive import acts
from carepost.jobs import work
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor


def retract(org: bytes, message: bytes, chosen: tuple[bytes, ...], actor: Actor, reason: str) -> Retracted:
    """`chosen`: deliveries of the message; empty: all. Each act writes its own event. Raises NotFound (absent, another
    organisation's, forbidden, or a delivery that is none of this message), Unavailable."""
    acts.allowed(org, actor, Permission.RETRACT)
    return Retracted(work.retract(org, message, actor, reason, chosen))
