"""What the portal lets go of: sessions that ended, counts nobody needs, and all of a message that is disposed of."""

import uuid
from typing import Final

from django.db.models import Q

from carepost.ground import clock
from carepost.mailbox import bodies
from carepost.mailbox.models import (
    READABLE,
    Body,
    Challenge,
    Deposit,
    Mailed,
    NoticeMail,
    PortalSession,
    Reply,
    SessionProof,
)
from carepost.mailbox.within import within

_DAY: Final = 86_400_000_000


def ended(org: bytes) -> int:
    """Sessions past their time, and counts of mails older than a day. How many rows went."""
    now = clock.now()
    with within(org):
        sessions = PortalSession.objects.filter(org_id=uuid.UUID(bytes=org))
        gone, _ = sessions.filter(Q(idle_at__lte=now) | Q(ends_at__lte=now)).delete()
        mailed, _ = Mailed.objects.filter(org_id=uuid.UUID(bytes=org), at__lt=now - _DAY).delete()
    return gone + mailed


def readable(org: bytes, message: bytes) -> bool:
    """Somebody can still read it in the portal."""
    with within(org):
        rows = Deposit.objects.filter(org_id=uuid.UUID(bytes=org), message=uuid.UUID(bytes=message))
        return rows.filter(state__in=READABLE).exists()


def message(org: bytes, message: bytes) -> None:
    """Everything of a message that can be read no more: deposits, codes, replies with their text. Its events stay."""
    with within(org):
        rows = Deposit.objects.filter(org_id=uuid.UUID(bytes=org), message=uuid.UUID(bytes=message))
        rows = rows.exclude(state__in=READABLE)
        found = list(rows.values_list("pk", flat=True))
        for table in (Challenge, NoticeMail, Reply, SessionProof):
            table.objects.filter(deposit_id__in=found).delete()
        rows.filter(pk__in=found).delete()
        _unread(org, message)


def lifted(org: bytes, message: bytes) -> None:
    """A legal hold was lifted: the body that nobody could read any more, and that it kept, goes now."""
    with within(org):
        _unread(org, message)


def _unread(org: bytes, message: bytes) -> None:
    owner = uuid.UUID(bytes=org)
    found = Body.objects.filter(org_id=owner, message=uuid.UUID(bytes=message), deposits__isnull=True)
    bodies.drop(owner, found.defer("chunks"))
