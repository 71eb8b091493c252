"""`protection-check@` every sender domain: a message that names it is not sent to anybody. Its submitter gets a mail
that says how each recipient's copy would be protected, and why, by the same decision as a real one (decision 0021).

Naming it anywhere is enough, in the envelope or in To, Cc or Bcc: a mail program that splits a message must not send
one half in earnest. Nothing of the message is kept; that it was asked, and about whom, is an event."""

import html
from typing import Final

import msgspec

from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, ids
from carepost.ground.errors import Refused, Unavailable
from carepost.policy.types import Category, Kind, Purpose
from carepost.proof import kinds
from carepost.queue.types import EventDraft
from carepost.rfc import compose
from carepost.rfc.address import Mailbox
from carepost.rfc.envelope import Envelope, Recipient
from carepost.rfc.message import Message
from carepost.wire.types import AcceptedDelivery, Actor, Origin, Submission

NAME: Final = "protection-check"
SUBJECT: Final = "Protection check: nothing was sent"
#: recipients asked about at once; checks of one organisation in a minute
MOST_RECIPIENTS: Final = 100
MOST: Final = 30

_AT: Final = f"{NAME}@"
_NAME_BYTES: Final = NAME.encode()
_AT_SIZE: Final = len(_AT)
_ACTOR: Final = Actor("system", "protection-check")
_NOTE: Final = (
    "You asked how a message would be protected. It was not sent to anybody, and nothing of it was kept. "
    "This is what is expected now; it is decided again when a message is sent."
)
_HOW: Final = {
    "tls": "ordinary mail over TLS", "smime": "encrypted with S/MIME", "openpgp": "encrypted with OpenPGP",
    "portal": "secure portal",
}  # fmt: skip
_STATES: Final = {"held": "would be held for a person", "failed": "would be refused"}
_HEADINGS: Final = ("Recipient", "How", "Assurance (at least)", "Rule", "Why")


def suspected(submission: Submission) -> bool:
    """Whether the name stands there at all: what every message pays."""
    for recipient in submission.envelope.recipients:
        if recipient.address[:_AT_SIZE].lower() == _AT:
            return True
    body = submission.body
    # without its @: in a field the name may stand in quotes, and means the same
    return _NAME_BYTES in body[: body.find(b"\r\n\r\n")].lower()


def recipients(submission: Submission, snapshot: OrgSnapshot, read: Message) -> tuple[Recipient, ...] | None:
    """Who is asked about: the envelope's recipients and those of To, Cc and Bcc. None: it is no check, for nobody is
    named whom this organisation asks by. Raises Refused, AddressError."""
    named = {r.address: r for r in submission.envelope.recipients}
    for field in ("to", "cc", "bcc"):
        for mailbox in read.mailboxes(field):
            named.setdefault(mailbox.address, Recipient(mailbox.address))
    asked = tuple([r for address, r in named.items() if not _ours(snapshot, address)])
    if len(asked) == len(named):
        return None
    sender = submission.envelope.sender
    if not sender or read.automatic or _ours(snapshot, sender):
        raise Refused(
            "check-unanswerable",
            "A protection check is answered by mail to its sender, and automatic mail gets no answer.",
            enhanced="5.7.1",
            status=422,
        )
    if not asked:
        raise Refused(
            "no-recipients",
            f"Name the recipients you ask about in To or Cc, beside {NAME}.",
            enhanced="5.5.1",
            status=422,
        )
    if len(asked) > MOST_RECIPIENTS:
        raise Refused(
            "too-many-recipients",
            f"A protection check takes at most {MOST_RECIPIENTS} recipients.",
            enhanced="5.5.3",
            status=422,
        )
    return asked


def asked_event(submission: Submission, about: tuple[Recipient, ...], policy: str, shard: int) -> EventDraft:
    """preview.asked. The addresses are sealed beside it."""
    actor = submission.actor
    values = {"asked": " ".join(r.address for r in about).encode()}
    if submission.client:
        values["client"] = submission.client.encode()
    return EventDraft(
        *kinds.make(
            kinds.PREVIEW_ASKED, id=ids.text(ids.new(shard)), org=ids.text(submission.org), at=clock.now(),
            actor=(actor.kind, actor.id), on=(actor.id,), values=values, facts={"origin": submission.origin.value},
            policy=policy,
        )
    )  # fmt: skip


def answer(submission: Submission, read: Message, found: tuple[AcceptedDelivery, ...]) -> Submission:
    """The mail to the submitter: a report like those of delivery, protected as one."""
    sender = submission.envelope.sender
    domain = sender.rpartition("@")[2]
    thread = read.message_id if read.message_id.isascii() else ""
    headers = [("Auto-Submitted", "auto-replied")]
    headers += [("In-Reply-To", thread)] if thread else []
    raw = compose.build(
        from_=Mailbox("Protection check", f"mailer-daemon@{domain}"),
        to=(Mailbox("", sender),),
        subject=SUBJECT,
        text=_text(found),
        html=_page(found),
        headers=headers,
        message_id=f"<{ids.text(ids.new())}@{domain}>",
        at=clock.now(),
    )
    return Submission(
        org=submission.org,
        # nobody answers an answer (RFC 3834 3.3)
        envelope=Envelope("", (Recipient(sender, notify=("NEVER",)),)),
        body=raw,
        origin=Origin.REPORT,
        actor=_ACTOR,
        kind=Kind.DSN,
        category=Category.SYSTEM,
        purpose=Purpose.OPERATIONS,
    )


class Meter:
    """Checks of one organisation in a minute; what comes beyond waits at its sender (451)."""

    def __init__(self) -> None:
        self._taken: dict[bytes, tuple[float, int]] = {}

    def count(self, org: bytes) -> None:
        now = clock.monotonic()
        since, taken = self._taken.get(org, (now, 0))
        if now - since >= 60:
            since, taken = now, 0
        if taken >= MOST:
            raise Unavailable("checks-many", "Too many protection checks at this moment; try again in a minute.")
        self._taken[org] = (since, taken + 1)


def _ours(snapshot: OrgSnapshot, address: str) -> bool:
    name, _, domain = address.rpartition("@")
    return name.casefold() == NAME and snapshot.domain(domain) is not None


class _Row(msgspec.Struct, frozen=True):
    recipient: str
    how: str
    assurance: str
    rule: str
    why: str


def _row(one: AcceptedDelivery) -> _Row:
    how = _STATES.get(one.state) or _HOW.get(one.method, one.method)
    rule = f"{one.rule} (policy version {one.policy})" if one.policy else one.rule
    return _Row(one.recipient, how, one.assurance or "-", rule, one.words)


def _text(found: tuple[AcceptedDelivery, ...]) -> str:
    lines = [_NOTE, ""]
    for row in map(_row, found):
        lines += [row.recipient]
        lines += [
            f"  {name}: {value}" for name, value in zip(_HEADINGS[1:], msgspec.structs.astuple(row)[1:], strict=True)
        ]
        lines += [""]
    return "\n".join(lines)


def _page(found: tuple[AcceptedDelivery, ...]) -> str:
    """Nothing in it is fetched, and nothing of the message stands there."""
    head = "".join(f'<th scope="col" align="left">{name}</th>' for name in _HEADINGS)
    rows = "".join(
        "<tr>"
        + "".join(f'<td valign="top">{html.escape(v)}</td>' for v in msgspec.structs.astuple(_row(one)))
        + "</tr>"
        for one in found
    )
    return (
        f'<!doctype html><html lang="en"><head><title>{SUBJECT}</title></head><body><p>{_NOTE}</p>'
        f'<table border="1" cellpadding="6" cellspacing="0"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        "</body></html>"
    )
