"""Tags that rules give a message for its content, once it was looked into: after the message was indexed at the door.

A look-up joins the tokens of one segment (`archive.segments`), so what is found by a tag and by a word must have all
its tokens in one: the message is indexed again, whole, with the tags. What stands twice is found once."""

from collections.abc import Mapping
from typing import Final

from carepost.archive import header, recipient, segments, tokens
from carepost.archive.tables import raw_value
from carepost.audit.store import Store
from carepost.crypto import index
from carepost.crypto.rest import Damaged
from carepost.ground.errors import NotFound
from carepost.queue.sealing import OrgKeyBook

_MESSAGE: Final = (
    "SELECT m.at, m.header, k.wrapped FROM archive_message m JOIN archive_message_key k "
    "ON k.org_id = m.org_id AND k.id = m.id WHERE m.org_id = ? AND m.id = ?"
)
_DELIVERIES: Final = "SELECT id, recipient, tags FROM archive_delivery WHERE org_id = ? AND message = ?"


def write(store: Store, book: OrgKeyBook, tagged: Mapping[tuple[bytes, bytes], set[str]]) -> None:
    """(organisation, message) -> tags; of messages in history already. Inside `store.writing()`, before the deliveries'
    rows say it. Written again, nothing changes; what was disposed of stays so."""
    for (org, message), tags in tagged.items():
        named = (org.hex(), message.hex())
        about = store.rows(_MESSAGE, named)
        if not about:
            continue
        at, sealed, wrapped = about[0]
        deliveries = store.rows(_DELIVERIES, named)
        if tags <= {tag for row in deliveries for tag in str(row[2]).split()}:
            continue
        try:
            known = header.open_(book, org, message, bytes(sealed), bytes(wrapped))
        except (Damaged, NotFound):
            continue
        day, key = index.day_of(int(at)), tokens.key_of(book, org, int(at))
        found = tokens.of_header(key, day, known) | tokens.of_tags(key, day, tags)
        found |= tokens.of_recipients(key, day, _addresses(book, org, deliveries))
        segments.add(store, org, day, [token + message for token in found])


def _addresses(book: OrgKeyBook, org: bytes, deliveries: list[tuple[object, ...]]) -> list[str]:
    found = []
    for id_, sealed, _ in deliveries:
        assert isinstance(sealed, bytes | memoryview)
        try:
            found.append(recipient.open_(book, org, raw_value(id_), bytes(sealed)))
        except (Damaged, NotFound):
            continue
    return [one for one in found if one]
