"""A template as it stands in the form, sent to the one who writes it: nothing of it is saved, and it goes by the same
rules as any message."""

import hashlib

from carepost.ground import clock, ids
from carepost.ground.errors import CarepostError, Refused
from carepost.mailbox import door
from carepost.rendering.types import Rendered
from carepost.rfc import compose
from carepost.rfc.address import Mailbox
from carepost.rfc.envelope import Envelope, Recipient
from carepost.tenancy import letters, select
from carepost.tenancy.gates import Desk
from carepost.tenancy.permissions import Forbidden, Permission
from carepost.wire.types import Accepted, Origin, Submission

_MARK = "[Test] "


def to_me(desk: Desk, made: Rendered) -> Accepted:
    """After the engine's commit. From the writer's own address where the organisation may send from it, else from
    notice@ a domain of it. Raises Refused, Forbidden, Unavailable."""
    if not desk.may(Permission.SEND):
        raise Forbidden
    own = desk.staff.email
    domain = own.rpartition("@")[2]
    if domain not in {row.domain for row in select.domains(desk.org)}:
        domain = letters.sender(desk.organisation)
        own = f"notice@{domain}"
    if not domain:
        raise Refused("no-domain", "Add a sender domain first; nothing can be sent without one.", status=409)
    id_ = ids.text(ids.new())
    try:
        raw = compose.build(
            from_=Mailbox(desk.staff.name, own), to=[Mailbox(desk.staff.name, desk.staff.email)],
            subject=_MARK + made.subject, html=made.html or None, text=made.text, at=clock.now(),
            message_id=f"<{id_}@{domain}>",
        )  # fmt: skip
    except CarepostError as error:
        raise Refused(error.code, error.public, status=422) from None
    return door.client().accept(
        Submission(
            org=desk.org.bytes, envelope=Envelope(own, (Recipient(desk.staff.email),)), body=raw,
            origin=Origin.CONSOLE, actor=desk.actor, key=f"template:{id_}", payload_hash=hashlib.sha256(raw).digest(),
        )
    )  # fmt: skip
