"""Recipients' keys: what the engine found goes from its event into the keyring, what its owner took back, and mail that
waited until somebody decided which key holds."""

import uuid
from typing import Final, Protocol

import msgspec

from carepost.crypto import rest
from carepost.keyring import found as keyring
from carepost.keyring import select
from carepost.proof.event import Event
from carepost.queue.acts import KEY_CHANGED, RETRY
from carepost.queue.sealing import Opener, OrgKeyBook
from carepost.rfc import address as rfc_address
from carepost.wire import found as wire
from carepost.wire.doors import Held, HeldAnswer
from carepost.wire.types import Actor, HeldFilter

_ACTOR: Final = Actor("system", "journal")
#: held deliveries of one page, and pages looked through at once
_PAGE: Final = 100
_PAGES: Final = 100


class Door(Protocol):
    """`intake.client.Client`, as far as this needs it."""

    def held(self, call: Held) -> HeldAnswer: ...

    def act(
        self, verb: str, org: bytes, deliveries: tuple[bytes, ...], actor: Actor, reason: str
    ) -> dict[str, str]: ...


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


def decided(org: bytes, event: Event, door: Door) -> None:
    """Mail for the recipient of this key that was held because it differed is tried again, under all rules as before:
    nothing of it is released. Nothing where another key of theirs still waits for a decision. Raises Unavailable."""
    address = select.settled(uuid.UUID(bytes=org), uuid.UUID(event.on[-1]))
    if not address:
        return
    who, before = rfc_address.matching(address), None
    only = HeldFilter(recipient_domain=address.rpartition("@")[2])
    for _ in range(_PAGES):
        answer = door.held(Held(org, _ACTOR, (), (KEY_CHANGED,), before, _PAGE, only))
        theirs = [uuid.UUID(v.id).bytes for v in answer.deliveries if rfc_address.matching(v.recipient) == who]
        if theirs:
            door.act(RETRY, org, tuple(theirs), _ACTOR, "")
        before = answer.floor
        if before is None:
            return
