"""What an attempt adds so that what comes back names its delivery: the signed envelope sender, and of marketing mail
the fields to unsubscribe by (RFC 8058) and for feedback loops. Mail that asks for none of it pays a comparison."""

import hashlib
from typing import Final, Protocol

from carepost.directory.types import OrgSnapshot
from carepost.policy.types import Category, Kind
from carepost.queue.types import Claim, MessageRecord
from carepost.wire.types import Origin

#: mail that nobody reads answers to at its sender's: by the API, and notices
_ORIGINS: Final = frozenset({Origin.API.value, Origin.CAMPAIGN.value})
#: a person may read what comes back; with the organisation's leave it comes here, and they are told
_SMTP: Final = Origin.SMTP.value
_NOTICE: Final = Kind.NOTICE.value
_MESSAGE: Final = Kind.MESSAGE.value
_MARKETING: Final = Category.MARKETING.value
_FIELD: Final = b"list-unsubscribe:"


class Signed(Protocol):
    """`intake.returns.Returns`."""

    def address(self, snapshot: OrgSnapshot, delivery: bytes) -> str: ...

    def link(self, snapshot: OrgSnapshot, delivery: bytes) -> str: ...

    def link_key(self, snapshot: OrgSnapshot) -> tuple[int, bytes] | None: ...


class Organisations(Protocol):
    """`directory.Directory`."""

    def snapshot(self, org: bytes) -> OrgSnapshot: ...


class Door(Protocol):
    """`intake.Intake`."""

    @property
    def returns(self) -> Signed: ...


class World(Protocol):
    """`delivery.world.World`, as far as a return path needs it."""

    @property
    def directory(self) -> Organisations: ...

    @property
    def intake(self) -> Door: ...


def sender(world: World, message: MessageRecord, claim: Claim, otherwise: str) -> str:
    """The envelope sender; `otherwise` where the organisation has no return path, or somebody reads what comes back.
    The same at each attempt."""
    if not otherwise:
        return otherwise
    ours = message.origin in _ORIGINS or message.kind == _NOTICE
    if not ours and (message.origin != _SMTP or message.gateway):
        return otherwise
    snapshot = world.directory.snapshot(claim.org)
    if not snapshot.return_path or not (ours or snapshot.return_path_smtp):
        return otherwise
    return world.intake.returns.address(snapshot, claim.delivery) or otherwise


def marketing(message: MessageRecord) -> bool:
    return message.category == _MARKETING and message.kind == _MESSAGE


def headed(signed: Signed, snapshot: OrgSnapshot, message: MessageRecord, claim: Claim, body: bytes) -> bytes:
    """`body` with what marketing mail must carry, before DKIM, which covers it. What the sender wrote of these fields
    stands: theirs is the list."""
    end = body.find(b"\r\n\r\n")
    head = b"\n" + body[: end if end >= 0 else len(body)].lower()
    fields = b""
    if b"\n" + _FIELD not in head and (link := signed.link(snapshot, claim.delivery)):
        fields += f"List-Unsubscribe: <{link}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n".encode()
    if b"\nfeedback-id:" not in head:
        fields += f"Feedback-ID: {feedback_id(snapshot, message)}\r\n".encode()
    return fields + body


def feedback_id(snapshot: OrgSnapshot, message: MessageRecord) -> str:
    """`campaign:stream:organisation:carepost`: hashes and constants. A campaign is what bears the same tags."""
    tags = "\0".join(sorted(message.tags)).encode()
    campaign = hashlib.sha256(snapshot.id + tags).hexdigest()[:10] if tags else "none"
    return f"{campaign}:{message.category}:{hashlib.sha256(snapshot.id).hexdigest()[:10]}:carepost"
