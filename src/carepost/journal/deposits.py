"""Laying a message into the portal: its ciphertext as the shard keeps it, its content key under the portal's."""

from typing import Protocol

import msgspec

from carepost.crypto import rest, wrap
from carepost.ground import ids
from carepost.mailbox.deposits import NewDeposit, deposit
from carepost.mailbox.records import DepositRecord
from carepost.proof.event import Event
from carepost.queue.sealing import Opener, OrgKeyBook
from carepost.queue.types import MessageRecord, StoredBody
from carepost.rfc import message as rfc_message
from carepost.rfc.errors import MessageError
from carepost.wire.types import Origin, PortalNote

PORTAL = "portal"


class Bodies(Protocol):
    """`intake.client.Client`, as far as a deposit needs it. Raises Unavailable, NotFound."""

    def body(self, org: bytes, message: bytes) -> StoredBody: ...


def lay(book: OrgKeyBook, door: Bodies, org: bytes, event: Event, sealed: bytes) -> None:
    """Carries out one `delivery.deposited`; done before, it does nothing. Raises Unavailable, NotFound when the shard
    has no such body, Damaged."""
    opener = Opener(book)
    note = _note(opener, org, event, sealed)
    message, delivery = ids.parse(event.on[0]), ids.parse(event.on[1])
    stored = door.body(org, message)
    record = opener.message_record(org, message, stored.record)
    content_key = opener.content_key(org, message, stored.wrapped_key)
    version, portal_key = book.current(org, PORTAL)
    body = rest.open_body(content_key, org, message, list(stored.chunks))
    deposit(
        NewDeposit(
            org=org,
            delivery=delivery,
            message=message,
            record=DepositRecord(
                sender=record.header_from or note.sender,
                sender_name=_name(body, record),
                recipient=note.recipient,
                subject=record.subject,
                header_id=record.message_id,
                sent_at=ids.made_at(message),
                access=note.access,
                mailed=record.origin == Origin.REPLY.value,
            ),
            chunks=stored.chunks,
            wrapped_key=wrap.wrap_key(portal_key, content_key, org + message, version),
            policy=event.policy,
            category=event.category,
            rule=note.rule,
            expires_at=note.expires_at,
            thread=record.thread,
        )
    )


def _note(opener: Opener, org: bytes, event: Event, sealed: bytes) -> PortalNote:
    try:
        return msgspec.json.decode(opener.openings(org, event, sealed)["portal"][1], type=PortalNote)
    except (KeyError, msgspec.MsgspecError):
        raise rest.Damaged("a deposit without its note") from None


def _name(body: bytes, record: MessageRecord) -> str:
    """The sender's display name as the message gives it; "" when it gives none of that address."""
    try:
        people = rfc_message.read(body).from_
    except MessageError:
        return ""
    return next((person.name for person in people if person.address == record.header_from), "")
