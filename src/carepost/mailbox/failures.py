"""Mail about a deposit that could not be delivered: its notice or code never reached the recipient, or the recipient's
answer never reached the sender. Nobody would know; so the deposit's timeline says it, and an event."""

from typing import Final
from uuid import UUID

from carepost.mailbox import events
from carepost.mailbox.models import NoticeMail, Reply
from carepost.mailbox.within import within
from carepost.proof import kinds
from carepost.tenancy.models import fresh_id
from carepost.wire.types import Actor

#: `NoticeMail.about` of an answer; every other is of `texts.About`
REPLY: Final = "reply"
_ACTOR: Final = Actor("system", "journal")


def failed(org: bytes, message: bytes, cause: str, at: int) -> bool:
    """`message` failed for good, for this reason code. False: it was no mail about a deposit. Done twice, it is told
    once."""
    id_ = UUID(bytes=message)
    with within(org):
        row = NoticeMail.objects.select_related("deposit").filter(org_id=UUID(bytes=org), message=id_).first()
        if row is None:
            row = _reply(UUID(bytes=org), id_)
        if row is None:
            return False
        if not row.failed_at:
            row.failed_at, row.cause = at, cause[:60]
            row.save()
            kind = kinds.PORTAL_REPLY_FAILED if row.about == REPLY else kinds.PORTAL_NOTICE_FAILED
            facts = {"notice": row.about} if row.about != REPLY else {}
            events.record(kind, row.deposit, actor=_ACTOR, result="failed", cause=cause, facts=facts)
    return True


def _reply(org: UUID, message: UUID) -> NoticeMail | None:
    reply = Reply.objects.select_related("deposit").filter(org_id=org, message=message).first()
    if reply is None:
        return None
    return NoticeMail(id=fresh_id(), org_id=org, deposit=reply.deposit, message=message, about=REPLY, at=reply.sent_at)
