"""What the log and history know of a copy: when the recipient's server took it, whose it is, what came after."""

import uuid
from typing import Final

import msgspec

from carepost.archive.books import opener
from carepost.audit import reader
from carepost.audit.store import Store
from carepost.crypto import index
from carepost.crypto.rest import Damaged
from carepost.engagement import sessions
from carepost.ground import ids
from carepost.ground.errors import NotFound
from carepost.proof import kinds
from carepost.tenancy import keys, scope
from carepost.tracking.types import Later

#: one key makes the domain's token for ever, so that copies of any time can be compared
_VERSION: Final = 1


class Known(msgspec.Struct, frozen=True):
    message: uuid.UUID
    #: UTC microseconds of the 250
    sent_at: int
    category: str
    #: token of the recipient's domain; b"": not known any more
    domain: bytes
    later: tuple[Later, ...]


def of_delivery(store: Store, org: uuid.UUID, delivery: uuid.UUID) -> Known | None:
    """None: no server has taken it, as far as the log says."""
    told = reader.events_on(store, org.bytes, ids.text(delivery.bytes))
    sent = next((one.event for one in told if one.event.kind == kinds.DELIVERY_SENT), None)
    if sent is None:
        return None
    later = tuple(Later("unsubscribed", one.event.at - sent.at) for one in told if one.event.kind == kinds.UNSUBSCRIBED)
    address = _address(org, told)
    if address:
        later += sessions.of(org, address, sent.at)
    return Known(uuid.UUID(sent.on[0]), sent.at, sent.category, _domain(org, address), later)


def _address(org: uuid.UUID, told: list[reader.StoredEvent]) -> str:
    """ "": not known any more."""
    first = next((one for one in told if "recipient" in one.event.commit), None)
    if first is None:
        return ""
    try:
        return opener().openings(org.bytes, first.event, first.sealed)["recipient"][1].decode("utf-8", "replace")
    except (Damaged, NotFound, KeyError):
        return ""


def _domain(org: uuid.UUID, address: str) -> bytes:
    if not address:
        return b""
    try:
        with scope.organisation(org):
            key = keys.version(org, "index", _VERSION)
    except NotFound:
        return b""
    return index.token(key, "domain", address.rpartition("@")[2])
