"""An event as an endpoint is told of it: Standard Webhooks' shape. Thin: ids, codes and words; what is personal only
where an agreement is on file, and then sealed by nothing but TLS."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from carepost.archive import timeline
from carepost.ground import clock
from carepost.proof.event import Event
from carepost.webhooks.filters import TESTED
from carepost.webhooks.targets import Target
from carepost.wire.types import HistoryRecord, Told

#: addresses that belong to nobody (RFC 2606)
REDACTED: Final = "redacted.invalid"
#: facts told as they are; none is personal
_FACTS: Final = (
    "method", "required", "code", "enhanced", "stage", "tls", "rule", "origin", "content", "verdict", "verdict-before",
    "confidence", "link", "bounce", "bounce-class", "reported", "tries-until",
)  # fmt: skip


class About(msgspec.Struct, frozen=True):
    """What was looked up for one event. `recipient` "": it is about none, or none is known. `header` and `openings`
    only where an agreement is on file."""

    category: str
    recipient: str = ""
    header: HistoryRecord | None = None
    openings: Mapping[str, bytes] = {}
    #: wire.types.Origin of the message; "": not known
    origin: str = ""


def token(target: Target, address: str) -> str:
    """What stands for an address: always the same at this endpoint, and nothing at another."""
    digest = hmac.digest(target.token, address.casefold().encode(), hashlib.sha256)
    return f"{digest[:16].hex()}@{REDACTED}"


def email(target: Target, about: About) -> str:
    if not about.recipient:
        return ""
    return about.recipient if target.agreed else token(target, about.recipient)


def body(target: Target, event: Event, about: About) -> bytes:
    """JSON: `type`, `timestamp`, `data`."""
    data: dict[str, Any] = {"event_id": event.id}
    if event.kind != TESTED:
        data |= _mail(target, event, about)
    said = {"type": event.kind, "timestamp": clock.rfc3339(event.at), "data": data}
    return msgspec.json.encode(said)


def _mail(target: Target, event: Event, about: About) -> dict[str, Any]:
    data: dict[str, Any] = {"message_id": event.on[0]}
    if len(event.on) > 1:
        data["delivery_id"] = event.on[1]
    data["category"] = about.category
    data["result"] = event.result
    for name, value in (
        ("reason", reason(event)), ("state", timeline.state_after(event)),
        ("assurance", timeline.assurance_after(event)), ("email", email(target, about)),
    ):  # fmt: skip
        if value:
            data[name] = value
    data |= {name.replace("-", "_"): event.facts[name] for name in _FACTS if name in event.facts}
    if event.facts.get("attempt", "").isdigit():
        data["attempt"] = int(event.facts["attempt"])
    data["order"] = {"source": event.source, "number": event.seq}
    data["redacted"] = not target.agreed
    if target.agreed:
        data |= _personal(about)
    return data


def _personal(about: About) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if about.header is not None:
        head = about.header
        data |= {"from": head.from_ or head.sender, "subject": head.subject, "header_message_id": head.message_id,
                 "tags": list(head.tags), "metadata": dict(head.metadata)}  # fmt: skip
    reply, words = response(about), told(about)
    return data | ({"response": reply} if reply else {}) | ({"words": words} if words else {})


def reason(event: Event) -> str:
    """The stable code of why; the office's acts say it among their facts."""
    return event.cause or event.facts.get("cause", "")


def response(about: About) -> str:
    """What the recipient's server answered."""
    try:
        found = msgspec.json.decode(about.openings["wire"], type=dict[str, Any])
    except (KeyError, msgspec.MsgspecError):
        return ""
    return str(found.get("reply") or "")


def told(about: About) -> str:
    """The sentence the delivery's page shows."""
    try:
        found = msgspec.json.decode(about.openings["words"], type=Told)
    except (KeyError, msgspec.MsgspecError):
        return ""
    return found.attempt or found.delivery
