"""Rows of history, written by the journal inside the transaction that extends the log. Plain SQL in bulk (DESIGN 2)."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from carepost.archive import segments
from carepost.archive.tables import org_value
from carepost.audit.store import Store

_MESSAGE: Final = (
    "INSERT INTO archive_message (id, org_id, at, category, origin, size, header, held_at, disposed_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT DO NOTHING"
)
_KEY: Final = "INSERT INTO archive_message_key (id, org_id, wrapped) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_DELIVERY: Final = (
    "INSERT INTO archive_delivery (id, org_id, message, state, method, assurance, reason, rule, provider, content, "
    "tags, opened, clicked, updated_at, recipient) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
#: an empty word leaves what is there; and so does "no" a verdict
_UPDATE: Final = (
    "UPDATE archive_delivery SET state = CASE WHEN ? = '' THEN state ELSE ? END, "
    "method = CASE WHEN ? = '' THEN method ELSE ? END, assurance = CASE WHEN ? = '' THEN assurance ELSE ? END, "
    "reason = CASE WHEN ? = '' THEN reason ELSE ? END, rule = CASE WHEN ? = '' THEN rule ELSE ? END, "
    "provider = CASE WHEN ? = '' THEN provider ELSE ? END, content = CASE WHEN ? = '' THEN content ELSE ? END, "
    "tags = CASE WHEN ? = '' THEN tags ELSE ? END, opened = CASE WHEN ? IN ('', 'no') AND opened <> '' "
    "OR ? = '' THEN opened ELSE ? END, clicked = CASE WHEN ? IN ('', 'no') AND clicked <> '' OR ? = '' THEN clicked "
    "ELSE ? END, updated_at = ? "
    "WHERE id = ? AND org_id = ?"
)
_EFFECT: Final = (
    "INSERT INTO archive_effect (kind, source, seq, org_id, due_at, tries) VALUES (?, ?, ?, ?, ?, 0) "
    "ON CONFLICT DO NOTHING"
)


class MessageRow(msgspec.Struct):
    id: bytes
    org: bytes
    at: int
    category: str
    origin: str
    size: int
    header: bytes
    wrapped: bytes
    tokens: set[bytes]
    day: int


class Change(msgspec.Struct):
    """What a delivery says of itself after some events; "" where they said nothing."""

    delivery: bytes
    org: bytes
    state: str = ""
    method: str = ""
    assurance: str = ""
    reason: str = ""
    rule: str = ""
    provider: str = ""
    at: int = 0
    #: what its content was found to be (policy.content.Level), and the tags rules gave it for that, in order
    content: str = ""
    tags: str = ""
    #: as `wire.types.DeliveryView`
    opened: str = ""
    clicked: str = ""


class DeliveryRow(msgspec.Struct):
    """A delivery first seen, with what has happened to it since within the batch in `change`."""

    message: bytes
    #: sealed (`archive.recipient`)
    recipient: bytes
    change: Change


class Effect(msgspec.Struct, frozen=True):
    """Work the journal owes after its commit: `kind` by the event (`source`, `seq`) of an organisation."""

    kind: str
    source: str
    seq: int
    org: bytes


def write(
    store: Store,
    messages: Sequence[MessageRow],
    deliveries: Sequence[DeliveryRow],
    changes: Iterable[Change],
    effects: Sequence[Effect],
    now: int,
) -> None:
    """Inside `store.writing()`. Written again, nothing changes."""
    if messages:
        named = [(m, m.id.hex(), m.org.hex()) for m in messages]
        store.many(
            _MESSAGE, [(id, org, m.at, m.category, m.origin, m.size, bytearray(m.header)) for m, id, org in named]
        )
        store.many(_KEY, [(id, org, bytearray(m.wrapped)) for m, id, org in named])
        index: dict[tuple[bytes, int], list[bytes]] = {}
        for m in messages:
            index.setdefault((m.org, m.day), []).extend([token + m.id for token in m.tokens])
        for (org, day), entries in index.items():
            segments.add(store, org, day, entries)
    if deliveries:
        store.many(_DELIVERY, [_delivery(row) for row in deliveries])
    updates = [_update(change) for change in changes]
    if updates:
        store.many(_UPDATE, updates)
    if effects:
        store.many(_EFFECT, [(e.kind, e.source, e.seq, org_value(store, e.org), now) for e in effects])


def _delivery(row: DeliveryRow) -> tuple[object, ...]:
    c = row.change
    return (
        c.delivery.hex(), c.org.hex(), row.message.hex(), c.state, c.method, c.assurance, c.reason[:60], c.rule[:120],
        c.provider[:40], c.content, c.tags, c.opened, c.clicked, c.at, bytearray(row.recipient),
    )  # fmt: skip


def _update(c: Change) -> tuple[object, ...]:
    words = (c.state, c.method, c.assurance, c.reason[:60], c.rule[:120], c.provider[:40], c.content, c.tags)
    engaged = (word for one in (c.opened, c.clicked) for word in (one, one, one))
    return (*(word for one in words for word in (one, one)), *engaged, c.at, c.delivery.hex(), c.org.hex())
