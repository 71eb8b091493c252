"""What an organisation's rules ask of a message itself, read once at the door: header fields, size, sender's reason;
and the triggers that are taken out of it before it is stored, signed or sent. Nothing is read where no rule asks."""

from typing import Final

import msgspec

from carepost.directory.types import OrgSnapshot
from carepost.intake.facts import About
from carepost.policy import folding
from carepost.policy.index import Index, index
from carepost.policy.types import Kind
from carepost.rfc import words
from carepost.rfc.message import Message
from carepost.wire.types import Submission

#: the sender's reason; like all our own fields it never leaves
REASON_FIELD: Final = "X-Carepost-Reason"
#: characters of a field that rules see, and of a reason that is kept
_LONGEST: Final = 998
_LONGEST_REASON: Final = 500


def read(about: About, snapshot: OrgSnapshot, submission: Submission, message: Message) -> About:
    """`about` with what the rules look at; itself where they look at nothing."""
    if not snapshot.rules:
        return about
    known = index(snapshot.rules)
    questions = known.questions
    if not (questions.headers or questions.sized or known.reasoned or known.routed):
        return about
    headers = tuple((name, _value(message, name)) for name in questions.headers) if questions.headers else None
    size = len(submission.body)
    reason = ""
    if known.reasoned:
        said = submission.reason or words.decode(message.get(REASON_FIELD) or "")
        reason = words.safe(said)[:_LONGEST_REASON].strip()
    ours = about.kind is Kind.MESSAGE
    subject, fields = _triggers(known, message) if known.triggers and ours else (None, frozenset[bytes]())
    return msgspec.structs.replace(
        about,
        headers=headers,
        size=size,
        reason=reason,
        marks=questions.of_message(headers, size),
        subject=subject,
        triggers=fields,
        routed=known.routed and ours,
    )


def _value(message: Message, name: str) -> str:
    """Decoded; "" only where the field is not there."""
    if name == "subject":
        return message.subject or (" " if message.get(name) is not None else "")
    found = message.get(name)
    return "" if found is None else words.decode(found[:16_384])[:_LONGEST] or " "


def _triggers(known: Index, message: Message) -> tuple[str | None, frozenset[bytes]]:
    """(the subject without its triggers, None where it has none; the fields to take out)."""
    fields: set[bytes] = set()
    before = message.subject
    subject = before
    for name, text, exact in known.triggers:
        if name == "subject" and text:
            subject = folding.without(subject, text, exact=exact)
        elif name.encode() in message.first:
            fields.add(name.encode())
    if subject == before:
        return None, frozenset(fields)
    return " ".join(subject.split()), frozenset(fields | {b"subject"})


def subject_field(subject: str) -> bytes:
    """The whole field; b"" for an empty subject, which needs none (RFC 5322 3.6)."""
    return f"Subject: {words.encode(subject, used=9)}\r\n".encode() if subject else b""
