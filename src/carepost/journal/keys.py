"""Recipients' keys: what the engine found goes from its event into the keyring, and that one was used is noted."""

import uuid

import msgspec

from carepost.crypto import rest
from carepost.keyring import found as keyring
from carepost.keyring import own_acts
from carepost.proof import kinds
from carepost.proof.event import Event
from carepost.queue.sealing import Opener, OrgKeyBook
from carepost.wire import found as wire


def lay(book: OrgKeyBook, org: bytes, event: Event, sealed: bytes) -> None:
    """Carries out one `keyring.key-found`; done before, it changes nothing. Raises Damaged, NotFound."""
    try:
        found = wire.decode(Opener(book).openings(org, event, sealed)["key"][1])
    except (KeyError, msgspec.MsgspecError):
        raise rest.Damaged("a found key without the key") from None
    keyring.take(uuid.UUID(bytes=org), found)


def withdrawn(org: bytes, event: Event) -> None:
    """Carries out one `keyring.key-withdrawn`: the portal saw to it that its owner asked."""
    keyring.withdraw(uuid.UUID(bytes=org), uuid.UUID(event.on[0]))


def used(org: bytes, event: Event) -> None:
    """A message was encrypted to them or signed with them: the delivery's event names them. Done before, it changes
    nothing."""
    if kinds.RECIPIENT_KEY in event.facts:
        keyring.used(uuid.UUID(bytes=org), uuid.UUID(event.facts[kinds.RECIPIENT_KEY]), event.at)
    if kinds.SIGNING_KEY in event.facts:
        own_acts.used(uuid.UUID(bytes=org), uuid.UUID(event.facts[kinds.SIGNING_KEY]), event.at)
