"""The organisation's records as the console asks for them. Each is a gate of the archive, which authorises, scopes to
the organisation and writes the event before it answers (law 7)."""

from uuid import UUID

from carepost.archive import access, health, search
from carepost.archive import proof as proofs
from carepost.archive.health import JournalState
from carepost.archive.lists import Page
from carepost.archive.search import Wanted
from carepost.ground.home import Home
from carepost.tenancy.gates import Desk
from carepost.wire.types import MessageView

__all__ = ["Page", "Wanted", "access_message", "find", "journal", "proof"]


def find(desk: Desk, wanted: Wanted, *, cursor: str, limit: int) -> Page:
    """Newest first; a plain list where nothing but state and time is given. Raises NotFound, Refused."""
    return search.search(desk.org.bytes, desk.actor, wanted, after=cursor, limit=limit)


def access_message(desk: Desk, message: UUID) -> MessageView:
    """Raises NotFound, Unavailable."""
    return access.access_message(desk.org.bytes, message.bytes, desk.actor)


def proof(desk: Desk, message: UUID, delivery: UUID) -> bytes:
    """The proof file of one delivery. Raises NotFound."""
    return proofs.build(desk.org.bytes, message.bytes, delivery.bytes, desk.actor)


def journal(home: Home) -> JournalState:
    return health.journal(home.run)
