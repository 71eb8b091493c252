"""The portal as a method: nothing goes over a network here. The journal lays the message into the portal, in one office
transaction unique by delivery id, from the event `delivery.deposited` and the note sealed beside it."""

import msgspec

from carepost.policy.types import Assurance, Step
from carepost.queue.types import DeliveryRecord
from carepost.wire.types import PortalNote

_encoder = msgspec.json.Encoder()


def note(record: DeliveryRecord, step: Step) -> PortalNote:
    """What the journal needs besides the body: for whom, from whom, and how the person proves who they are."""
    return PortalNote(
        recipient=record.recipient.address,
        sender=record.sender,
        access=record.access,
        by_mail=step.floor < Assurance.MESSAGE,
        rule=step.rule,
        expires_at=record.expires_at,
    )


def encode(portal_note: PortalNote) -> bytes:
    return _encoder.encode(portal_note)


def proof_word(step: Step, record: DeliveryRecord) -> str:
    """The fact `access`: code | question | mailed-code."""
    return "mailed-code" if step.floor < Assurance.MESSAGE else record.access.kind.value
