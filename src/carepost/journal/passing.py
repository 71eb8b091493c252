"""Mail by SMTP whose bounces come back here: its sender is told what came back, by a report of ours (RFC 3464).

It names the message and this recipient, as every report of ours does, and nothing of what the other side wrote. Once a
delivery, however often it is told: the report's key says so. Where the content is gone, nobody is known to be told."""

import hashlib
import uuid
from typing import Final, Protocol

from django.conf import settings

from carepost.archive import header
from carepost.archive.models import Message, MessageKey
from carepost.crypto.rest import Damaged
from carepost.destinations.bounces import words_of
from carepost.ground import clock, ids, metrics
from carepost.ground.errors import NotFound, Refused
from carepost.policy.types import Category, DataClass, Kind, Purpose
from carepost.queue.sealing import OrgKeyBook
from carepost.rfc import dsn
from carepost.rfc.address import Mailbox
from carepost.rfc.envelope import Envelope, Recipient
from carepost.rfc.errors import RfcError
from carepost.tenancy import scope, select
from carepost.wire import bounces as wire
from carepost.wire.types import Accepted, Actor, HistoryRecord, Origin, Submission

_ACTOR: Final = Actor("system", "journal")
_NAME: Final = "Mail Delivery"
#: success is `relayed`, whatever the other system calls it: we know its word, and nothing of a mailbox
_ACTIONS: Final = {
    wire.DELAYED: dsn.Action.DELAYED, wire.DELIVERED: dsn.Action.RELAYED, wire.RELAYED: dsn.Action.RELAYED,
    wire.EXPANDED: dsn.Action.RELAYED,
}  # fmt: skip
_WORDS: Final = {
    wire.DELAYED: "The recipient's mail system had accepted it, and reported that it has not delivered it yet.",
    wire.DELIVERED: "The recipient's mail system reported that it delivered it to the mailbox.",
    wire.RELAYED: "The recipient's mail system reported that it passed it on to a system that sends no reports.",
    wire.EXPANDED: "The recipient's mail system reported that it passed it on to the members of a list.",
}


class Door(Protocol):
    """The one door (`intake.client.Client`). Raises Unavailable, Refused."""

    def accept(self, submission: Submission) -> Accepted: ...


def pass_on(
    door: Door, book: OrgKeyBook, org: bytes, message: bytes, delivery: bytes, address: str, came: wire.Of
) -> bool:
    """Whether a report was handed in. Raises Unavailable. What other systems report besides failures is what the
    sender's NOTIFY had asked them for (RFC 3461 4.1)."""
    record = _record(book, org, message)
    domain = _domain(org, record.sender) if record is not None and record.sender else ""
    if record is None or not domain:
        return False
    try:
        raw = dsn.build(
            dsn.Report(
                action=_ACTIONS.get(came.action, dsn.Action.FAILED), status=_status(came), recipient=address,
                arrived=ids.made_at(message),
                words=_WORDS.get(came.action) or words_of(came.reason, came.klass),
            ),
            reporting=settings.CAREPOST_HOSTNAME,
            from_=Mailbox(_NAME, f"mailer-daemon@{domain}"),
            to=record.sender,
            message_id=f"<{ids.text(ids.new())}@{domain}>",
            at=clock.now(),
            original={"Message-ID": record.message_id, "From": record.from_},
        )  # fmt: skip
        door.accept(_submission(org, delivery, record.sender, raw, came.action))
    except (RfcError, Refused):
        metrics.count("bounces_not_passed_on")
        return False
    metrics.count("bounces_passed_on")
    return True


def _submission(org: bytes, delivery: bytes, to: str, raw: bytes, action: str) -> Submission:
    key = f"dsn:{ids.text(delivery)}:{'came-back' if action == wire.FAILED else action}"
    return Submission(
        org=org,
        envelope=Envelope("", (Recipient(to, notify=("NEVER",)),), eightbit=not raw.isascii()),
        body=raw,
        origin=Origin.BOUNCE,
        actor=_ACTOR,
        key=key,
        kind=Kind.DSN,
        category=Category.SYSTEM,
        data_class=DataClass.ORDINARY,
        purpose=Purpose.OPERATIONS,
        # made anew after a crash it has another Date; under the same key it is the same report
        payload_hash=hashlib.sha256(key.encode()).digest(),
    )


def _record(book: OrgKeyBook, org: bytes, message: bytes) -> HistoryRecord | None:
    """None for what did not come by SMTP, and where the content is gone."""
    owner, id_ = uuid.UUID(bytes=org), uuid.UUID(bytes=message)
    with scope.organisation(owner):
        row = Message.objects.filter(org_id=owner, pk=id_, origin=Origin.SMTP.value, disposed_at=0).first()
        key = MessageKey.objects.filter(org_id=owner, pk=id_).first() if row is not None else None
    if row is None or key is None or not row.header:
        return None
    try:
        return header.open_(book, org, message, bytes(row.header), bytes(key.wrapped))
    except (Damaged, NotFound):
        return None


def _domain(org: bytes, sender: str) -> str:
    """A sender domain of the organisation, so that the report is signed: the sender's own where it is one."""
    owned = [row.domain for row in select.domains(uuid.UUID(bytes=org))]
    mine = sender.rpartition("@")[2].lower()
    return mine if mine in owned else next(iter(owned), "")


def _status(came: wire.Of) -> str:
    """RFC 3464 2.3.4: the class agrees with the action."""
    klass = {wire.FAILED: "5", wire.DELAYED: "4"}.get(came.action, "2")
    return f"{klass}.{came.enhanced.partition('.')[2] or '0.0'}"
