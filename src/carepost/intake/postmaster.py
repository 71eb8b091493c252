"""Mail to `postmaster@` a domain of ours (RFC 5321 4.5.1: it must be taken): what a person wrote goes on, whole and as
a file, to the organisation's address for alerts, by the one door and at its floor like any other mail.

Without such an address it is taken and put on record as unread; the console's first steps ask for the address."""

import hashlib
from typing import Final

from carepost.crypto.sender import Proved
from carepost.directory.types import OrgSnapshot
from carepost.ground.errors import Refused
from carepost.intake.letters import letter
from carepost.intake.own import POSTMASTER_NAME, Own, own
from carepost.policy.types import Kind
from carepost.rfc import compose
from carepost.wire.types import Actor, Submission

#: why it is on record and goes nowhere
UNREAD: Final = "postmaster-unread"
#: octets of a mail that is passed on: it grows by a third
MOST: Final = 5_000_000
_ACTOR: Final = Actor("system", "postmaster")
_TEXT: Final = (
    "Somebody wrote to {to}. The message is attached as it came; open it with care, as anything from a stranger.\r\n"
    "\r\n"
    "What can be said of its sender: SPF {spf}, DKIM {dkim}, DMARC {dmarc}.\r\n\r\n"
    "You get this because your address is the one for alerts (carepost org set --alerts ADDRESS).\r\n"
)


def forwarded(submission: Submission, snapshot: OrgSnapshot, proved: Proved) -> Submission:
    """The mail to the address for alerts, once however often it is handed over. Raises Refused: too large."""
    if len(submission.body) > MOST:
        raise Refused("too-large", "Mail to this address may have 5 MB at most.", enhanced="5.3.4", status=413)
    to = next(r.address for r in submission.envelope.recipients if own(snapshot, r.address) is Own.POSTMASTER)
    domain = to.rpartition("@")[2]
    digest = hashlib.sha256(submission.body).digest()
    sender = f"{POSTMASTER_NAME}@{domain}"
    return letter(
        submission.org,
        key=f"postmaster:{digest.hex()[:32]}",
        name=snapshot.notice_name,
        domain=domain,
        to=snapshot.alerts,
        subject=f"Mail to {sender}",
        text=_TEXT.format(to=sender, **proved.facts()),
        actor=_ACTOR,
        # a person's words: at the organisation's floor like any other mail
        kind=Kind.MESSAGE,
        sender=POSTMASTER_NAME,
        # message/rfc822 must not be encoded (RFC 2046 5.2.1), and what strangers send is not always text
        attachments=[compose.Attachment("message.eml", "application/octet-stream", submission.body)],
        client=submission.client,
    )
