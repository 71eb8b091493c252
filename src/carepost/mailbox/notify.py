"""Sending notices: at most ten an hour to one address, each once however often it is tried (key at the one door)."""

import hashlib
from collections.abc import Callable
from typing import Final, Protocol
from uuid import UUID

import msgspec

from carepost.ground import clock, ids
from carepost.ground.errors import NotFound
from carepost.mailbox import events, people, sealing
from carepost.mailbox.models import READABLE, Deposit, Mailed, NoticeMail
from carepost.mailbox.notices import Notice, notice_mail, sender_of
from carepost.mailbox.offices import office_of
from carepost.mailbox.records import DepositRecord
from carepost.mailbox.texts import About
from carepost.mailbox.within import within
from carepost.policy.types import Category, DataClass, Kind, Purpose
from carepost.proof import kinds
from carepost.rfc.envelope import Envelope, Recipient
from carepost.wire.types import Accepted, Actor, Origin, Submission

HOUR: Final = 3_600_000_000
LIMIT: Final = 10
_SYSTEM: Final = Actor("system", "mailbox")


class Door(Protocol):
    """The one door, seen from the office (`intake.client.Client`). Raises Unavailable, Refused."""

    def accept(self, submission: Submission) -> Accepted: ...


def notice(org: bytes, delivery: bytes, *, door: Door, n: int = 1, hold: tuple[str, str] | None = None) -> bool:
    """Tells the recipient that a message waits: the n-th notice of this deposit, sent once however often this is
    called. `hold`: (reason, words) by which it waits for a person before it leaves. False: none was needed or allowed
    (ended, opted out, ten an hour). Raises NotFound, Unavailable."""
    with within(org):
        row = Deposit.objects.filter(org_id=UUID(bytes=org), delivery=UUID(bytes=delivery)).first()
        if row is None:
            raise NotFound
        if row.notices >= n or row.state not in READABLE:
            return False
        cause = "opted-out" if row.recipient.quiet else "" if allowed(row) else "notice-limit"
        if cause:
            row.notices = n
            row.save(update_fields=["notices"])
            events.record(kinds.PORTAL_NOTIFIED, row, actor=_SYSTEM, result="held", cause=cause)
            return False
        mail = Notice(
            About.WAITING,
            office_of(org, row.domain),
            row.domain,
            people.address(row.recipient),
            until=row.expires_at,
            link=row.link,
            proof=row.proof,
        )
    made = submission(mail, key=f"notice:{row.delivery}:{n}")
    accepted = door.accept(made if hold is None else msgspec.structs.replace(made, hold=hold))
    with within(org):
        _remember(row, accepted, About.WAITING)
        if Deposit.objects.filter(id=row.id, notices__lt=n).update(notices=n):
            _count(org, bytes(row.recipient.token), About.WAITING)
            result, cause = ("ok", "") if hold is None else ("held", hold[0])
            events.record(kinds.PORTAL_NOTIFIED, row, actor=_SYSTEM, result=result, cause=cause)
    return True


def tell_agreed(org: bytes, delivery: bytes, *, door: Door) -> bool:
    """Tells the sender, once, that somebody else gave their message what opens it. False: nobody did, or they know.
    Raises NotFound, Unavailable."""
    with within(org):
        row = Deposit.objects.filter(org_id=UUID(bytes=org), delivery=UUID(bytes=delivery)).first()
        if row is None:
            raise NotFound
        if not sealing.open_record(org, row.id, row.record, DepositRecord).access.late:
            return False
        if NoticeMail.objects.filter(org_id=row.org_id, deposit=row, about=About.AGREED.value).exists():
            return False
    return tell_sender(row, About.AGREED, door=door)


def tell_sender(row: Deposit, about: About, *, door: Door, until: int = 0) -> bool:
    """Tells the sender of one message what its recipient met; once an hour for each cause. Raises Unavailable."""
    org = row.org_id.bytes
    with within(org):
        record = sealing.open_record(org, row.id, row.record, DepositRecord)
        # these rows hold no address: within the hour they may stand under a key that was changed since
        known = sealing.address_tokens_of(sealing.ever(org), record.sender)
        if not _allowed(org, known):
            return False
        mail = Notice(
            about,
            office_of(org, row.domain),
            row.domain,
            record.sender,
            until=until or row.expires_at,
            message=str(row.message),
            delivery=str(row.delivery),
        )
    accepted = door.accept(submission(mail, key=f"told:{row.id}:{about}:{clock.now() // HOUR}"))
    if not accepted.repeated:
        with within(org):
            _remember(row, accepted, about)
            _count(org, known[0], about)
    return not accepted.repeated


def send_code(row: Deposit, challenge: UUID, code: str, until: int, *, door: Door) -> None:
    """The mail of one challenge. Raises Unavailable."""
    org = row.org_id.bytes
    with within(org):
        mail = Notice(
            About.CODE, office_of(org, row.domain), row.domain, people.address(row.recipient), until=until, code=code
        )
    accepted = door.accept(submission(mail, key=f"code:{challenge}"))
    with within(org):
        _remember(row, accepted, About.CODE)
        _count(org, bytes(row.recipient.token), About.CODE)


def send_key_code(
    org: bytes, recipient: UUID, name: str, code: str, until: int, seal: Callable[[bytes], bytes], *, door: Door
) -> bool:
    """The code that proves who holds a key, sealed by `seal` for that key alone. `name`: of this upload. False: too
    many mails went to this address within the hour. Raises Unavailable, NotFound for a person without any message."""
    with within(org):
        row = Deposit.objects.filter(org_id=UUID(bytes=org), recipient_id=recipient).order_by("-id").first()
        if row is None:
            raise NotFound
        if not allowed(row):
            return False
        mail = Notice(
            About.KEY, office_of(org, row.domain), row.domain, people.address(row.recipient), until=until, code=code
        )
    made = submission(mail, key=f"key-code:{name}")
    door.accept(msgspec.structs.replace(made, body=seal(made.body)))
    with within(org):
        _count(org, bytes(row.recipient.token), About.KEY)
    return True


def submission(mail: Notice, *, key: str) -> Submission:
    """A notice as it enters the one door. Equal keys are equal notices: Date and Message-ID do not make another."""
    body = notice_mail(mail)
    return Submission(
        org=mail.office.id,
        envelope=Envelope(sender_of(mail.domain), (Recipient(mail.to, notify=("NEVER",)),)),
        body=body,
        origin=Origin.NOTICE,
        actor=_SYSTEM,
        key=key,
        kind=Kind.NOTICE,
        category=Category.SYSTEM,
        data_class=DataClass.ORDINARY,
        purpose=Purpose.NOTICE,
        payload_hash=hashlib.sha256(key.encode()).digest(),
    )


def allowed(row: Deposit) -> bool:
    """Whether another mail may go to this recipient within the hour. Inside the caller's transaction."""
    return _allowed(row.org_id.bytes, [bytes(row.recipient.token)])


def _remember(row: Deposit, accepted: Accepted, about: About) -> None:
    """Which message it became: `failures` looks for it. Inside the caller's transaction."""
    NoticeMail.objects.get_or_create(
        org_id=row.org_id,
        message=UUID(accepted.message_id),
        defaults={"deposit": row, "about": about.value, "at": clock.now()},
    )


def _allowed(org: bytes, known: list[bytes]) -> bool:
    """`known`: every token the address may have been counted by."""
    since = clock.now() - HOUR
    return Mailed.objects.filter(org_id=UUID(bytes=org), token__in=known, at__gt=since).count() < LIMIT


def _count(org: bytes, token: bytes, about: About) -> None:
    now = clock.now()
    rows = Mailed.objects.filter(org_id=UUID(bytes=org))
    rows.filter(at__lt=now - 24 * HOUR).delete()
    rows.create(id=UUID(bytes=ids.new()), org_id=UUID(bytes=org), token=token, about=about.value, at=now)
