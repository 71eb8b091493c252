"""What happened to a deposit in the portal, for the sender's organisation: times and words, nothing of the content."""

from uuid import UUID

import msgspec

from carepost.ground import clock
from carepost.mailbox.models import EXPIRED, READABLE, RETRACTED, Deposit, NoticeMail
from carepost.mailbox.within import within

_PROOFS = {
    "none": "The recipient proves who they are by a code sent by e-mail.",
    "code": "The recipient proves who they are by the agreed access code.",
    "question": "The recipient proves who they are by the agreed question.",
}


#: NoticeMail.about -> (heading, what follows from it)
_FAILED = {
    "waiting": (
        "The notice could not be delivered",
        "The recipient was not told that a message waits: tell them another way, or check the address.",
    ),
    "code": (
        "A code could not be delivered",
        "The recipient asked for a code and did not get it: agree on an access code, or check the address.",
    ),
    "reply": (
        "The recipient’s answer could not be delivered",
        "It was written in the portal and did not reach the sender: ask the recipient for it.",
    ),
}
_TOLD_FAILED = ("The sender could not be told", "A mail about this message did not reach its sender.")


class Step(msgspec.Struct, frozen=True):
    at: int
    heading: str
    #: good | wait | bad | plain
    tone: str
    text: str = ""


class Course(msgspec.Struct, frozen=True):
    #: open | opened | expired | retracted | deleted
    state: str
    #: label of the strongest assurance it was opened with, or ""
    assurance: str
    expires_at: int
    steps: tuple[Step, ...]


def courses(org: bytes, message: UUID) -> dict[str, Course]:
    """Delivery id (text) -> course, for the deposits of one message. No PHI: it needs no gate of its own."""
    with within(org):
        rows = Deposit.objects.filter(org_id=UUID(bytes=org), message=message).prefetch_related(
            "challenges", "replies", "mails"
        )
        return {str(row.delivery): _course(row) for row in rows}


def _course(row: Deposit) -> Course:
    steps = [Step(row.created_at, "Waiting in the portal", "plain", _PROOFS[row.proof])]
    for code in row.challenges.all():
        text = "It was entered rightly." if code.used_at else "It was not used." if _over(code.expires_at) else ""
        if code.tries and not code.used_at:
            text = f"{code.tries} wrong {'try' if code.tries == 1 else 'tries'}."
        steps.append(Step(code.created_at, "Code sent by e-mail", "plain", text))
    if row.locked_until:
        word = "closed" if row.locked_until > clock.now() else "was closed"
        steps.append(Step(row.locked_until, f"Too many tries: the page {word} until this time", "bad"))
    if row.opened_at:
        steps.append(Step(row.opened_at, "Opened", "good", f"Assurance reached: {row.assurance}."))
    steps += [Step(reply.sent_at, "The recipient replied", "good") for reply in row.replies.all() if reply.sent_at]
    steps += [_failure(mail) for mail in row.mails.all() if mail.failed_at]
    if row.state == EXPIRED:
        steps.append(Step(row.ended_at, "Expired", "plain", "It can no longer be read."))
    elif row.state == RETRACTED:
        steps.append(Step(row.ended_at, "Taken back", "plain", "It can no longer be read."))
    elif row.state not in READABLE:
        steps.append(Step(row.ended_at, "Deleted by the recipient", "plain"))
    else:
        steps.append(Step(row.expires_at, "Expires", "plain"))
    return Course(row.state, row.assurance, row.expires_at, tuple(sorted(steps, key=lambda s: s.at)))


def _failure(mail: NoticeMail) -> Step:
    heading, text = _FAILED.get(mail.about, _TOLD_FAILED)
    return Step(mail.failed_at, heading, "bad", f"{text} (reason: {mail.cause or 'not known'})")


def _over(at: int) -> bool:
    return at <= clock.now()
