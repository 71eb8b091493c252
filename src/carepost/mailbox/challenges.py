"""Proof of the person: one-time codes by e-mail, or what was agreed beforehand. Five tries, three codes an hour.

A try is counted and committed before anything is compared, and the slow comparison runs with no transaction open.
"""

from typing import Final
from uuid import UUID

import msgspec

from carepost.crypto import slowhash
from carepost.ground import clock, log
from carepost.ground.errors import NotFound, Unavailable
from carepost.mailbox import events, notify, sealing, tokens
from carepost.mailbox.models import READABLE, Challenge, Deposit
from carepost.mailbox.notify import HOUR, Door
from carepost.mailbox.records import DepositRecord
from carepost.mailbox.refusals import Ended, Locked, NoCode, TooSoon, WrongProof, WrongWay
from carepost.mailbox.sessions import Opened, open_session
from carepost.mailbox.texts import About
from carepost.mailbox.within import within
from carepost.policy.types import Access
from carepost.proof import kinds
from carepost.tenancy.models import fresh_id

TRIES: Final = 5
CODES: Final = 3
#: fifteen minutes
CODE_LIFE: Final = 15 * 60_000_000
#: seconds between two codes
RESEND: Final = 60


class Standing(msgspec.Struct, frozen=True):
    """What a page may say before the person is proved: no PHI."""

    #: newest code that can still be entered, or None
    challenge: UUID | None
    expires_at: int
    tries_left: int
    codes_left: int
    #: when the hour's first code leaves the count
    codes_again_at: int
    #: seconds until another code can be sent
    wait: int
    locked_until: int


def standing(deposit: Deposit) -> Standing:
    now = clock.now()
    with within(deposit.org_id.bytes):
        deposit = Deposit.objects.get(id=deposit.id, org_id=deposit.org_id)
        recent = _recent(deposit, now)
        live = next((c for c in recent if _live(c, deposit, now)), None)
    unused = [c for c in recent if not c.used_at]
    again = unused[-1].created_at + HOUR if unused else 0
    sent = recent[0].created_at if recent else 0
    agreed = deposit.proof != Access.NONE
    locked = deposit.locked_until if deposit.locked_until > now else 0
    if not agreed and len(unused) >= CODES and live is None:
        locked = max(locked, again)
    return Standing(
        live.id if live else None,
        live.expires_at if live else 0,
        max(0, TRIES - (deposit.tries if agreed else live.tries if live else 0)),
        max(0, CODES - len(unused)),
        again,
        max(0, RESEND - (now - sent) // 1_000_000) if sent and live else 0,
        locked,
    )


def send_code(deposit: Deposit, *, door: Door, client: str = "") -> None:
    """Mails a fresh code; earlier ones stop working. Raises Ended, Locked, TooSoon, WrongWay, Unavailable (then no
    code counts)."""
    now = clock.now()
    org = deposit.org_id.bytes
    with within(org):
        full = _hour_full(_readable(deposit, now), now)
    if full:
        raise _lock(deposit, full, door, client)
    code = tokens.new_code()
    hashed = slowhash.make(code)
    with within(org):
        row = _readable(deposit, now)
        if _hour_full(row, now):
            raise TooSoon(RESEND)
        challenge = _new(row, hashed, now)
    try:
        notify.send_code(row, challenge.id, code, challenge.expires_at, door=door)
    except Exception:
        with within(row.org_id.bytes):
            Challenge.objects.filter(id=challenge.id).delete()
        raise
    with within(row.org_id.bytes):
        events.record(kinds.PORTAL_CODE_SENT, row, actor=events.VISITOR, client=client)


def prove_code(
    deposit: Deposit, code: str, *, device: str, door: Door, trusted: bool = False, client: str = "", cookie: str = ""
) -> Opened:
    """Opens a session of level MAILBOX. Raises Ended, Locked, NoCode, WrongProof."""
    now = clock.now()
    with within(deposit.org_id.bytes):
        row = _readable(deposit, now)
        if row.proof != Access.NONE:
            raise WrongWay
        challenge = next((c for c in _recent(row, now) if _live(c, row, now)), None)
        if challenge is None:
            raise NoCode
        challenge.tries += 1
        challenge.save(update_fields=["tries"])
    if slowhash.verify(challenge.code_hash, code):
        with within(row.org_id.bytes):
            taken = Challenge.objects.filter(id=challenge.id, closed_at=0).update(closed_at=now, used_at=now)
            if not taken:
                raise NoCode
            return open_session(row, "MAILBOX", device=device, trusted=trusted, cookie=cookie)
    left = TRIES - challenge.tries
    with within(row.org_id.bytes):
        if left <= 0:
            Challenge.objects.filter(id=challenge.id).update(closed_at=now)
        _failed(row, "mailed-code", client)
        unused = [c for c in _recent(row, now) if not c.used_at]
    if left <= 0 and len(unused) >= CODES:
        raise _lock(row, unused[-1].created_at + HOUR, door, client)
    raise WrongProof(max(0, left))


def prove_access(
    deposit: Deposit, answer: str, *, device: str, door: Door, client: str = "", cookie: str = ""
) -> Opened:
    """Opens a session with PORTAL for this deposit: the access code, or the answer, agreed beforehand. Raises Ended,
    Locked, WrongProof, WrongWay."""
    now = clock.now()
    with within(deposit.org_id.bytes):
        row = _readable(deposit, now)
        if row.proof == Access.NONE:
            raise WrongWay
        if row.tries >= TRIES:
            row.tries = 0
        row.tries += 1
        row.save(update_fields=["tries"])
        record = sealing.open_record(row.org_id.bytes, row.id, row.record, DepositRecord)
    if answer.strip() and slowhash.verify(record.access.verifier, answer):
        with within(row.org_id.bytes):
            Deposit.objects.filter(id=row.id).update(tries=0)
            return open_session(row, "PORTAL", device=device, trusted=False, cookie=cookie)
    left = TRIES - row.tries
    with within(row.org_id.bytes):
        _failed(row, row.proof, client)
    if left <= 0:
        raise _lock(row, now + HOUR, door, client)
    raise WrongProof(left)


def question(deposit: Deposit) -> str:
    """The agreed question; shown on a POST only. Raises Ended, Locked, WrongWay."""
    with within(deposit.org_id.bytes):
        row = _readable(deposit, clock.now())
        if row.proof != Access.QUESTION:
            raise WrongWay
        return sealing.open_record(row.org_id.bytes, row.id, row.record, DepositRecord).access.question


def speak_up(deposit: Deposit, about: About, *, door: Door, client: str = "") -> None:
    """ "I can't get the code", "This isn't me": tells the sender, once an hour. Raises Unavailable."""
    if about not in (About.HELP, About.NOT_ME):
        raise NotFound
    if notify.tell_sender(deposit, about, door=door):
        kind = kinds.PORTAL_HELP_ASKED if about is About.HELP else kinds.PORTAL_DISOWNED
        with within(deposit.org_id.bytes):
            events.record(kind, deposit, actor=events.VISITOR, client=client)


def _readable(deposit: Deposit, now: int) -> Deposit:
    """The row as it is now, locked. Raises Ended, Locked."""
    row = Deposit.objects.select_for_update().get(id=deposit.id, org_id=deposit.org_id)
    if row.state not in READABLE:
        raise Ended(row.state)
    if row.expires_at <= now:
        raise Ended("expired")
    if row.locked_until > now:
        raise Locked(row.locked_until)
    return row


def _recent(row: Deposit, now: int) -> list[Challenge]:
    """Codes of the last hour to this person, newest first, of whatever message."""
    rows = Challenge.objects.filter(org_id=row.org_id, recipient_id=row.recipient_id, created_at__gt=now - HOUR)
    return list(rows.order_by("-created_at"))


def _live(challenge: Challenge, row: Deposit, now: int) -> bool:
    return (
        challenge.deposit_id == row.id
        and not challenge.closed_at
        and challenge.expires_at > now
        and challenge.tries < TRIES
    )


def _hour_full(row: Deposit, now: int) -> int:
    """0 when another code may be sent, else when the hour's first one leaves the count. Raises WrongWay, TooSoon,
    Locked."""
    if row.proof != Access.NONE:
        raise WrongWay
    recent = _recent(row, now)
    since = now - recent[0].created_at if recent else 0
    if recent and _live(recent[0], row, now) and since < RESEND * 1_000_000:
        raise TooSoon(RESEND - since // 1_000_000)
    unused = [c for c in recent if not c.used_at]
    if len(unused) >= CODES:
        return unused[-1].created_at + HOUR
    if not notify.allowed(row):
        raise Locked(now + HOUR)
    return 0


def _new(row: Deposit, hashed: str, now: int) -> Challenge:
    Challenge.objects.filter(org_id=row.org_id, recipient_id=row.recipient_id, closed_at=0).update(closed_at=now)
    return Challenge.objects.create(
        id=fresh_id(),
        org_id=row.org_id,
        deposit=row,
        recipient_id=row.recipient_id,
        code_hash=hashed,
        created_at=now,
        expires_at=now + CODE_LIFE,
    )


def _failed(row: Deposit, way: str, client: str) -> None:
    events.record(
        kinds.PORTAL_ACCESS_FAILED,
        row,
        actor=events.VISITOR,
        client=client,
        result="refused",
        cause="wrong-proof",
        facts={"access": way},
    )


def _lock(row: Deposit, until: int, door: Door, client: str) -> Locked:
    """Closes the page until then, and tells the sender the first time."""
    with within(row.org_id.bytes):
        fresh = Deposit.objects.filter(id=row.id, locked_until__lt=until).update(locked_until=until, tries=0)
        if fresh:
            events.record(kinds.PORTAL_LOCKED, row, actor=events.VISITOR, client=client)
    if fresh:
        try:
            notify.tell_sender(row, About.LOCKED, door=door, until=until)
        except Unavailable as error:
            # the lock stands and is on record; the sender reads it on the message's page
            log.failure("portal-lock-untold", error, deposit=str(row.id))
    return Locked(until)
