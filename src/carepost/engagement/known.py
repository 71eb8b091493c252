"""What the log and history know of a copy: when the recipient's server took it, whose it is, what came after."""

import uuid

import msgspec

from carepost.archive.books import opener
from carepost.audit import reader
from carepost.audit.store import Store
from carepost.crypto.rest import Damaged
from carepost.engagement import sessions
from carepost.ground import ids
from carepost.ground.errors import NotFound
from carepost.proof import kinds
from carepost.tenancy import address_tokens, scope
from carepost.tracking.types import Later


class Known(msgspec.Struct, frozen=True):
    message: uuid.UUID
    #: UTC microseconds of the 250
    sent_at: int
    category: str
    #: tokens of the recipient's domain, the newest key's first: what another copy to it may have. Empty: not known
    #: any more
    domains: tuple[bytes, ...]
    later: tuple[Later, ...]
    #: version of the index key of the first
    under: int = 0

    @property
    def domain(self) -> bytes:
        return self.domains[0] if self.domains else b""


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
    under, domains = _domains(org, address)
    return Known(uuid.UUID(sent.on[0]), sent.at, sent.category, domains, later, under)


def domain_of(store: Store, org: uuid.UUID, delivery: uuid.UUID) -> str:
    """The recipient's; "": not known any more."""
    return _address(org, reader.events_on(store, org.bytes, ids.text(delivery.bytes))).rpartition("@")[2]


def _address(org: uuid.UUID, told: list[reader.StoredEvent]) -> str:
    """ "": not known any more."""
    first = next((one for one in told if "recipient" in one.event.commit), None)
    if first is None:
        return ""
    try:
        return opener().openings(org.bytes, first.event, first.sealed)["recipient"][1].decode("utf-8", "replace")
    except (Damaged, NotFound, KeyError):
        return ""


def _domains(org: uuid.UUID, address: str) -> tuple[int, tuple[bytes, ...]]:
    """(version of the newest index key, tokens). Copies follow a change of the key a few at a time, and some that were
    there before they did stand under one that counts as empty: all there were are asked."""
    domain = address.rpartition("@")[2]
    if not domain:
        return 0, ()
    try:
        with scope.organisation(org):
            keys = address_tokens.ever(org)
    except NotFound:
        return 0, ()
    return keys.version, tuple(keys.domains(domain))
