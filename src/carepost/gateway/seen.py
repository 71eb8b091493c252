"""How each step of a connection was last seen to work: carried out by the journal for the engine's events."""

import uuid
from typing import Final

from carepost.gateway.models import Connection, Seen
from carepost.proof import kinds
from carepost.proof.event import Event
from carepost.tenancy import scope

#: handed over by the tenant's system, and taken; refused; taken from the world for it; its host took a copy; it did not
RECEIVED, REFUSED, INBOUND, SENT, FAILED = "received", "refused", "inbound", "sent", "failed"
#: a test message has gone once round
RETURNED: Final = "returned"
_STEPS: Final = {
    kinds.MESSAGE_ACCEPTED: RECEIVED, kinds.SENDER_REFUSED: REFUSED, kinds.DELIVERY_SENT: SENT,
    kinds.DELIVERY_DEFERRED: FAILED, kinds.DELIVERY_FAILED: FAILED, kinds.GATEWAY_RETURNED: RETURNED,
}  # fmt: skip


def step_of(event: Event) -> str:
    """Which step an event tells of; "" for none."""
    if "gateway" not in event.facts:
        return ""
    if event.kind == kinds.MESSAGE_ACCEPTED and event.facts.get("origin") == "inbound":
        return INBOUND
    return _STEPS.get(event.kind, "")


def note(org: bytes, event: Event) -> None:
    """Done before, it does nothing; an older event does not undo a later one."""
    step = step_of(event)
    owner = uuid.UUID(bytes=org)
    with scope.organisation(owner):
        try:
            row = Connection.objects.filter(org_id=owner, pk=uuid.UUID(event.facts["gateway"])).first()
        except ValueError:
            return
        if row is None or not step:
            return
        known = Seen.objects.filter(org_id=owner, connection=row, step=step).first()
        if known is None:
            known = Seen(org_id=owner, connection=row, step=step, at=0)
        if event.at < known.at:
            return
        known.at, known.cause = event.at, event.cause if step in (REFUSED, FAILED) else ""
        known.message = event.on[0] if event.on and step not in (REFUSED, RETURNED) else ""
        known.save()
