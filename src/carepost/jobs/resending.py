"""A message sent again: its content, while it is still held, as a new message that refers to the first one. Decided by
today's rules at the door as any other, and with no less protection than was required of the first, unless who sends it
again asks for today's rules alone. Who was taken back from, or is kept from mail, gets nothing."""

import hashlib
import uuid
from typing import Final

import msgspec

from carepost.archive import access, acts, books, engine
from carepost.archive.models import Message, MessageKey
from carepost.archive.store import store
from carepost.audit import reader
from carepost.cold.fetching import Away
from carepost.crypto.rest import Damaged
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.jobs.types import NEEDED, Kind
from carepost.mailbox import bodies
from carepost.mailbox.models import Deposit
from carepost.policy.types import Assurance, Category, DataClass, Method, Purpose
from carepost.proof import kinds
from carepost.proof.event import Event
from carepost.rfc import message as rfc_message
from carepost.rfc.envelope import Envelope, Recipient
from carepost.tenancy import scope
from carepost.wire.rest import Minimum
from carepost.wire.types import (
    SENT_HERE,
    AcceptedDelivery,
    Actor,
    HistoryRecord,
    MessageView,
    Origin,
    Protection,
    Submission,
    TrackingAsk,
)

#: states after which a recipient may get it again; the others are still on their way, or must not
AGAIN: Final = frozenset({"sent", "failed", "deposited", "opened", "expired", "tested"})
#: made anew, or true of the first journey alone
_DROPPED: Final = frozenset({b"received", b"return-path", b"message-id", b"date", b"dkim-signature"})
_GONE: Final = "The content of this message is no longer held here, so it cannot be sent again; send it anew."


class Resent(msgspec.Struct, frozen=True):
    """`message`: id of the new one, "" where nobody was left to send to. `left_out`: deliveries of the first that get
    nothing -> the state that says why."""

    message: str
    deliveries: tuple[AcceptedDelivery, ...] = ()
    left_out: dict[str, str] = {}


class _Told(msgspec.Struct, frozen=True):
    """What the log says of the first."""

    facts: dict[str, str]
    #: delivery -> assurance label that was required when it was accepted
    required: dict[str, str]
    #: deliveries that a rule made: it makes them again
    made: frozenset[str]


def resend(
    org: bytes, message: bytes, actor: Actor, reason: str, *, chosen: tuple[bytes, ...] = (), anew: bool = False,
    key: str = "",
) -> Resent:  # fmt: skip
    """`chosen`: deliveries of the message; empty: all. `anew`: as today's rules say, also where they ask for less than
    was required then. `key`: the same again is the same message. Raises NotFound (absent, another organisation's,
    forbidden), Refused (the content is gone, or it is nothing to send again), Unavailable."""
    for permission in NEEDED[Kind.RESEND]:
        acts.allowed(org, actor, permission)
    view = access.access_message(org, message, actor)
    told = _told(org, view.id)
    named = {delivery.id: delivery for delivery in view.deliveries}
    wanted = [ids.text(one) for one in chosen] or list(named)
    if any(one not in named for one in wanted):
        raise NotFound
    if view.origin not in SENT_HERE:
        words = "Only what people and their programs sent is sent again; the system writes its own mail anew."
        raise Refused("not-resent", words, status=409)
    to = [named[one] for one in wanted if named[one].state in AGAIN and one not in told.made]
    left = {one: named[one].state for one in wanted if named[one].state not in AGAIN}
    if not to:
        return Resent("", left_out=left)
    floor = _floor(told, [one.id for one in to], anew=anew)
    submission = _submission(org, message, view, told, [one.recipient for one in to], floor)
    submission = msgspec.structs.replace(
        submission, actor=actor, key=f"resend:{key or ids.text(ids.new())}", reason=reason,
        origin=Origin.CONSOLE if actor.kind == "staff" else Origin.API,
        payload_hash=hashlib.sha256(msgspec.json.encode([view.id, sorted(one.id for one in to), anew])).digest(),
    )  # fmt: skip
    accepted = engine.client().accept(submission)
    if not (accepted.repeated and _known(org, view.id, accepted.message_id)):
        acts.record(kinds.MESSAGE_RESENT, org, actor, on=[view.id, accepted.message_id], values={"reason": reason})
    return Resent(accepted.message_id, accepted.deliveries, left)


def _told(org: bytes, message: str) -> _Told:
    events: list[Event] = [found.event for found in reader.events_on(store(), org, message)]
    first = next((event for event in events if event.kind == kinds.MESSAGE_ACCEPTED), None)
    if first is None:
        raise Refused("not-on-record", "This message is not on record yet; try again in a minute.", status=409)
    required: dict[str, str] = {}
    made = set[str]()
    for event in events:
        if event.kind.startswith("delivery.") and len(event.on) > 1:
            if event.facts.get("required"):
                required.setdefault(event.on[1], event.facts["required"])
            if event.facts.get("made-by"):
                made.add(event.on[1])
    return _Told(first.facts, required, frozenset(made))


def _floor(told: _Told, deliveries: list[str], *, anew: bool) -> Assurance | None:
    labels = [told.facts.get("asked-minimum", "")]
    if not anew:
        labels += [told.required.get(one, "") for one in deliveries]
    return max((Minimum(one).assurance for one in labels if one), default=None)


def _submission(
    org: bytes, message: bytes, view: MessageView, told: _Told, to: list[str], floor: Assurance | None
) -> Submission:
    raw = _content(org, message)
    read = rfc_message.read(raw)
    header = _header(org, message)
    facts = told.facts
    return Submission(
        org, Envelope(view.sender, tuple(Recipient(one) for one in to), smtputf8=not f"{view.sender}{to}".isascii()),
        rfc_message.rewrite(raw, read, _DROPPED), Origin.API, Actor("system", "resend"),
        category=Category(view.category),
        data_class=DataClass(facts.get("data-class", DataClass.ORDINARY)),
        purpose=Purpose(facts.get("purpose", Purpose.TREATMENT)),
        protection=Protection(floor, tuple(Method(one) for one in facts.get("asked-methods", "").split())),
        tags=header.tags, metadata=header.metadata,
        template=f"{facts['template']}/{facts.get('version', '')}" if "template" in facts else "",
        test="test" in facts, requiretls="requiretls" in facts, resends=view.id,
        # whether the first might be watched is not on record: this one is not
        tracking=TrackingAsk(False, False),
    )  # fmt: skip


def _content(org: bytes, message: bytes) -> bytes:
    """From the queue where it still lies there, else as it was laid into the portal. Raises Refused, Unavailable."""
    try:
        return books.opener().body(org, message, engine.client().body(org, message))
    except NotFound:
        pass
    except Damaged:
        raise Refused("damaged", "What is stored of this message cannot be opened.", status=409) from None
    owner = uuid.UUID(bytes=org)
    with scope.organisation(owner):
        rows = Deposit.objects.select_related("body").filter(org_id=owner, message=uuid.UUID(bytes=message))
        row = rows.filter(body__isnull=False, expires_at__gt=clock.now()).first()
    if row is None or row.body is None:
        raise Refused("content-gone", _GONE, status=409)
    try:
        brought = bodies.brought(row)
        with scope.organisation(owner):
            return bodies.opened(row.body, brought)
    except Away:
        raise Unavailable("cold-away", "The content lies in the cold store, which does not answer now.") from None
    except (Damaged, NotFound):
        raise Refused("damaged", "What is stored of this message cannot be opened.", status=409) from None


def _header(org: bytes, message: bytes) -> HistoryRecord:
    owner, id_ = uuid.UUID(bytes=org), uuid.UUID(bytes=message)
    with scope.organisation(owner):
        row = Message.objects.filter(org_id=owner, id=id_).first()
        key = MessageKey.objects.filter(org_id=owner, id=id_).first()
    found = access.header_of(org, row, key) if row is not None else None
    if found is None:
        raise Refused("content-gone", _GONE, status=409)
    return found


def _known(org: bytes, first: str, new: str) -> bool:
    """Whether the act is on record already: of one done again after a crash."""
    events = (found.event for found in reader.events_on(store(), org, first))
    return any(event.kind == kinds.MESSAGE_RESENT and new in event.on for event in events)
