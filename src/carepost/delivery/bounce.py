"""Reports of our own to senders (RFC 3461, RFC 3464): who gets one, and the message it is.

A report is mail: it enters at the one door, under a key of its own, so that no crash makes two of it. None to the null
sender, about a report or a notice, or about automatic mail (RFC 3834, BI-027, BI-028): errors about errors end here."""

import hashlib

from carepost.delivery.conclude import MAY_HAVE_ARRIVED
from carepost.delivery.outcome import Outcome
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, ids
from carepost.policy.types import Category, DataClass, Kind, Purpose
from carepost.queue.types import Claim, MessageRecord
from carepost.rfc import dsn
from carepost.rfc import message as rfc_message
from carepost.rfc.address import Mailbox
from carepost.rfc.envelope import Envelope, Recipient
from carepost.rfc.errors import RfcError
from carepost.wire.types import Actor, Origin, Submission

NAME = "Mail Delivery"
LOCAL_PART = "mailer-daemon"
_ACTOR = Actor("system", "delivery")

_ASKED = {dsn.Action.FAILED: "FAILURE", dsn.Action.DELAYED: "DELAY", dsn.Action.RELAYED: "SUCCESS"}


def owed(action: dsn.Action, claim: Claim, message: MessageRecord) -> bool:
    """Whether the envelope asks for this report. `build` may still find that the mail is automatic."""
    record = claim.record
    if not record.sender or message.kind != Kind.MESSAGE or message.test:
        return False
    if record.recipient.notify:
        return _ASKED[action] in record.recipient.notify
    # RFC 3461 4.1: without NOTIFY failures are reported, and delays may be.
    return action is not dsn.Action.RELAYED


def build(
    action: dsn.Action,
    claim: Claim,
    message: MessageRecord,
    body: bytes,
    snapshot: OrgSnapshot,
    outcome: Outcome,
    *,
    hostname: str,
    remote: str = "",
    code: int = 0,
) -> Submission | None:
    """The report as a submission; None where the mail was automatic or cannot be read.

    Of the original only Message-ID, Date, From and this recipient; the other server's words stay here."""
    try:
        read = rfc_message.read(body)
    except RfcError:
        return None
    if read.automatic:
        return None
    record = claim.record
    domain = _domain(record.sender, message.header_from, snapshot) or hostname
    report = _report(action, claim, message, outcome, remote, code)
    try:
        raw = dsn.build(
            report,
            reporting=hostname,
            from_=Mailbox(NAME, f"{LOCAL_PART}@{domain}"),
            to=record.sender,
            message_id=f"<{ids.text(ids.new())}@{domain}>",
            at=clock.now(),
            original={name: read.get(name) or "" for name in ("Message-ID", "Date", "From")},
        )
    except RfcError:
        return None
    return Submission(
        org=claim.org,
        # A report about a report is nobody's; NEVER says so to the next server too.
        envelope=Envelope("", (Recipient(record.sender, notify=("NEVER",)),), eightbit=not raw.isascii()),
        body=raw,
        origin=Origin.BOUNCE,
        actor=_ACTOR,
        key=f"dsn:{ids.text(claim.delivery)}:{action.value}",
        kind=Kind.DSN,
        category=Category.SYSTEM,
        data_class=DataClass(message.data_class),
        purpose=Purpose.OPERATIONS,
        # The report is made anew after a crash, with another Date; under the same key it is the same report.
        payload_hash=hashlib.sha256(claim.delivery + action.value.encode()).digest(),
    )


def _report(
    action: dsn.Action, claim: Claim, message: MessageRecord, outcome: Outcome, remote: str, code: int
) -> dsn.Report:
    record = claim.record
    words = outcome.words + (MAY_HAVE_ARRIVED if record.bound_to is not None else "")
    return dsn.Report(
        action=action,
        status=_status(action, outcome.enhanced),
        recipient=record.recipient.address,
        orcpt=record.recipient.orcpt,
        envid=message.envid,
        remote=remote,
        code=code,
        arrived=ids.made_at(claim.message),
        words="" if action is dsn.Action.RELAYED else words,
    )


def _domain(sender: str, header_from: str, snapshot: OrgSnapshot) -> str:
    """A sender domain of the organisation, so that the report is signed: the sender's own where it is one."""
    for address in (sender, header_from):
        domain = address.rpartition("@")[2]
        if snapshot.domain(domain) is not None:
            return domain
    return snapshot.domains[0].domain if snapshot.domains else ""


def _status(action: dsn.Action, enhanced: str) -> str:
    """RFC 3464 2.3.4: the class agrees with the action."""
    first = {dsn.Action.FAILED: "5", dsn.Action.DELAYED: "4", dsn.Action.RELAYED: "2"}[action]
    rest = enhanced.partition(".")[2] or "0.0"
    return f"{first}.{rest}"
