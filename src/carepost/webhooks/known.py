"""What is known of the mail an event is about, opened for the one telling: its leaf, its recipient, its header."""

import uuid
from collections.abc import Mapping

import msgspec

from carepost.archive import header, recipient
from carepost.archive.books import book, opener
from carepost.audit.store import Store
from carepost.crypto.rest import Damaged
from carepost.ground.errors import NotFound
from carepost.proof import event as events
from carepost.proof.event import Event
from carepost.queue.sealing import OrgKeyBook
from carepost.webhooks.calls.rows import Pending
from carepost.wire.types import HistoryRecord


class Leaf(msgspec.Struct, frozen=True):
    event: Event
    sealed: bytes


class Known:
    """Asks on the connection of `store`, inside its `reading`. Raises Unavailable while no key can be read."""

    def __init__(self, store: Store, keys: OrgKeyBook | None = None) -> None:
        self._store = store
        self._book = keys or book()

    def leaf(self, row: Pending) -> Leaf | None:
        """None: past its retention."""
        found = self._store.rows(
            "SELECT event, sealed FROM audit_leaf WHERE org = ? AND source = ? AND seq = ? AND event IS NOT NULL",
            (row.org, row.source, row.seq),
        )
        return Leaf(events.read(bytes(found[0][0])), bytes(found[0][1])) if found else None

    def recipient(self, org: bytes, delivery: str) -> str:
        """The address a delivery is for; "" where it is not known any more."""
        found = self._store.rows(
            "SELECT recipient FROM archive_delivery WHERE id = ? AND org_id = ?", (_hex(delivery), org.hex())
        )
        if not found or not found[0][0]:
            return ""
        try:
            return recipient.open_(self._book, org, bytes.fromhex(_hex(delivery)), bytes(found[0][0]))
        except (Damaged, NotFound):
            return ""

    def kind(self, org: bytes, message: str) -> tuple[str, str]:
        """(category, origin); "" where it is not known."""
        found = self._store.rows(
            "SELECT category, origin FROM archive_message WHERE id = ? AND org_id = ?", (_hex(message), org.hex())
        )
        return (str(found[0][0]), str(found[0][1])) if found else ("", "")

    def header(self, org: bytes, message: str) -> HistoryRecord | None:
        """None: disposed of, or never known."""
        found = self._store.rows(
            "SELECT m.header, k.wrapped FROM archive_message m JOIN archive_message_key k "
            "ON k.id = m.id AND k.org_id = m.org_id WHERE m.id = ? AND m.org_id = ?",
            (_hex(message), org.hex()),
        )
        if not found or not found[0][0]:
            return None
        try:
            return header.open_(self._book, org, bytes.fromhex(_hex(message)), bytes(found[0][0]), bytes(found[0][1]))
        except (Damaged, NotFound):
            return None

    def openings(self, org: bytes, leaf: Leaf) -> Mapping[str, bytes]:
        """What is sealed beside an event; {} where it does not open any more."""
        try:
            opened = opener().openings(org, leaf.event, leaf.sealed)
        except (Damaged, NotFound):
            return {}
        return {name: value for name, (_, value) in opened.items()}


def _hex(text: str) -> str:
    return uuid.UUID(text).hex
