"""Disposal of content and legal hold, carried out by the journal: the wrapped key and the index rows go in one
transaction that checks the hold; events and hashes stay (DESIGN 5, two lives).

The event is appended to the office's outbox first: of a crash in between an event remains that says more than was done,
never a disposal nobody knows of; the disposal is then repeated."""

import uuid

from carepost.archive import acts, books, segments, tokens
from carepost.archive.lists import show
from carepost.archive.models import Message
from carepost.audit.store import Store
from carepost.crypto import index
from carepost.ground import clock, ids
from carepost.ground.errors import Refused
from carepost.proof import kinds
from carepost.tenancy import scope
from carepost.wire.types import Actor

HOLD_PLACED = "message.hold-placed"
HOLD_LIFTED = "message.hold-lifted"


class Held(Refused):
    """Nothing under legal hold is disposed of."""

    def __init__(self) -> None:
        super().__init__("legal-hold", "This message is under legal hold; lift the hold first.", status=409)


def dispose(store: Store, org: bytes, message: bytes, *, actor: Actor, reason: str) -> bool:
    """`store`: the journal's own connection. False: it was not there or disposed of already. Raises Held."""
    found = show(org, [message])
    if not found or found[0].header is None:
        return False
    with store.writing():
        _not_held(store, message)
    acts.record(kinds.MESSAGE_DISPOSED, org, actor, on=[ids.text(message)], values={"reason": reason})
    shown = found[0]
    assert shown.header is not None
    day, gone = index.day_of(shown.line.at), set[bytes]()
    for key in tokens.keys_of(books.book(), org, day):
        gone |= tokens.of_header(key, day, shown.header)
        gone |= tokens.of_recipients(key, day, [d.recipient for d in shown.line.deliveries if d.recipient])
        gone |= tokens.of_tags(key, day, {tag for d in shown.line.deliveries for tag in d.tags})
    with store.writing():
        # the hold is looked at in the transaction that deletes: one placed meanwhile wins
        _not_held(store, message)
        store.rows("DELETE FROM archive_message_key WHERE id = ? AND org_id = ?", (message.hex(), org.hex()))
        segments.remove(store, org, day, [token + message for token in gone])
        store.rows(
            "UPDATE archive_message SET header = ?, disposed_at = ? WHERE id = ? AND org_id = ?",
            (b"", clock.now(), message.hex(), org.hex()),
        )
        # COMMIT POINT: a crash before it leaves the content readable and an event that says it is disposed of; the
        # caller disposes of it again. After it nothing opens the header any more.
    return True


def hold(store: Store, org: bytes, message: bytes, *, actor: Actor, reason: str) -> bool:
    """Puts a message under legal hold. False: it is not there."""
    return _mark(store, org, message, clock.now(), HOLD_PLACED, actor, reason)


def lift(store: Store, org: bytes, message: bytes, *, actor: Actor, reason: str) -> bool:
    return _mark(store, org, message, 0, HOLD_LIFTED, actor, reason)


def _mark(store: Store, org: bytes, message: bytes, at: int, kind: str, actor: Actor, reason: str) -> bool:
    owner = uuid.UUID(bytes=org)
    with scope.organisation(owner):
        if not Message.objects.filter(org_id=owner, id=uuid.UUID(bytes=message)).exists():
            return False
    acts.record(kind, org, actor, on=[ids.text(message)], values={"reason": reason})
    return mark(store, org, message, at)


def mark(store: Store, org: bytes, message: bytes, at: int) -> bool:
    """`at`: held since (UTC microseconds); 0: held no longer. False: it is not there, or was disposed of. The caller
    has put the act on record."""
    named = (message.hex(), org.hex())
    with store.writing():
        there = store.rows("SELECT 1 FROM archive_message WHERE id = ? AND org_id = ? AND disposed_at = 0", named)
        store.rows("UPDATE archive_message SET held_at = ? WHERE id = ? AND org_id = ?", (at, *named))
    return bool(there)


def _not_held(store: Store, message: bytes) -> None:
    rows = store.rows("SELECT held_at FROM archive_message WHERE id = ?", (message.hex(),))
    if rows and int(rows[0][0]):
        raise Held
