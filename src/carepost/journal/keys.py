"""Recipients' keys: what the engine found goes from its event into the keyring, and what its owner took back."""

import uuid

import msgspec

from carepost.crypto import rest
from carepost.keyring import found as keyring
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
