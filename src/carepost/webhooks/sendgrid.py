"""Events under SendGrid's names and in its shape (its event webhook, v3): arrays of flat objects."""

import base64
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from carepost.ground import ids
from carepost.proof import kinds
from carepost.proof.event import Event
from carepost.webhooks import payload
from carepost.webhooks.filters import TESTED
from carepost.webhooks.payload import REDACTED, About
from carepost.webhooks.targets import Target
from carepost.wire.types import SENT_HERE

#: kind -> SendGrid's event; what has no counterpart there is not told in this format
NAMES: Final = {
    kinds.DELIVERY_QUEUED: "processed",
    kinds.DELIVERY_DEFERRED: "deferred",
    kinds.DELIVERY_SENT: "delivered",
    kinds.DELIVERY_DEPOSITED: "delivered",
    kinds.DELIVERY_FAILED: "bounce",
    kinds.DELIVERY_BOUNCED: "bounce",
    kinds.DELIVERY_COMPLAINED: "spamreport",
    kinds.DELIVERY_REFUSED: "dropped",
    kinds.DELIVERY_RETRACTED: "dropped",
    kinds.DELIVERY_TURNED_DOWN: "dropped",
    kinds.PORTAL_OPENED: "open",
    kinds.PORTAL_VIEWED: "open",
    kinds.TRACKING_OPENED: "open",
    kinds.TRACKING_CLICKED: "click",
}
_MACHINE: Final = "automated"
#: failures that say nothing about the mailbox: SendGrid calls them blocked
_ABOUT_THE_MAILBOX: Final = ("5.1.", "5.2.")


def one(target: Target, event: Event, about: About) -> dict[str, Any] | None:
    """None: SendGrid has no such event. Nor has it mail that nobody sent: reports, notices, what came from outside."""
    if about.origin and about.origin not in SENT_HERE:
        return None
    name = "processed" if event.kind == TESTED else NAMES.get(event.kind)
    if name == "bounce" and event.cause == "suppressed":
        # nothing was sent, so nothing came back
        name = "dropped"
    if name is None or (event.kind != TESTED and len(event.on) < 2):
        return None
    if name == "click" and event.facts.get("verdict") == _MACHINE:
        # there a click is a person's: no word says otherwise
        return None
    said: dict[str, Any] = {
        "email": payload.email(target, about) or f"unknown@{REDACTED}",
        "timestamp": event.at // 1_000_000,
        "event": name,
        "sg_event_id": base64.urlsafe_b64encode(ids.parse(event.id)).decode().rstrip("="),
        "sg_message_id": ".".join(event.on) if event.kind != TESTED else "test",
        "carepost_event": event.kind,
    }
    if event.kind == TESTED:
        return said
    said["category"] = [about.category] if about.category else []
    said |= _details(name, event, about if target.agreed else None)
    if target.agreed and about.header is not None:
        said["smtp-id"] = about.header.message_id
        if about.header.tags:
            said["category"] = list(about.header.tags)
        # custom arguments stand beside the fields, and never instead of one
        said = {**about.header.metadata, **said}
    return said


def body(several: Sequence[dict[str, Any]]) -> bytes:
    return msgspec.json.encode(list(several))


def _details(name: str, event: Event, personal: About | None) -> dict[str, Any]:
    """`personal`: where it may be told."""
    reply = payload.response(personal) if personal is not None else ""
    status = event.facts.get("enhanced", "")
    found: dict[str, Any] = {}
    if event.facts.get("tls", "none") != "none":
        found["tls"] = 1
    if name == "delivered":
        found["response"] = reply or event.facts.get("code", "250")
    elif name == "deferred":
        found |= {"response": reply or event.facts.get("code", ""), "attempt": event.facts.get("attempt", "1")}
    elif name == "bounce":
        known = not status or status.startswith(_ABOUT_THE_MAILBOX)
        found |= {
            "reason": reply or payload.reason(event),
            "status": status or "5.0.0",
            "type": "bounce" if known else "blocked",
        }
    elif name == "open":
        # of a picture; of the portal a person's, by a POST
        found["sg_machine_open"] = event.facts.get("verdict", "human") != "human"
    elif name == "dropped":
        found |= {"reason": payload.reason(event), "status": status or "5.0.0"}
    return found
