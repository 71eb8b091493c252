"""Mail from the world (RFC 5321, port MX): what came back for our own addresses is put on record and goes no further,
but for an answer that joins a conversation of the portal (`conversations`), reports about our domains (`reports`), and
what a person writes to `postmaster@` (`postmaster`), which goes on to the organisation's address for alerts.

No relay, no loop, no answer (RFC 3834 2). Reports of non-delivery are not believed, because whoever knows the address
can write one (BI-028): they are counted, and change nothing. Who sent a mail is asked of DNS first (`proving`); the
words of SPF, DKIM and DMARC stand in its event. What a person wrote and nobody reads is refused at the dot, so that
their own server tells them; it never vanishes behind a 250.
"""

import asyncio
from typing import Final

from carepost.crypto import dkim_verify
from carepost.crypto.sender import Proved
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, ids, metrics
from carepost.ground.errors import Refused, Unavailable
from carepost.intake import forwarding, postmaster, reports
from carepost.intake.conversations import NO_CONVERSATION, Conversations
from carepost.intake.forwarding import Forwarding
from carepost.intake.harvest import Harvest
from carepost.intake.own import Own, own
from carepost.intake.proving import Prover
from carepost.intake.refusals import Writer
from carepost.proof import kinds
from carepost.queue.types import EventDraft
from carepost.rfc import message, parts
from carepost.rfc.errors import MimeError
from carepost.rfc.message import Message
from carepost.rfc.reports import Report
from carepost.wire import reports as kept
from carepost.wire.types import Accepted, Submission

#: mails for one organisation's own addresses taken in a minute; a report that is kept counts as so many
MOST: Final = 300
WEIGHT: Final = 5

_REPORTS: Final = {
    "delivery-status": "delivery-report",
    "feedback-report": "complaint-report",
    "disposition-notification": "reading-report",
}

NO_SUCH_MAILBOX: Final = "No such mailbox here; this server takes only what comes back to notices and to the portal"
_SENTENCES: Final = {
    Own.PORTAL: NO_CONVERSATION,
    Own.REPORTS: "Nobody reads this address; it takes DMARC and TLS reports alone.",
    Own.FORWARD: "Nobody reads this address; it takes reports about forwarded mail alone.",
    Own.NOTICE: "Nobody reads this address; to answer, open the link in the notice, or call the sender.",
}


def addressed(submission: Submission, snapshot: OrgSnapshot) -> Own:
    """Which of our addresses it is for; with several the portal's, then that for reports. Raises Refused 5.1.1 when one
    of its recipients is nobody here: the envelope was checked at RCPT, and the organisation may have moved since."""
    found = [own(snapshot, recipient.address) for recipient in submission.envelope.recipients]
    if None in found:
        raise Refused("no-such-mailbox", f"{NO_SUCH_MAILBOX}.", enhanced="5.1.1", status=404)
    return next((to for to in (Own.PORTAL, Own.REPORTS, Own.POSTMASTER, Own.FORWARD) if to in found), Own.NOTICE)


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
    """What the MX takes becomes one event each, a message of a conversation, or nothing. At most `MOST` a minute of one
    organisation: what comes beyond waits at its sender (451), so that a flood fills neither the log nor the DNS."""

    def __init__(
        self, prover: Prover, conversations: Conversations, harvest: Harvest | None = None,
        forwarding_: Forwarding | None = None,
    ) -> None:  # fmt: skip
        self._prover = prover
        self._forwarding = forwarding_
        self._harvest = harvest
        self._conversations = conversations
        #: organisation -> (when its minute began, what was taken in it)
        self._taken: dict[bytes, tuple[float, int]] = {}

    async def take(self, submission: Submission, snapshot: OrgSnapshot, writer: Writer) -> Accepted | Submission:
        """After the commit; or the message it becomes, which is still to be accepted. Raises Refused (NotJoined for an
        answer that cannot join), Unavailable, MessageError for what cannot be read (it is refused too)."""
        to = addressed(submission, snapshot)
        read = message.read(submission.body)
        answer = to is Own.PORTAL and submission.envelope.sender != "" and not read.automatic and not _report(read)
        written = to is Own.POSTMASTER and submission.envelope.sender != "" and not read.automatic and not _report(read)
        about = self._forwarded(submission) if to is Own.FORWARD else b""
        cause = postmaster.UNREAD if written else ""
        if not (written or answer or to is Own.REPORTS):
            cause = reason(submission, read, to)
        self._count(submission.org, WEIGHT if written or to is Own.REPORTS else 1)
        services = dkim_verify.TLSRPT if to is Own.REPORTS else dkim_verify.EMAIL
        proved = await self._prover.prove(submission, read, services)
        if written and snapshot.alerts:
            self._offer(submission, snapshot, proved)
            return postmaster.forwarded(submission, snapshot, proved)
        if answer:
            joined = await self._conversations.of_world(submission, snapshot, read, proved)
            self._offer(submission, snapshot, proved)
            return joined
        if to is Own.REPORTS:
            return await self._keep(submission, snapshot, writer, proved)
        id_, event = _noted(submission, snapshot.policy_version, writer.number, proved, to, cause=cause, about=about)
        await writer.note(submission.org, event)
        metrics.count("mail_ignored")
        return Accepted(id_, ())

    def _forwarded(self, submission: Submission) -> bytes:
        """Id of the delivery a report about forwarded mail speaks of. Raises Refused: a forged address changes nothing,
        and is told apart from none by nobody."""
        addresses = [one.address for one in submission.envelope.recipients if forwarding.suspected(one.address)]
        found = [self._forwarding.delivery_of(submission.org, one) if self._forwarding else None for one in addresses]
        if len(found) != 1 or found[0] is None:
            raise Refused("no-such-mailbox", f"{NO_SUCH_MAILBOX}.", enhanced="5.1.1", status=404)
        return found[0]

    def _offer(self, submission: Submission, snapshot: OrgSnapshot, proved: Proved) -> None:
        """What a person wrote may bring a key along."""
        if self._harvest is not None and snapshot.key_sources:
            self._harvest.offer(snapshot, submission.body, proved.dmarc_word)

    async def _keep(self, submission: Submission, snapshot: OrgSnapshot, writer: Writer, proved: Proved) -> Accepted:
        """Reports about domains of the organisation, one event each. Raises NoReport."""
        found = [r for r in await asyncio.to_thread(reports.read, submission.body) if _about_us(r, snapshot)]
        if not found:
            raise reports.NoReport("report-foreign", "The report speaks of no domain of this organisation.")
        by = proved.author if proved.aligned else ""
        first = ""
        for report in found:
            values = {"report": kept.encode(kept.Received(report, by))}
            id_, event = _noted(submission, snapshot.policy_version, writer.number, proved, Own.REPORTS, values=values)
            await writer.note(submission.org, event)
            first = first or id_
        metrics.count("reports_kept", len(found))
        return Accepted(first, ())

    def _count(self, org: bytes, weight: int) -> None:
        now = clock.monotonic()
        since, taken = self._taken.get(org, (now, 0))
        if now - since >= 60:
            since, taken = now, 0
        if taken >= MOST:
            raise Unavailable("reports-many", "Too many reports at this moment; try again later.")
        self._taken[org] = (since, taken + weight)


def _noted(
    submission: Submission,
    policy: str,
    shard: int,
    proved: Proved,
    to: Own,
    *,
    cause: str = "",
    values: dict[str, bytes] | None = None,
    about: bytes = b"",
) -> tuple[str, EventDraft]:
    """(id, event): message.ignored with its cause, or report.received; forward.returned with the id of the delivery it
    is `about`. Of the mail itself nothing else is kept."""
    id_ = ids.text(ids.new(shard))
    actor = submission.actor
    given = dict(values or {})
    if submission.client:
        given["client"] = submission.client.encode()
    kind = kinds.MESSAGE_IGNORED if cause else kinds.REPORT_RECEIVED
    made = kinds.make(
        kinds.FORWARD_RETURNED if about else kind,
        id=ids.text(ids.new(shard)), org=ids.text(submission.org), at=clock.now(),
        actor=(actor.kind, actor.id), on=(ids.text(about),) if about else (id_,), values=given or None, cause=cause,
        policy=policy,
        facts={
            "origin": submission.origin.value, "size": str(len(submission.body)), "to": to.value, **proved.facts(),
        },
    )  # fmt: skip
    return id_, EventDraft(*made)


def _about_us(report: Report, snapshot: OrgSnapshot) -> bool:
    """A sender domain, one below it, or the one it stands under: reports come for where the policy was found."""
    about = report.domain
    return any(
        about == d.domain or about.endswith("." + d.domain) or d.domain.endswith("." + about) for d in snapshot.domains
    )


def _report(read: Message) -> str:
    """RFC 6522: what a multipart/report reports; "" where it is none."""
    try:
        kind, given = parts.parameters(read.get("content-type") or "")
    except MimeError:
        return ""
    if kind != "multipart/report":
        return ""
    return _REPORTS.get(given.get("report-type", "").lower(), "automatic")
