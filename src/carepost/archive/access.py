"""The only way to a message of the history (law 7): authorise, scope to the organisation, write the event, answer."""

import uuid
from typing import Final

import msgspec

from carepost.archive import acts, books, engine, header, timeline
from carepost.archive.models import Delivery, Message, MessageKey
from carepost.archive.store import store
from carepost.audit import reader
from carepost.audit.reader import StoredEvent
from carepost.crypto.rest import Damaged
from carepost.ground import ids
from carepost.ground.errors import NotFound, Unavailable
from carepost.proof import kinds
from carepost.tenancy import scope
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor, DeliveryView, HistoryRecord, MessageView

#: states in which the shard knows more than the log: when it is due, and what is under way
_MOVING: Final = frozenset({"queued", "claimed", "deferred", "held"})
#: ends that are no delivery: who took a message back, or refused it, was told so by its shard already
_KEPT_HERE: Final = frozenset({timeline.RETRACTED, "failed", timeline.SUPPRESSED})


def access_message(org: bytes, message: bytes, actor: Actor) -> MessageView:
    """A message with the timeline of each recipient. Raises NotFound (absent, another organisation's, forbidden),
    Unavailable when only its shard could know it and does not answer."""
    acts.allowed(org, actor, Permission.READ)
    view = _from_log(org, message)
    if view is None:
        view = _of_shard(org, message)
    elif any(delivery.state in _MOVING for delivery in view.deliveries):
        view = _with_shard(org, message, view)
    acts.record(kinds.MESSAGE_VIEWED, org, actor, on=[ids.text(message)])
    return view


def states_of(org: bytes, message: bytes) -> dict[bytes, str]:
    """Delivery -> state, for acts upon them; says nothing personal. Empty for what is not there. Raises Unavailable."""
    owner = uuid.UUID(bytes=org)
    with scope.organisation(owner):
        rows = list(Delivery.objects.filter(org_id=owner, message=uuid.UUID(bytes=message)).order_by("id"))
    if rows:
        return {row.id.bytes: row.state for row in rows}
    try:
        return {ids.parse(delivery.id): delivery.state for delivery in _of_shard(org, message).deliveries}
    except NotFound:
        return {}


def header_of(org: bytes, row: Message, key: MessageKey | None) -> HistoryRecord | None:
    """None: disposed of, or damaged."""
    return header_in(org, row.id.bytes, bytes(row.header), bytes(key.wrapped) if key is not None else b"")


def header_in(org: bytes, message: bytes, sealed: bytes, wrapped: bytes) -> HistoryRecord | None:
    """Of what its columns hold; None: disposed of (one is empty), or damaged."""
    if not wrapped or not sealed:
        return None
    try:
        return header.open_(books.book(), org, message, sealed, wrapped)
    except (Damaged, NotFound):
        return None


def opened(org: bytes, stored: StoredEvent) -> timeline.Openings:
    """What is personal of an event; {} where it does not open any more."""
    try:
        return books.opener().openings(org, stored.event, stored.sealed)
    except (Damaged, NotFound):
        return {}


def _from_log(org: bytes, message: bytes) -> MessageView | None:
    owner, id_ = uuid.UUID(bytes=org), uuid.UUID(bytes=message)
    with scope.organisation(owner):
        row = Message.objects.filter(org_id=owner, id=id_).first()
        key = MessageKey.objects.filter(org_id=owner, id=id_).first() if row is not None else None
    if row is None:
        return None
    events = reader.events_on(store(), org, ids.text(message))
    view = timeline.message(
        org,
        message,
        at=row.at,
        origin=row.origin,
        category=row.category,
        size=row.size,
        header=header_of(org, row, key),
        told=[(stored.event, opened(org, stored)) for stored in events],
    )
    if not any(stored.event.facts.get("forwarded") for stored in events):
        return view
    deliveries = (
        timeline.returned(one, [found.event for found in reader.events_on(store(), org, one.id)])
        for one in view.deliveries
    )
    return msgspec.structs.replace(view, deliveries=tuple(deliveries))


def _of_shard(org: bytes, message: bytes) -> MessageView:
    if ids.shard_of(message) == ids.OFFICE:
        raise NotFound
    found = engine.client().lookup(org, message)
    return msgspec.structs.replace(found, deliveries=tuple(map(_worded, found.deliveries)))


def _worded(one: DeliveryView) -> DeliveryView:
    """A shard knows failures; the history has words of their own for two of them."""
    if one.state == "failed" and one.reason in (timeline.SUPPRESSED, timeline.RETRACTED):
        return msgspec.structs.replace(one, state=one.reason)
    return one


def _with_shard(org: bytes, message: bytes, view: MessageView) -> MessageView:
    """What still moves, as its shard knows it; what the log calls final stays as the log says."""
    try:
        live = {delivery.id: delivery for delivery in _of_shard(org, message).deliveries}
    except (NotFound, Unavailable):
        return view
    return msgspec.structs.replace(view, deliveries=tuple(_newer(d, live.get(d.id)) for d in view.deliveries))


def _newer(logged: DeliveryView, live: DeliveryView | None) -> DeliveryView:
    """Nothing is told as delivered that the log could not prove yet. What was noted on the way stands in the log."""
    if live is None or logged.state not in _MOVING or live.state not in _MOVING | _KEPT_HERE:
        return logged
    return msgspec.structs.replace(
        live, notes=logged.notes, content=logged.content, tags=logged.tags, opened=logged.opened, clicked=logged.clicked
    )
