"""The only way to what a message says (law 7): authorise, scope to organisation and person, write the event, answer.

Absent and forbidden answer the same NotFound. `deposit_of` alone needs no session: it says nothing of the message.
"""

from typing import Final
from uuid import UUID

import msgspec

from carepost.ground import clock, ids
from carepost.ground.errors import NotFound
from carepost.mailbox import bodies, bundle, content, deposits, events, people, sealing, tokens
from carepost.mailbox.content import Content, File
from carepost.mailbox.models import OPEN, OPENED, READABLE, Deposit, Recipient, Reply
from carepost.mailbox.records import DepositRecord, ReplyRecord
from carepost.mailbox.refusals import Ended
from carepost.mailbox.sessions import Session
from carepost.mailbox.within import within
from carepost.proof import kinds
from carepost.rfc import address
from carepost.tenancy import events as outbox
from carepost.wire.types import Actor

#: strength of a first opening, so that a stronger one later is an opening too
_RANK: Final = {"": 0, "MAILBOX": 1, "PORTAL": 2}
_ACCESS: Final = {"none": "mailed-code", "code": "code", "question": "question"}
LISTED: Final = 200
#: "expiring soon"
SOON: Final = 3 * 86_400_000_000


class ReplyView(msgspec.Struct, frozen=True):
    at: int
    text: str
    files: tuple[tuple[str, int], ...]


class Turn(msgspec.Struct, frozen=True):
    """Another message of the same conversation; nothing of what it says."""

    link: str
    sent_at: int
    opened: bool


class MessageSeen(msgspec.Struct, frozen=True):
    """A message as its recipient sees it. Times UTC microseconds."""

    link: str
    message: str
    subject: str
    sender: str
    sender_name: str
    sender_domain: str
    recipient: str
    sent_at: int
    expires_at: int
    opened_at: int
    content: Content
    replies: tuple[ReplyView, ...] = ()
    #: it came by e-mail, proved by the sender's domain
    mailed: bool = False
    #: further messages of the conversation that this session may read, oldest first
    turns: tuple[Turn, ...] = ()

    @property
    def files(self) -> tuple[File, ...]:
        return self.content.files

    @property
    def files_size(self) -> int:
        return sum(file.size for file in self.content.files)


class InboxRow(msgspec.Struct, frozen=True):
    """`locked`: this session has not proved what the message asks for, so neither subject nor sender is given."""

    link: str
    proof: str
    locked: bool
    opened: bool
    subject: str
    sender: str
    sender_name: str
    sent_at: int
    expires_at: int
    left: float
    soon: bool


def deposit_of(link: str) -> Deposit:
    """The row a link names. Raises NotFound. Nothing of it is PHI but the masked address the caller may show."""
    org = tokens.link_org(link)
    if org is None:
        raise NotFound
    with within(org):
        # where the body lies, and nothing of what it says
        rows = Deposit.objects.select_related("recipient", "body").defer("body__chunks")
        row = rows.filter(org_id=UUID(bytes=org), link=link).first()
    if row is None:
        raise NotFound
    return row


def masked_source(row: Deposit) -> str:
    """The address a deposit is for; callers show it masked before, in full after a proof."""
    with within(row.org_id.bytes):
        return people.address(row.recipient)


def own_address(session: Session) -> str:
    with within(session.org):
        return people.address(Recipient.objects.get(id=session.recipient))


def access_deposit(session: Session | None, link: str, *, client: str = "", shown: bool = True) -> MessageSeen:
    """The message. `shown=False`: part of a showing already on record (the frame inside its page). Raises NotFound,
    Ended, bodies.Away."""
    row, level = _authorised(session, link)
    brought = bodies.brought(row)
    with within(row.org_id.bytes):
        row = Deposit.objects.select_for_update(of=("self",)).select_related("recipient", "body").get(id=row.id)
        _readable(row)
        seen = msgspec.structs.replace(_seen(row, brought), turns=_turns(session, row))
        if shown:
            _record_showing(row, level, client)
    return seen


def access_file(session: Session | None, link: str, number: int, *, client: str = "") -> tuple[File, bytes]:
    """One attachment. Raises NotFound, Ended, bodies.Away."""
    row, _ = _authorised(session, link)
    brought = bodies.brought(row)
    with within(row.org_id.bytes):
        row = Deposit.objects.select_related("recipient", "body").get(id=row.id)
        _readable(row)
        found = content.read(_raw(row, brought)).files
        if number >= len(found):
            raise NotFound
        _downloaded(row, client, found[number].size)
    return found[number], found[number].data


def access_files(session: Session | None, link: str, *, client: str = "") -> bytes:
    """All attachments as one ZIP. Raises NotFound, Ended, bodies.Away."""
    row, _ = _authorised(session, link)
    brought = bodies.brought(row)
    with within(row.org_id.bytes):
        row = Deposit.objects.select_related("recipient", "body").get(id=row.id)
        _readable(row)
        packed = bundle.zipped([(file.name, file.data) for file in content.read(_raw(row, brought)).files])
        _downloaded(row, client, len(packed))
    return packed


def access_inbox(session: Session, *, query: str = "", client: str = "") -> list[InboxRow]:
    """What waits for this person in this organisation, newest first; the listing is an event."""
    now = clock.now()
    wanted = query.casefold().strip()
    with within(session.org):
        rows = Deposit.objects.filter(
            org_id=UUID(bytes=session.org), recipient_id=session.recipient, state__in=READABLE, expires_at__gt=now
        ).order_by("-created_at")[:LISTED]
        made = [_row(session, row, now) for row in rows]
        found = [
            one for one in made if not wanted or wanted in f"{one.sender_name} {one.sender} {one.subject}".casefold()
        ]
        _listed(session, len(found), client)
    return found


def access_own_data(session: Session, *, client: str = "") -> bytes:
    """ZIP of all this session may read: each message as it came, and the replies. One download event a message. Raises
    bodies.Away."""
    brought = {row.id: bodies.brought(row) for row in _own(session, whole=False)}
    with within(session.org):
        packed: list[tuple[str, bytes]] = []
        for number, row in enumerate(_own(session), 1):
            raw = _raw(row, brought.get(row.id, b""))
            _downloaded(row, client, len(raw))
            packed.append((f"message-{number}.eml", raw))
            packed += [
                (f"message-{number}-reply-{count}.txt", reply.text.encode())
                for count, reply in enumerate(_replies(row), 1)
            ]
    return bundle.zipped(packed)


def _own(session: Session, *, whole: bool = True) -> list[Deposit]:
    """What this session may read, oldest first; not `whole`: without what the bodies say."""
    with within(session.org):
        rows = Deposit.objects.select_related("recipient", "body").filter(
            org_id=UUID(bytes=session.org),
            recipient_id=session.recipient,
            state__in=READABLE,
            expires_at__gt=clock.now(),
        )
        found = rows if whole else rows.defer("body__chunks")
        return [row for row in found.order_by("created_at") if session.level(row)]


def delete_deposit(session: Session | None, link: str, *, client: str = "") -> None:
    """The recipient takes the message out of their portal. Raises NotFound, Ended."""
    row, _ = _authorised(session, link)
    with within(row.org_id.bytes):
        row = Deposit.objects.select_for_update(of=("self",)).select_related("body").get(id=row.id)
        _readable(row)
        deposits.delete(row, actor=Actor("recipient", str(row.recipient_id)), client=client)


def writable(session: Session | None, link: str) -> tuple[Deposit, DepositRecord, str]:
    """For replies: the row, its record and the level the session has for it. Raises NotFound, Ended."""
    row, level = _authorised(session, link)
    with within(row.org_id.bytes):
        row = Deposit.objects.select_related("recipient", "thread").get(id=row.id)
        _readable(row)
        return row, sealing.open_record(row.org_id.bytes, row.id, row.record, DepositRecord), level


def _authorised(session: Session | None, link: str) -> tuple[Deposit, str]:
    row = deposit_of(link)
    level = session.level(row) if session is not None else ""
    if not level:
        raise NotFound
    return row, level


def _readable(row: Deposit) -> None:
    if row.state not in READABLE or (row.body is None and row.body_id is not None):
        raise Ended(row.state)
    if row.expires_at <= clock.now():
        raise Ended("expired")


def _raw(row: Deposit, brought: bytes) -> bytes:
    if row.body is None:
        raise Ended(row.state)
    return bodies.opened(row.body, brought)


def _seen(row: Deposit, brought: bytes) -> MessageSeen:
    record = sealing.open_record(row.org_id.bytes, row.id, row.record, DepositRecord)
    return MessageSeen(
        link=row.link,
        message=str(row.message),
        subject=record.subject,
        sender=record.sender,
        sender_name=record.sender_name,
        sender_domain=address.domain(record.sender),
        recipient=record.recipient,
        sent_at=record.sent_at,
        expires_at=row.expires_at,
        opened_at=row.opened_at,
        content=content.read(_raw(row, brought)),
        replies=tuple(_replies(row)),
        mailed=record.mailed,
    )


def _turns(session: Session | None, row: Deposit) -> tuple[Turn, ...]:
    """When each further message of the conversation was laid down; what it says stands on its own page alone."""
    rows = Deposit.objects.filter(
        org_id=row.org_id, thread_id=row.thread_id, recipient_id=row.recipient_id, state__in=READABLE,
        expires_at__gt=clock.now(),
    ).exclude(id=row.id)  # fmt: skip
    found = [one for one in rows.order_by("created_at")[:LISTED] if session is not None and session.level(one)]
    return tuple(Turn(one.link, one.created_at, one.state != OPEN) for one in found)


def _replies(row: Deposit) -> list[ReplyView]:
    rows = Reply.objects.filter(org_id=row.org_id, thread_id=row.thread_id, sent_at__gt=0).order_by("sent_at")
    records = [(one, sealing.open_record(row.org_id.bytes, one.id, one.record, ReplyRecord)) for one in rows]
    return [ReplyView(one.sent_at, record.text, record.files) for one, record in records]


def _record_showing(row: Deposit, level: str, client: str) -> None:
    """portal.opened for the first showing, or the first at a stronger level; portal.viewed for every other."""
    first = _RANK[level] > _RANK[row.assurance]
    if first:
        row.state, row.assurance = OPENED, level
        row.opened_at = row.opened_at or clock.now()
        row.save(update_fields=["state", "assurance", "opened_at"])
    events.record(
        kinds.PORTAL_OPENED if first else kinds.PORTAL_VIEWED,
        row,
        actor=Actor("recipient", str(row.recipient_id)),
        client=client,
        facts={
            "access": _ACCESS[row.proof],
            "achieved": level,
            "method": "portal",
            **({"rule": row.rule} if row.rule else {}),
        },
    )


def _downloaded(row: Deposit, client: str, size: int) -> None:
    events.record(
        kinds.PORTAL_DOWNLOADED,
        row,
        actor=Actor("recipient", str(row.recipient_id)),
        client=client,
        facts={"size": str(size)},
    )


def _row(session: Session, row: Deposit, now: int) -> InboxRow:
    locked = not session.level(row)
    record = None if locked else sealing.open_record(session.org, row.id, row.record, DepositRecord)
    return InboxRow(
        row.link,
        row.proof,
        locked,
        row.state != OPEN,
        record.subject if record else "",
        record.sender if record else "",
        record.sender_name if record else "",
        record.sent_at if record else row.created_at,
        row.expires_at,
        (row.expires_at - now) / 1_000_000,
        row.expires_at - now < SOON,
    )


def _listed(session: Session, count: int, client: str) -> None:
    draft, openings = kinds.make(
        kinds.PORTAL_LISTED,
        id=ids.text(ids.new()),
        org=ids.text(session.org),
        at=clock.now(),
        actor=("recipient", str(session.recipient)),
        on=[str(session.recipient)],
        values={"client": client.encode()} if client else None,
        facts={"answers": str(count)},
    )
    outbox.append(draft, openings)
