"""Bounces, complaints, refusals at the wire and links to unsubscribe: from their event to what follows from them.

History says whose delivery it was; a report that names what history does not know changes nothing (BI-028)."""

import uuid

import msgspec

from carepost.archive import recipient
from carepost.archive.models import Delivery, Message
from carepost.crypto import rest
from carepost.destinations import bounces
from carepost.destinations.bounces import BOUNCE, COMPLAINT, Failure
from carepost.ground import metrics
from carepost.ground.errors import CarepostError, NotFound
from carepost.journal import passing
from carepost.journal.passing import Door
from carepost.proof.event import Event
from carepost.queue.sealing import Opener, OrgKeyBook
from carepost.tenancy import scope
from carepost.wire import bounces as wire


class Known(msgspec.Struct, frozen=True):
    delivery: bytes
    message: bytes
    address: str
    category: str


def lay(book: OrgKeyBook, org: bytes, event: Event, sealed: bytes, door: Door | None = None) -> None:
    """Carries out one `bounce.received`; done before, it does nothing. `door`: by it the sender of mail by SMTP is
    told. Raises Damaged, Unavailable, NotFound (history has not read of the delivery yet, or never will)."""
    try:
        came = wire.decode(Opener(book).openings(org, event, sealed)["bounce"][1])
    except (KeyError, msgspec.MsgspecError):
        raise rest.Damaged("a bounce without what it says") from None
    if came.complaint:
        about = _known(book, org, came.delivery) if came.delivery else _sole(book, org, came.message_id)
        if about is None:
            metrics.count("bounces_not_ours")
            return
        _take(org, about, COMPLAINT, came.complaint, "", came.form, event.at)
        return
    for one in came.recipients:
        if one.action != wire.FAILED:
            _went_on(book, org, came, one, event.at, door)
            continue
        known_ = _known(book, org, came.delivery) if came.delivery else _pair(book, org, came.message_id, one.recipient)
        if known_ is None:
            metrics.count("bounces_not_ours")
            continue
        _take(org, known_, BOUNCE, one.reason, one.klass, came.form, event.at, one.enhanced)
        if came.delivery and door is not None:
            passing.pass_on(door, book, org, known_.message, known_.delivery, known_.address, one)
        if came.delivery:
            # a delivery has one recipient; what else the report lists is where it was forwarded to
            return


def _went_on(book: OrgKeyBook, org: bytes, came: wire.Came, one: wire.Of, at: int, door: Door | None) -> None:
    """Evidence of a delivery whose signed return path it came to; of any other it is a stranger's word."""
    if not came.delivery or one.action not in wire.WENT_ON:
        metrics.count("bounces_not_final")
        return
    known = _known(book, org, came.delivery)
    said = Failure(
        one.action, known.delivery, known.message, known.address, known.category, "", "", came.form, at, one.enhanced
    )
    new = bounces.reported(uuid.UUID(bytes=org), said, one.until)
    metrics.count("bounces_reported" if new else "bounces_known")
    if door is not None and came.form == "dsn":
        # a system that writes reports was told what the sender had asked for; of a sentence nobody knows that
        passing.pass_on(door, book, org, known.message, known.delivery, known.address, one)


def refused(book: OrgKeyBook, org: bytes, event: Event) -> None:
    """A `delivery.failed` that says what the refusal means for the address."""
    known = _known(book, org, uuid.UUID(event.on[1]).bytes)
    reason, klass = event.facts.get("bounce", "unknown"), event.facts.get("bounce-class", "")
    _take(org, known, BOUNCE, reason, klass, "reply", event.at)


def unsubscribed(book: OrgKeyBook, org: bytes, event: Event) -> None:
    """The recipient of a delivery followed its link and said so."""
    known = _known(book, org, uuid.UUID(event.on[0]).bytes)
    bounces.unsubscribe(uuid.UUID(bytes=org), known.address)


def _take(org: bytes, known: Known, kind: str, reason: str, klass: str, form: str, at: int, enhanced: str = "") -> None:
    failure = Failure(
        kind, known.delivery, known.message, known.address, known.category, reason, klass, form, at, enhanced
    )
    metrics.count(f"bounces_{bounces.take(uuid.UUID(bytes=org), failure)}")


def _known(book: OrgKeyBook, org: bytes, delivery: bytes) -> Known:
    """Raises NotFound."""
    owner = uuid.UUID(bytes=org)
    with scope.organisation(owner):
        row = Delivery.objects.filter(org_id=owner, pk=uuid.UUID(bytes=delivery)).first()
        if row is None:
            raise NotFound
        about = Message.objects.filter(org_id=owner, pk=row.message).only("category").first()
    address = recipient.open_(book, org, delivery, bytes(row.recipient)) if row.recipient else ""
    return Known(delivery, row.message.bytes, address, about.category if about is not None else "")


def _pair(book: OrgKeyBook, org: bytes, message_id: str, address: str) -> Known | None:
    """Our Message-ID and its only recipient, known together: of several, each knows the number and the others' names,
    and could report them."""
    known = _sole(book, org, message_id)
    return known if known is not None and known.address.lower() == address.lower() else None


def _sole(book: OrgKeyBook, org: bytes, message_id: str) -> Known | None:
    """The delivery of a message of ours that went to one address."""
    try:
        message = uuid.UUID(message_id.strip("<>").partition("@")[0])
    except ValueError:
        return None
    owner = uuid.UUID(bytes=org)
    with scope.organisation(owner):
        rows = list(Delivery.objects.filter(org_id=owner, message=message)[:2])
    if len(rows) != 1:
        return None
    try:
        return _known(book, org, rows[0].pk.bytes)
    except (CarepostError, rest.Damaged):
        return None
