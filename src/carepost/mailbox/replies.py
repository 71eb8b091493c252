"""Answers written in the portal: a sealed draft, then a message through the one door.

It reaches the sender From the organisation's portal address with the person in the display name, and a signed
Reply-To token; never From the person's own domain, which did not send it.
"""

import hashlib
from typing import Final

import msgspec

from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.mailbox import access, events, people, sealing
from carepost.mailbox.content import safe_name
from carepost.mailbox.models import Deposit, Reply
from carepost.mailbox.notify import Door
from carepost.mailbox.offices import office_of
from carepost.mailbox.records import DepositRecord, ReplyRecord
from carepost.mailbox.sessions import Session
from carepost.mailbox.within import within
from carepost.proof import kinds
from carepost.rfc import compose
from carepost.rfc.address import Mailbox
from carepost.rfc.envelope import Envelope, Recipient
from carepost.tenancy.models import fresh_id
from carepost.wire.types import Actor, Origin, Submission

TEXT: Final = 100_000
FILES: Final = 10
#: octets of all attachments of one reply
SIZE: Final = 20_000_000
#: replies of one message that are looked at for one that was sent twice
_LOOKED_BACK: Final = 10


class Upload(msgspec.Struct, frozen=True):
    name: str
    kind: str
    data: bytes


class Draft(msgspec.Struct, frozen=True):
    text: str
    saved_at: int


def draft(session: Session | None, link: str) -> Draft:
    """What was saved, or an empty one. Raises NotFound, Ended."""
    row, _, _ = access.writable(session, link)
    with within(row.org_id.bytes):
        found = Reply.objects.filter(org_id=row.org_id, deposit=row, sent_at=0).first()
        if found is None:
            return Draft("", 0)
        return Draft(sealing.open_record(row.org_id.bytes, found.id, found.record, ReplyRecord).text, found.saved_at)


def save_draft(session: Session | None, link: str, text: str) -> int:
    """Keeps the text, sealed. Returns when. Raises NotFound, Ended, Refused (too long)."""
    row, _, _ = access.writable(session, link)
    _check(text, ())
    with within(row.org_id.bytes):
        return _save(row, text).saved_at


def reply(
    session: Session | None,
    link: str,
    text: str,
    files: tuple[Upload, ...],
    *,
    door: Door,
    client: str = "",
    page: str = "",
) -> str:
    """Sends the answer to the message's sender. Returns the id of the message it became. `page`: the form's own mark;
    the same text and files sent again from it (a second click, Back and Send) are the same message. Raises NotFound,
    Ended, Refused (empty, too long, too large), Unavailable (the text stays as the draft; the same text tried again is
    the same message)."""
    row, record, level = access.writable(session, link)
    if not text.strip() and not files:
        raise Refused("reply-empty", "Write a message, or choose a file.", status=422)
    _check(text, files)
    org = row.org_id.bytes
    digest = hashlib.sha256(
        text.encode() + b"".join(hashlib.sha256(f.name.encode() + b"\0" + f.data).digest() for f in files)
    ).digest()
    mark = f"{page}:{digest.hex()}" if page else ""
    with within(org):
        before = _sent_as(row, mark)
        if before:
            return before
        kept = _save(row, text)
        body = _mail(row, record, kept, text, files, level)
        office = office_of(org, row.domain)
    accepted = door.accept(
        Submission(
            org=org,
            envelope=Envelope(_from(office.portal_address, row.domain), (Recipient(record.sender),)),
            body=body,
            origin=Origin.PORTAL,
            actor=Actor("recipient", str(row.recipient_id)),
            key=f"reply:{kept.id}:{digest.hex()[:32]}",
            payload_hash=digest,
            client=client,
        )
    )
    with within(org):
        sent = ReplyRecord(text, tuple((safe_name(f.name), len(f.data)) for f in files), page=mark)
        if Reply.objects.filter(id=kept.id, sent_at=0).update(
            sent_at=clock.now(),
            message=accepted.message_id,
            record=sealing.seal_record(org, kept.id, sent),
        ):
            people.keep_open(row.thread)
            events.record(
                kinds.PORTAL_REPLIED,
                row,
                actor=Actor("recipient", str(row.recipient_id)),
                client=client,
                facts={"achieved": level, "size": str(len(body))},
            )
    return accepted.message_id


def _sent_as(row: Deposit, mark: str) -> str:
    """The message that the same reply of the same page became before, or ""."""
    if not mark:
        return ""
    for one in Reply.objects.filter(org_id=row.org_id, deposit=row, sent_at__gt=0).order_by("-sent_at")[:_LOOKED_BACK]:
        record = sealing.open_record(row.org_id.bytes, one.id, one.record, ReplyRecord)
        if record.page == mark:
            return str(one.message)
    return ""


def _check(text: str, files: tuple[Upload, ...]) -> None:
    if len(text) > TEXT:
        raise Refused("reply-long", "The text is too long; send it as a file.", status=422)
    if len(files) > FILES:
        raise Refused("reply-files", f"At most {FILES} files go with one reply.", status=422)
    if sum(len(f.data) for f in files) > SIZE:
        raise Refused("reply-large", f"The files have more than {SIZE // 1_000_000} MB together.", status=413)


def _save(row: Deposit, text: str) -> Reply:
    """The one draft of a deposit, made or written over."""
    org = row.org_id.bytes
    kept = Reply.objects.select_for_update().filter(org_id=row.org_id, deposit=row, sent_at=0).first()
    if kept is None:
        kept = Reply(id=fresh_id(), org_id=row.org_id, thread_id=row.thread_id, deposit=row)
    kept.record = sealing.seal_record(org, kept.id, ReplyRecord(text))
    kept.saved_at = clock.now()
    kept.save()
    return kept


def _from(portal_address: str, domain: str) -> str:
    return portal_address or f"portal@{domain}"


def _line(text: str) -> str:
    """What a stranger wrote, as one line that fits a header: a strange subject must not keep a person from answering
    (BI-043)."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:400]


def _mail(row: Deposit, record: DepositRecord, kept: Reply, text: str, files: tuple[Upload, ...], level: str) -> bytes:
    org = row.org_id.bytes
    office = office_of(org, row.domain)
    portal = _from(office.portal_address, row.domain)
    person = people.address(row.recipient)
    proved = {"MAILBOX": "a code sent to that address", "PORTAL": "what was agreed on beforehand"}[level]
    foot = (
        f"\n\n-- \nWritten in the secure portal by {person}, who proved who they are by {proved}.\n"
        "To answer, reply to this mail from this address: your answer joins the conversation in the portal.\n"
    )
    back = people.reply_to(row.org_id, row.thread_id, portal)
    header_id = _line(record.header_id)
    headers = [("In-Reply-To", header_id), ("References", header_id)] if header_id else []
    about = _line(record.subject)
    subject = about if about.casefold().startswith("re:") else f"Re: {about}".strip()
    return compose.build(
        from_=Mailbox(f"{person} (secure portal)", portal),
        to=[Mailbox("", record.sender)],
        reply_to=[Mailbox("", back)],
        subject=subject,
        text=text.rstrip() + foot,
        attachments=[compose.Attachment(safe_name(f.name), f.kind, f.data) for f in files],
        headers=headers,
        at=kept.saved_at,
        message_id=f"<{kept.id}@{portal.rpartition('@')[2]}>",
    )
