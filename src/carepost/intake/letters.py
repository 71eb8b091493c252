"""What this system itself writes to an address of the organisation's own: its auditor, its alerts."""

import hashlib
from collections.abc import Sequence

from carepost.ground import clock, ids
from carepost.policy.types import Category, DataClass, Kind, Purpose
from carepost.rfc import compose
from carepost.rfc.address import Mailbox
from carepost.rfc.envelope import Envelope, Recipient
from carepost.wire.types import Actor, Origin, Submission


def letter(
    org: bytes,
    *,
    key: str,
    name: str,
    domain: str,
    to: str,
    subject: str,
    text: str,
    actor: Actor,
    kind: Kind = Kind.NOTICE,
    sender: str = "notice",
    attachments: Sequence[compose.Attachment] = (),
    client: str = "",
) -> Submission:
    """One mail, once however often it is handed over under this `key`. `name`: who it says it is from; `domain`: a
    sender domain of the organisation's; `sender`: the local part in From. What comes back is counted at notice@, and
    automatic answers are asked to stay away (RFC 3834): nothing goes round. NOTICE leaves below the floor and may hold
    nothing of any message; what does is a MESSAGE."""
    body = compose.build(
        from_=Mailbox(name, f"{sender}@{domain}"),
        to=[Mailbox("", to)],
        subject=subject,
        text=text,
        attachments=attachments,
        at=clock.now(),
        message_id=f"<{ids.text(ids.new())}@{domain}>",
        headers=(("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")),
    )
    return Submission(
        org=org,
        envelope=Envelope(f"notice@{domain}", (Recipient(to, notify=("NEVER",)),)),
        body=body,
        origin=Origin.REPORT,
        actor=actor,
        key=key,
        kind=kind,
        category=Category.SYSTEM,
        data_class=DataClass.ORDINARY,
        purpose=Purpose.NOTICE,
        client=client,
        # made anew after a crash it has another Date; under the same key it is the same letter
        payload_hash=hashlib.sha256(key.encode()).digest(),
    )
