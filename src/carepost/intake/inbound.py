"""Mail from the world (RFC 5321, port MX): what came back for our own addresses is put on record and goes no further.

Nothing is queued from here, for anybody: no relay, no loop, no answer (RFC 3834 2). Reports are not believed, because
whoever knows the address can write one (BI-028): they are counted, and change nothing. What a person wrote is refused
at the dot, so that their own server tells them that nobody reads it; it never vanishes behind a 250.
"""

from typing import Final

from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, ids, metrics
from carepost.ground.errors import Refused, Unavailable
from carepost.intake.own import Own, own
from carepost.intake.refusals import Writer
from carepost.proof import kinds
from carepost.queue.types import EventDraft
from carepost.rfc import message, parts
from carepost.rfc.errors import MimeError
from carepost.rfc.message import Message
from carepost.wire.types import Accepted, Submission

#: reports of one organisation taken in a minute
MOST: Final = 300

_REPORTS: Final = {
    "delivery-status": "delivery-report",
    "feedback-report": "complaint-report",
    "disposition-notification": "reading-report",
}

NO_SUCH_MAILBOX: Final = "No such mailbox here; this server takes only what comes back to notices and to the portal"
_SENTENCES: Final = {
    Own.PORTAL: "Answers by e-mail are not taken here; write a new message to the person's own address.",
    Own.NOTICE: "Nobody reads this address; to answer, open the link in the notice, or call the sender.",
}


def addressed(submission: Submission, snapshot: OrgSnapshot) -> Own:
    """Which of our addresses it is for; with both, the portal's. Raises Refused 5.1.1 when one of its recipients is
    nobody here: the envelope was checked at RCPT, and the organisation may have moved since."""
    found = [own(snapshot, recipient.address) for recipient in submission.envelope.recipients]
    if None in found:
        raise Refused("no-such-mailbox", f"{NO_SUCH_MAILBOX}.", enhanced="5.1.1", status=404)
    return Own.PORTAL if Own.PORTAL in found else Own.NOTICE


def reason(submission: Submission, read: Message, to: Own) -> str:
    """Why it is ignored: delivery-report | complaint-report | reading-report | automatic. Raises Refused 5.7.1
    for what a person may have written."""
    report = _report(read)
    if report:
        return report
    if not submission.envelope.sender or read.automatic:
        return "automatic"
    raise Refused("not-read", _SENTENCES[to], enhanced="5.7.1", status=422)


class Inbound:
    """What the MX takes becomes one event each, and nothing else. At most `MOST` a minute of one organisation: what
    comes beyond waits at its sender (451), so that a flood of forged reports does not fill the log."""

    def __init__(self) -> None:
        #: organisation -> (when its minute began, what was taken in it)
        self._taken: dict[bytes, tuple[float, int]] = {}

    async def take(self, submission: Submission, snapshot: OrgSnapshot, writer: Writer) -> Accepted:
        """After the commit. Raises Refused, Unavailable, MessageError for what cannot be read (it is refused too)."""
        to = addressed(submission, snapshot)
        cause = reason(submission, message.read(submission.body), to)
        self._count(submission.org)
        id_, event = _ignored(submission, snapshot.policy_version, writer.number, to, cause)
        await writer.note(submission.org, event)
        metrics.count("mail_ignored")
        return Accepted(id_, ())

    def _count(self, org: bytes) -> None:
        now = clock.monotonic()
        since, taken = self._taken.get(org, (now, 0))
        if now - since >= 60:
            since, taken = now, 0
        if taken >= MOST:
            raise Unavailable("reports-many", "Too many reports at this moment; try again later.")
        self._taken[org] = (since, taken + 1)


def _ignored(submission: Submission, policy: str, shard: int, to: Own, cause: str) -> tuple[str, EventDraft]:
    """(id, event). Of the mail itself nothing is kept."""
    id_ = ids.text(ids.new(shard))
    actor = submission.actor
    values = {"client": submission.client.encode()} if submission.client else None
    made = kinds.make(
        kinds.MESSAGE_IGNORED, id=ids.text(ids.new(shard)), org=ids.text(submission.org), at=clock.now(),
        actor=(actor.kind, actor.id), on=(id_,), values=values, cause=cause, policy=policy,
        facts={"origin": submission.origin.value, "size": str(len(submission.body)), "to": to.value},
    )  # fmt: skip
    return id_, EventDraft(*made)


def _report(read: Message) -> str:
    """RFC 6522: what a multipart/report reports; "" where it is none."""
    try:
        kind, given = parts.parameters(read.get("content-type") or "")
    except MimeError:
        return ""
    if kind != "multipart/report":
        return ""
    return _REPORTS.get(given.get("report-type", "").lower(), "automatic")
