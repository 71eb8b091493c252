"""Taking a message back: from the queue by its engine, from the portal where it lies there already."""

from carepost.api.shapes import Retracted
from carepost.archive import access, acts, engine
from carepost.ground import ids
from carepost.ground.errors import NotFound
from carepost.mailbox import deposits
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

_IN_PORTAL = frozenset({"deposited", "opened"})
_OVER = frozenset({"sent", "failed", "tested", "expired", "retracted"})


def retract(org: bytes, message: bytes, chosen: tuple[bytes, ...], actor: Actor, reason: str) -> Retracted:
    """`chosen`: deliveries of the message; empty: all. Each act writes its own event. Raises NotFound (absent, another
    organisation's, forbidden, or a delivery that is none of this message), Unavailable."""
    acts.allowed(org, actor, Permission.RETRACT)
    known = access.states_of(org, message)
    if not known or any(delivery not in known for delivery in chosen):
        raise NotFound
    done: dict[str, str] = {}
    queued = []
    for delivery in chosen or tuple(known):
        state = known[delivery]
        if state in _IN_PORTAL:
            done[ids.text(delivery)] = deposits.retract(org, delivery, actor=actor, reason=reason)
        elif state in _OVER:
            done[ids.text(delivery)] = state if state == "retracted" else "not-possible"
        else:
            queued.append(delivery)
    if queued:
        done.update(engine.client().act("retract", org, tuple(queued), actor, reason))
    return Retracted(done)
