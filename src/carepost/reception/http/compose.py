"""From what the API was given to the Submission that enters by the one door: addresses, MIME, times, protection."""

import base64
import binascii
import datetime
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from carepost.directory import keywords
from carepost.directory.shelf import Upload
from carepost.directory.types import ApiKey
from carepost.ground import clock
from carepost.intake import agreed
from carepost.policy.types import Category
from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.problem import ProblemError, problem, refuse
from carepost.reception.http.said import digest
from carepost.rfc import address
from carepost.rfc import compose as rfc_compose
from carepost.rfc.address import Mailbox
from carepost.rfc.envelope import Envelope, Recipient
from carepost.rfc.errors import RfcError
from carepost.wire import rest
from carepost.wire.types import AccessProof, Actor, Origin, Protection, Submission, TrackingAsk

#: field names of ours are triggers and secrets of SMTP; here the JSON says them
_OURS = "x-carepost-"
_OCTETS = "application/octet-stream"
#: microseconds
JUST_PASSED: Final = 3_600_000_000
NO_FILES: Final[Mapping[str, Upload]] = MappingProxyType({})
#: what the builder complains of -> the field that said it
_FIELDS: Final = {
    "subject": "/subject", "header-name": "/headers", "header-control": "/headers", "header-long": "/headers",
    "content-type": "/attachments", "content-id": "/attachments", "filename": "/attachments",
    "text-nul": "/text", "text-unicode": "/text", "html-nul": "/html", "html-unicode": "/html",
}  # fmt: skip
_NOTHING_ASKED: Final = rest.ProtectionAsk()
_AS_DECIDED: Final = Protection()


class Draft(msgspec.Struct, frozen=True):
    """A submission whose access code is not hashed yet."""

    submission: Submission
    access: rest.AccessAsk | None


def field_fault(pointer: str, detail: str) -> ProblemError:
    return ProblemError(problem(422, "invalid", "A field is wrong.", (rest.Fault(pointer, detail),)))


def weight(message: rest.Message, files: Mapping[str, Upload] = NO_FILES) -> int:
    """Octets the message has at least once it is made: a file grows by its base64 and its line ends."""
    size = len(message.text or "") + len(message.html or "")
    for one in message.attachments:
        if one.content is not None:
            size += len(one.content)
        elif one.upload_id is not None and one.upload_id in files:
            size += 4 * len(files[one.upload_id].data) // 3
    return size


def draft(
    message: rest.Message,
    key: ApiKey,
    client: str,
    idempotency: str | None,
    limits: HttpLimits,
    *,
    said: rest.Message | None = None,
    files: Mapping[str, Upload] = NO_FILES,
    template: str = "",
) -> Draft:
    """`message`: rendered already; `said`: as the caller said it (default: the same). `files`: uploads by the id the
    message names. Raises a 422 problem that points at the field, without its value."""
    from_ = _mailbox(message.from_, "/from")
    to, cc, bcc = _mailboxes(message.to, "/to"), _mailboxes(message.cc, "/cc"), _mailboxes(message.bcc, "/bcc")
    recipients = {address.matching(m.address): m.address for m in (*to, *cc, *bcc)}
    if not recipients:
        raise field_fault("/to", "Give at least one recipient in to, cc or bcc.")
    if len(recipients) > limits.max_recipients:
        raise field_fault("/to", f"A message has at most {limits.max_recipients} recipients.")
    if weight(message, files) > limits.max_message:
        # before it is made: one upload named a hundred times is a small request
        raise refuse(413, "too-large", f"A message has at most {limits.max_message // 1_000_000} MB with its files.")
    now = clock.now()
    asked = message.protection or _NOTHING_ASKED
    if asked.access is not None:
        agreed.check(asked.access.code, asked.access.question, asked.access.answer)
    body = _mime(message, files, from_, to, cc, now)
    submission = Submission(
        key.org,
        Envelope(
            from_.address,
            tuple([Recipient(a) for a in recipients.values()]),
            smtputf8=not "".join([from_.address, *recipients.values()]).isascii(),
        ),
        body,
        Origin.API,
        Actor("key", key.id),
        key=f"api:{idempotency}" if idempotency is not None else None,
        category=Category(message.category.value),
        protection=_AS_DECIDED
        if asked is _NOTHING_ASKED
        else Protection(asked.minimum.assurance if asked.minimum else None, asked.methods),
        tags=message.tags,
        metadata=message.metadata,
        reason=message.reason,
        send_at=_send_at(message.send_at, now, now + int(limits.longest_delay * 1e6)),
        expires_at=_time(message.expires_at, "/expires_at", now, None),
        client=client,
        # the MIME has a fresh Date and boundary each time; what the caller said is what a repeated key is held to
        payload_hash=digest(said or message) if idempotency is not None else b"",
        template=template,
        test=message.test or keywords.TEST in key.scopes,
        tracking=TrackingAsk(message.tracking.opens, message.tracking.clicks) if message.tracking is not None else None,
        via="HTTP",
    )
    return Draft(submission, asked.access)


def with_access(draft: Draft, proof: AccessProof) -> Submission:
    asked = draft.submission.protection
    protection = Protection(asked.minimum, asked.methods, proof)
    return msgspec.structs.replace(draft.submission, protection=protection)


def _mime(
    message: rest.Message,
    files: Mapping[str, Upload],
    from_: Mailbox,
    to: list[Mailbox],
    cc: list[Mailbox],
    now: int,
) -> bytes:
    for name in message.headers:
        if name.lower().startswith(_OURS):
            raise field_fault("/headers", "Fields that begin with X-Carepost- are said in protection.")
    try:
        return rfc_compose.build(
            from_=from_,
            to=to,
            cc=cc,
            reply_to=[_mailbox(message.reply_to, "/reply_to")] if message.reply_to is not None else (),
            subject=message.subject,
            text=message.text,
            html=message.html,
            attachments=[_attachment(a, files, f"/attachments/{n}") for n, a in enumerate(message.attachments)],
            headers=tuple(message.headers.items()),
            # a complaint that names nothing else is matched by it (`journal.bounces`)
            message_id=None,
            at=now,
        )
    except RfcError as error:
        raise field_fault(_FIELDS.get(error.code, ""), error.public) from None


def _attachment(given: rest.Attachment, files: Mapping[str, Upload], pointer: str) -> rfc_compose.Attachment:
    if given.upload_id is not None:
        if given.content is not None:
            raise field_fault(f"{pointer}/content", "Give either content or upload_id.")
        file = files[given.upload_id]
        name, kind = given.filename or file.head.name, given.content_type or file.head.kind
        return rfc_compose.Attachment(name, kind, file.data, given.content_id)
    if not given.filename:
        raise field_fault(f"{pointer}/filename", "Give the file's name.")
    if given.content is None:
        raise field_fault(f"{pointer}/content", "Give content, or upload_id of a file uploaded before.")
    try:
        data = base64.b64decode(given.content, validate=True)
    except (binascii.Error, ValueError):
        raise field_fault(f"{pointer}/content", "Not base64 (RFC 4648, padded, without line breaks).") from None
    return rfc_compose.Attachment(given.filename, given.content_type or _OCTETS, data, given.content_id)


def _mailboxes(people: rest.People, pointer: str) -> list[Mailbox]:
    return [_mailbox(person, f"{pointer}/{n}") for n, person in enumerate(people)]


def _mailbox(person: rest.Person, pointer: str) -> Mailbox:
    """`Name <address>`, an address, or the object; addresses may be international (RFC 6531)."""
    try:
        if isinstance(person, rest.Mailbox):
            return Mailbox(person.name, address.parse_path(person.address, utf8=True))
        if "<" not in person:
            return Mailbox("", address.parse_path(person.strip(), utf8=True))
        found = address.parse_mailboxes(person)
    except RfcError as error:
        raise field_fault(pointer, error.public) from None
    if len(found) != 1 or found[0].group:
        raise field_fault(pointer, "Give one address.")
    return found[0]


def _send_at(text: str | None, now: int, latest: int) -> int:
    """0: now. A moment that has just passed is now: clocks differ, and a request whose answer was lost is repeated."""
    at = _time(text, "/send_at", now - JUST_PASSED, latest)
    return at if at > now else 0


def _time(text: str | None, pointer: str, earliest: int, latest: int | None) -> int:
    """RFC 3339 as UTC microseconds; 0 for none."""
    if text is None:
        return 0
    try:
        at = datetime.datetime.fromisoformat(text)
        if at.tzinfo is None or "T" not in text.upper():
            raise ValueError
        us = round(at.timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        raise field_fault(pointer, "Not a time with an offset (RFC 3339), e.g. 2027-01-31T09:00:00Z.") from None
    if us <= earliest:
        raise field_fault(pointer, "This time has passed.")
    if latest is not None and us > latest:
        days = round((latest - clock.now()) / 86_400_000_000)
        raise field_fault(pointer, f"This time is too far ahead: it may lie {days} days ahead at most.")
    return us
