"""What comes back to a signed return path, or to our notices' address as a report: bounces and complaints, put on
record for the journal, which carries out what follows (decision 0028).

Believed is a token that only we can have made, or a report that names a message and a recipient history knows together.
Everything else is counted and changes nothing (BI-028). Never answers, never keeps anything of the mail itself."""

import re
from typing import Final

from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, ids, metrics
from carepost.ground.errors import Unavailable
from carepost.intake.own import Own, own
from carepost.intake.refusals import Writer
from carepost.intake.returns import PATH, Returns
from carepost.proof import kinds
from carepost.queue.types import EventDraft
from carepost.rfc import arf, bouncemail
from carepost.wire import bounces as wire
from carepost.wire.types import Accepted, Submission

#: mails a minute for one organisation; with a token that is ours they are bound to what we sent
MOST: Final = 3_000
FORGED: Final = "bounce-forged"
_ORDINARY: Final = "automatic"
_OURS: Final = re.compile(r"<[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}@", re.IGNORECASE)


class Bounces:
    def __init__(self, returns: Returns) -> None:
        self._returns = returns
        self._taken: dict[bytes, tuple[float, int]] = {}

    def wanted(self, submission: Submission, snapshot: OrgSnapshot) -> bool:
        """Whether it came to a return path; or it is a report, to the address our notices come from, about a message
        that is numbered as ours are."""
        found = [own(snapshot, one.address) for one in submission.envelope.recipients]
        if Own.RETURN in found:
            return True
        if Own.NOTICE not in found or b"delivery-status" not in submission.body[:65_536].lower():
            return False
        bounce = bouncemail.read(submission.body)
        return bounce is not None and _OURS.match(bounce.message_id) is not None

    async def take(self, submission: Submission, snapshot: OrgSnapshot, writer: Writer) -> Accepted:
        """After the commit: one event, `bounce.received` or `message.ignored` with its cause. Raises Unavailable."""
        self._count(submission.org)
        came, cause = self._read(submission, snapshot)
        id_, event = _noted(submission, snapshot.policy_version, writer.number, came, cause)
        await writer.note(submission.org, event)
        metrics.count("bounces_kept" if came is not None else f"bounces_{cause.replace('-', '_')}")
        return Accepted(id_, ())

    def _read(self, submission: Submission, snapshot: OrgSnapshot) -> tuple[wire.Came | None, str]:
        """What is believed, or why nothing is."""
        addresses = [one.address for one in submission.envelope.recipients]
        delivery = next((d for a in addresses if (d := self._returns.delivery_of(snapshot, a))), b"")
        signed = any(own(snapshot, a) is Own.RETURN for a in addresses)
        complaint = arf.read(submission.body)
        if complaint is not None:
            about = delivery or self._complained(snapshot, complaint)
            if not about and (_signed(snapshot, complaint) or _OURS.match(complaint.message_id) is None):
                return None, FORGED
            # with neither, history must know the message by its number, and that it went to one address alone: whoever
            # holds that mail could as well follow its link, and a complaint ends no more than that does
            return _complaint(complaint, about), ""
        bounce = bouncemail.read(submission.body)
        if bounce is None:
            return None, _ORDINARY
        if not delivery and (signed or not bounce.message_id):
            return None, FORGED
        return _bounce(bounce, delivery), ""

    def _complained(self, snapshot: OrgSnapshot, complaint: arf.Complaint) -> bytes:
        """By what the copy carries of ours, also where the provider hid who complained."""
        found = self._returns.delivery_of(snapshot, complaint.mail_from)
        link = complaint.fields.get("list-unsubscribe", "")
        return found or self._returns.delivery_of_link(snapshot, link) or b""

    def _count(self, org: bytes) -> None:
        now = clock.monotonic()
        since, taken = self._taken.get(org, (now, 0))
        if now - since >= 60:
            since, taken = now, 0
        if taken >= MOST:
            raise Unavailable("bounces-many", "Too many reports at this moment; try again later.")
        self._taken[org] = (since, taken + 1)


def _signed(snapshot: OrgSnapshot, complaint: arf.Complaint) -> bool:
    """It carries a token that none of ours proved to be."""
    at = complaint.mail_from.rpartition("@")[2].casefold()
    return at == snapshot.return_path or PATH in complaint.fields.get("list-unsubscribe", "")


def _complaint(complaint: arf.Complaint, delivery: bytes) -> wire.Came:
    return wire.Came("arf", delivery, complaint.message_id, complaint=complaint.kind)


def _bounce(bounce: bouncemail.Bounce, delivery: bytes) -> wire.Came:
    told = tuple(
        wire.Of(one.recipient, one.action, one.verdict.reason, one.verdict.klass.value, one.verdict.enhanced, one.until)
        for one in bounce.recipients[: wire.MOST]
    )
    return wire.Came(bounce.form, delivery, bounce.message_id, told)


def _noted(
    submission: Submission, policy: str, shard: int, came: wire.Came | None, cause: str
) -> tuple[str, EventDraft]:
    id_ = ids.text(ids.new(shard))
    values = {"bounce": wire.encode(came)} if came is not None else {}
    if submission.client:
        values["client"] = submission.client.encode()
    about = ids.text(came.delivery) if came is not None and came.delivery else id_
    made = kinds.make(
        kinds.BOUNCE_RECEIVED if came is not None else kinds.MESSAGE_IGNORED,
        id=ids.text(ids.new(shard)), org=ids.text(submission.org), at=clock.now(),
        actor=(submission.actor.kind, submission.actor.id), on=(about,), values=values or None, cause=cause,
        policy=policy,
        facts={"origin": submission.origin.value, "size": str(len(submission.body)), "to": Own.RETURN.value},
    )  # fmt: skip
    return id_, EventDraft(*made)
