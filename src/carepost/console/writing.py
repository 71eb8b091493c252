"""A message written on the console's page: read, made, foreseen and handed to the one door, as the person signed in."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, TypedDict

import msgspec
from msgspec.structs import asdict, replace

from carepost.console import formatting, words
from carepost.crypto import slowhash
from carepost.drafts.types import File, Written
from carepost.ground import clock, ids
from carepost.ground.errors import CarepostError, Refused
from carepost.mailbox import door
from carepost.policy.explain import REASONS
from carepost.policy.types import Access
from carepost.rfc import address, compose
from carepost.rfc.address import Mailbox
from carepost.rfc.envelope import Envelope, Recipient
from carepost.rfc.errors import AddressError
from carepost.tenancy.gates import Desk
from carepost.tenancy.select import domains
from carepost.wire.types import Accepted, AcceptedDelivery, AccessProof, Origin, Protection, Submission

MOST_RECIPIENTS: Final = 100
#: why a rule refuses until the sender says why (policy.explain)
REASON_NEEDED: Final = "reason-needed"
#: fields of the first version: they count in the hash of what was written also where they are empty
_FIRST: Final = frozenset({"to", "cc", "subject", "text", "reason"})
_REASON_FIELD: Final = "X-Carepost-Reason"
_APART: Final = re.compile(r"[,;\r\n]+")


class Addressed(msgspec.Struct, frozen=True):
    """What stands in To, Cc and Bcc. `unread`: how many pieces are no address (yet)."""

    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    unread: int = 0
    bcc: tuple[Mailbox, ...] = ()

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        """Those in Bcc are in no field of the message: only here."""
        return tuple([Recipient(one) for one in dict.fromkeys(m.address for m in (*self.to, *self.cc, *self.bcc))])

    @property
    def hidden(self) -> frozenset[str]:
        """Whom the others do not see."""
        return frozenset(m.address for m in self.bcc) - {m.address for m in (*self.to, *self.cc)}


class Foreseen(msgspec.Struct, frozen=True):
    """One recipient as the page shows it. tone: good | wait | bad."""

    recipient: str
    word: str
    tone: str
    assurance: str
    #: of the assurance, in words
    means: str
    #: what the sender should know before sending; "" where all is ordinary
    warning: str
    why: str
    rule: str
    policy: str
    #: the other recipients do not learn of this one
    hidden: bool = False


class Outlook(msgspec.Struct, frozen=True):
    """What would happen now. `refused`: in words, why nothing can be said."""

    rows: tuple[Foreseen, ...] = ()
    unread: int = 0
    needs_reason: bool = False
    #: somebody would be refused: nothing is sent until that is mended
    stopped: bool = False
    refused: str = ""
    #: safe HTML of a formatted text, as recipients see it
    looks: str = ""


_HELD: Final = "Held for a person"
_WORDS: Final = {
    "tls": ("Ordinary mail over TLS", ""),
    "smime": ("Encrypted (S/MIME)", "Only the recipient’s mail program can open it."),
    "openpgp": ("Encrypted (OpenPGP)", "Only the recipient’s mail program can open it."),
    "portal": ("Secure portal", "The recipient gets a notice with a link, and reads the message in the portal."),
}


def addressed(written: Written) -> Addressed:
    to, bad = _mailboxes(written.to)
    cc, worse = _mailboxes(written.cc)
    bcc, worst = _mailboxes(written.bcc)
    return Addressed(to, cc, bad + worse + worst, bcc)


def reply_to(desk: Desk, written: Written) -> tuple[Mailbox, ...]:
    """Where answers go, or (): to the sender. Raises Refused: it is no address of the organisation's own domains, and
    answers of patients must not leave the house unseen."""
    if not written.reply_to.strip():
        return ()
    found, bad = _mailboxes(written.reply_to)
    own = {d.domain for d in domains(desk.org)}
    if bad or len(found) != 1 or found[0].address.rpartition("@")[2] not in own:
        raise Refused("reply-to", "Answers can go to one address in a sender domain of your organisation.", status=422)
    return found


def _mailboxes(typed: str) -> tuple[tuple[Mailbox, ...], int]:
    """Commas, semicolons and lines part addresses; a name in quotes may hold them."""
    try:
        return tuple(address.parse_mailboxes(" ".join(typed.split()))) if typed.strip() else (), 0
    except AddressError:
        pass
    found, bad = [], 0
    for piece in filter(None, map(str.strip, _APART.split(typed))):
        try:
            found.extend(address.parse_mailboxes(piece))
        except AddressError:
            bad += 1
    return tuple(found), bad


def sender(desk: Desk) -> str:
    """The address of who is signed in, where it is one the organisation may send from; else ""."""
    own = desk.staff.email
    return own if any(d.domain == own.rpartition("@")[2] for d in domains(desk.org)) else ""


def outlook(desk: Desk, written: Written, files: Sequence[File], code: str) -> Outlook:
    """By the same decision as the real thing. Raises Unavailable."""
    found = addressed(written)
    looks = formatting.shown(written.text) if written.formatted and not formatting.too_much(written.text) else ""
    if not found.recipients:
        return Outlook(unread=found.unread, looks=looks)
    try:
        # what kind is agreed decides; the secret itself need not be hashed for a look
        proof = AccessProof(Access.CODE, "", "preview") if code else AccessProof()
        answers = door.client().preview(_submission(desk, written, found, files, proof))
    except Refused as error:
        return Outlook(unread=found.unread, refused=error.public, looks=looks)
    return Outlook(
        tuple([_foreseen(one, one.recipient in found.hidden) for one in answers]),
        found.unread,
        any(one.reason == REASON_NEEDED for one in answers),
        any(one.state == "failed" for one in answers),
        looks=looks,
    )


def hand_over(desk: Desk, written: Written, files: Sequence[File], code: str, draft: str) -> Accepted:
    """After the engine's commit. The same draft is the same message, however often it is handed over. Raises Refused,
    Unavailable."""
    found = addressed(written)
    if found.unread or not found.recipients:
        raise Refused("recipients", "An address in To, Cc or Bcc is not complete.", status=422)
    if len(found.recipients) > MOST_RECIPIENTS:
        raise Refused("too-many-recipients", f"A message takes at most {MOST_RECIPIENTS} recipients here.", status=422)
    proof = AccessProof(Access.CODE, "", slowhash.make(code)) if code else AccessProof()
    made = _submission(desk, written, found, files, proof)
    given = replace(made, key=f"write:{draft}", payload_hash=payload_hash(written, found, files))
    return door.client().accept(given)


def told(outlook: Outlook, accepted: Accepted) -> str:
    """After Send, in the words the page used before it: how many copies go which way. No address."""
    held = {one.recipient for one in accepted.deliveries if one.state == "held"}
    ways = Counter(_HELD if row.recipient in held else row.word for row in outlook.rows)
    if len(outlook.rows) == 1:
        said = f"The message was accepted. Expected: {next(iter(ways))}."
    else:
        said = "The message was accepted. Expected: " + ", ".join(f"{n} × {way}" for way, n in ways.items()) + "."
    return f"{said} What is held waits until somebody here releases it." if _HELD in ways else said


def payload_hash(written: Written, found: Addressed, files: Sequence[File]) -> bytes:
    """SHA-256 of what was written. Fields that came later count only where they are filled, so that a draft handed over
    before a change of versions is the same message after it."""
    first = {name: value for name, value in asdict(written).items() if value or name in _FIRST}
    whom = {name: value for name, value in asdict(found).items() if value or name != "bcc"}
    return hashlib.sha256(msgspec.msgpack.encode((first, whom, [(f.name, f.kind, f.data) for f in files]))).digest()


def _submission(
    desk: Desk, written: Written, found: Addressed, files: Sequence[File], proof: AccessProof
) -> Submission:
    own = desk.staff.email
    reason = " ".join(written.reason.split())
    try:
        raw = compose.build(
            from_=Mailbox(desk.staff.name, own),
            to=found.to,
            cc=found.cc,
            reply_to=reply_to(desk, written),
            subject=" ".join(written.subject.split()),
            **_content(written),
            attachments=tuple([compose.Attachment(f.name, f.kind, f.data) for f in files]),
            headers=[(_REASON_FIELD, reason)] if reason else [],
            message_id=f"<{ids.text(ids.new())}@{own.rpartition('@')[2]}>",
            at=clock.now(),
        )
    except CarepostError as error:
        raise Refused(error.code, error.public, status=422) from None
    return Submission(
        org=desk.org.bytes,
        envelope=Envelope(own, found.recipients),
        body=raw,
        origin=Origin.CONSOLE,
        actor=desk.actor,
        protection=Protection(access=proof),
    )


class _Content(TypedDict, total=False):
    text: str
    html: str


def _content(written: Written) -> _Content:
    if not written.formatted:
        return {"text": written.text}
    if formatting.too_much(written.text):
        raise Refused(
            "formatted-too-long",
            f"A formatted message may have {formatting.LONGEST:,} characters: send it unformatted, or as a file.",
            status=422,
        )
    return {"text": formatting.plain(written.text), "html": formatting.page(written.text)}


def _foreseen(one: AcceptedDelivery, hidden: bool) -> Foreseen:
    word, warning = _WORDS.get(one.method, ("Sent", ""))
    tone, why = "good", one.words
    if one.state == "held":
        word, tone, warning = _HELD, "wait", "It is accepted, and waits until somebody here releases it."
    elif one.state == "failed":
        word, tone, warning = "Not sent", "bad", "The message cannot go to this recipient as it is."
        if one.reason == REASON_NEEDED:
            warning = "A rule asks why this is sent: fill in the reason."
            # the sentence for programs names a header field
            why = why.replace(REASONS[REASON_NEEDED], "").strip()
    assurance = words.assurance(one.assurance) if one.assurance else ""
    return Foreseen(
        one.recipient, word, tone, one.assurance, assurance, warning, why, one.rule, one.policy, hidden
    )  # fmt: skip
