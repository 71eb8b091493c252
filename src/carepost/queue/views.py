"""Rows as those outside see them: the answer to an acceptance, and a message with its deliveries."""

from collections.abc import Iterable

from carepost.ground import ids
from carepost.ground.errors import Refused
from carepost.policy.types import Assurance, label
from carepost.queue import events
from carepost.queue.types import DeliveryRecord, MessageRecord, NewDelivery, State
from carepost.spool.types import DeliveryRow, MessageFound
from carepost.wire.pacing import HeldBack
from carepost.wire.types import Accepted, AcceptedDelivery, DeliveryView, MessageView


def accepted(message: bytes, deliveries: Iterable[NewDelivery], repeats: bytes | None = None) -> Accepted:
    return Accepted(
        ids.text(message),
        tuple([accepted_delivery(d) for d in deliveries]),
        repeats=ids.text(repeats) if repeats is not None else None,
    )


def accepted_delivery(new: NewDelivery, id_text: str | None = None) -> AcceptedDelivery:
    """A delivery already leased to the worker is `queued` to whoever handed the message over."""
    record = new.record
    id_text = ids.text(new.id) if id_text is None else id_text
    if new.foreseen is not None:
        said = new.foreseen
        return AcceptedDelivery(
            id_text, record.recipient.address, new.state._value_, said.method, said.reason, said.words, said.rule
        )
    method = events.method(record)
    return AcceptedDelivery(
        id_text,
        record.recipient.address,
        new.state._value_,
        method._value_ if method is not None else "",
        record.reason,
        record.words,
        record.rule,
    )


def delivery(row: DeliveryRow, record: DeliveryRecord, held_back: HeldBack | None = None) -> DeliveryView:
    method = events.method(record)
    assurance = record.assurance
    if not assurance and record.last_achieved is not None:
        assurance = label(Assurance(record.last_achieved), method)
    return DeliveryView(
        id=ids.text(row.id),
        recipient=record.recipient.address,
        state=row.state,
        method=method._value_ if method is not None else "",
        assurance=assurance if row.state in (State.SENT, State.DEPOSITED) else "",
        reason=record.reason,
        words=record.words,
        rule=record.rule,
        due_at=row.due_at,
        attempts=record.attempts,
        held_back=held_back,
        until=row.lease_until if row.state == State.HELD else 0,
        then=record.held_then if row.state == State.HELD and row.lease_until else "",
    )


def message(found: MessageFound, record: MessageRecord, deliveries: tuple[DeliveryView, ...]) -> MessageView:
    return MessageView(
        id=ids.text(found.id),
        org=ids.text(found.org),
        at=found.at,
        sender=record.sender,
        subject=record.subject,
        message_id=record.message_id,
        origin=record.origin,
        category=record.category,
        size=found.size,
        deliveries=deliveries,
    )


def reused() -> Refused:
    """BI-083."""
    return Refused(
        "idempotency-key-reused",
        "This idempotency key was used for another message. Use a new key for a new message.",
        enhanced="5.5.4",
        status=422,
    )


def again(found: Accepted) -> Accepted:
    """The earlier acceptance, told again."""
    return Accepted(found.message_id, found.deliveries, repeated=True, repeats=found.repeats)
