"""Recipients' sessions: opened by a proof, found by a cookie, ended by idleness, time, or the person."""

from typing import Final
from uuid import UUID

import msgspec
from django.db.models import Q

from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.mailbox import sealing, tokens
from carepost.mailbox.models import Deposit, PortalSession, Recipient, SessionProof
from carepost.mailbox.records import SessionRecord
from carepost.mailbox.within import within
from carepost.tenancy.models import fresh_id

_MINUTE: Final = 60_000_000
#: HS-33
IDLE: Final = 30 * _MINUTE
LONGEST: Final = 12 * 60 * _MINUTE
#: a device the person says nobody else uses; only for what a mailed code opens
TRUSTED: Final = 30 * 24 * 60 * _MINUTE


class Opened(msgspec.Struct, frozen=True):
    """`cookie`: the value to set; `seconds`: how long the browser may keep it, 0 until it closes."""

    cookie: str
    seconds: int


class Session(msgspec.Struct, frozen=True):
    """Who is there, as every portal view after a proof is given it."""

    id: UUID
    org: bytes
    recipient: UUID
    #: proved to read the mailbox
    mailbox: bool
    #: deposits whose access code or answer was given
    proved: frozenset[UUID]

    def level(self, deposit: Deposit) -> str:
        """The assurance this session has for a deposit: "" | MAILBOX | PORTAL."""
        if deposit.org_id.bytes != self.org or deposit.recipient_id != self.recipient:
            return ""
        if deposit.id in self.proved:
            return "PORTAL"
        return "MAILBOX" if self.mailbox and deposit.proof == "none" else ""


def open_session(row: Deposit, assurance: str, *, device: str, trusted: bool, cookie: str) -> Opened:
    """A fresh token on every proof (BI-095: nothing is fixed beforehand); what the old one of the same person had
    proved goes on. Inside the caller's transaction."""
    now = clock.now()
    org = row.org_id.bytes
    old = _row(cookie, now)
    kept = (
        [p for p in old.proofs.all() if p.deposit_id != row.id] if old and old.recipient_id == row.recipient_id else []
    )
    value, stored = tokens.new_session(org)
    life = TRUSTED if trusted else LONGEST
    made = PortalSession(
        id=fresh_id(),
        org_id=row.org_id,
        token_hash=stored,
        recipient_id=row.recipient_id,
        trusted=trusted,
        opened_at=now,
        seen_at=now,
        idle_at=now + (TRUSTED if trusted else IDLE),
        ends_at=now + life,
    )
    made.record = sealing.seal_record(org, made.id, SessionRecord(device))
    made.save(force_insert=True)
    for proof in kept:
        proof.pk, proof.session = fresh_id(), made
        proof.save(force_insert=True)
    SessionProof.objects.create(
        org_id=row.org_id, session=made, deposit=row if assurance == "PORTAL" else None, assurance=assurance, at=now
    )
    if old is not None:
        old.delete()
    _forget_ended(row.org_id, now)
    return Opened(value, TRUSTED // 1_000_000 if trusted else 0)


def find(cookie: str) -> Session | None:
    """The live session of a cookie, its idle time moved on; None for anything else."""
    parts = tokens.session_parts(cookie)
    if parts is None:
        return None
    now = clock.now()
    with within(parts[0]):
        row = _row(cookie, now)
        if row is None:
            return None
        if now - row.seen_at > _MINUTE:
            row.seen_at = now
            row.idle_at = now + (TRUSTED if row.trusted else IDLE)
            row.save(update_fields=["seen_at", "idle_at"])
        proofs = list(row.proofs.all())
    # an agreed code or answer holds for the ordinary time only, also on a trusted device
    proved = {p.deposit_id for p in proofs if p.deposit_id is not None and now - p.at < LONGEST}
    return Session(row.id, parts[0], row.recipient_id, any(p.deposit_id is None for p in proofs), frozenset(proved))


def close(session: Session) -> None:
    with within(session.org):
        PortalSession.objects.filter(id=session.id).delete()


def close_one(session: Session, other: UUID) -> None:
    """Ends another session of the same person. Raises NotFound."""
    with within(session.org):
        count, _ = PortalSession.objects.filter(id=other, recipient_id=session.recipient).delete()
    if not count:
        raise NotFound


def close_all(session: Session) -> None:
    with within(session.org):
        PortalSession.objects.filter(recipient_id=session.recipient).delete()


class SessionView(msgspec.Struct, frozen=True):
    id: UUID
    device: str
    trusted: bool
    opened_at: int
    seen_at: int
    ends_at: int
    here: bool


def listing(session: Session) -> list[SessionView]:
    now = clock.now()
    with within(session.org):
        rows = PortalSession.objects.filter(recipient_id=session.recipient, idle_at__gt=now, ends_at__gt=now)
        return [
            SessionView(
                row.id,
                sealing.open_record(session.org, row.id, row.record, SessionRecord).device,
                row.trusted,
                row.opened_at,
                row.seen_at,
                min(row.idle_at, row.ends_at),
                row.id == session.id,
            )
            for row in rows.order_by("-seen_at")
        ]


def be_quiet(session: Session, quiet: bool) -> None:
    """Notices off or on for this person."""
    with within(session.org):
        Recipient.objects.filter(id=session.recipient).update(quiet=quiet)


def _forget_ended(org: UUID, now: int) -> None:
    """Whoever opens a session sweeps out what ended in this organisation."""
    PortalSession.objects.filter(org_id=org).filter(Q(idle_at__lte=now) | Q(ends_at__lte=now)).delete()


def _row(cookie: str, now: int) -> PortalSession | None:
    parts = tokens.session_parts(cookie)
    if parts is None:
        return None
    return PortalSession.objects.filter(
        org_id=UUID(bytes=parts[0]), token_hash=parts[1], idle_at__gt=now, ends_at__gt=now
    ).first()


def is_quiet(session: Session) -> bool:
    with within(session.org):
        return Recipient.objects.filter(id=session.recipient, quiet=True).exists()
