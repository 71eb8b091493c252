"""What the decision may look at, gathered at the door and again before each attempt. Nothing else is read."""

import msgspec

from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, ids
from carepost.intake.keys import NONE as NO_KEYS
from carepost.intake.keys import Held
from carepost.policy.index import index
from carepost.policy.types import (
    Assurance,
    Category,
    ContentFacts,
    DataClass,
    Direction,
    Facts,
    Kind,
    Method,
    Purpose,
    Seen,
    Ternary,
)
from carepost.queue.types import DeliveryRecord, MessageRecord
from carepost.wire.types import AccessProof

#: nobody has looked
_UNKNOWN = ContentFacts()
_METHODS = tuple(Method)


class About(msgspec.Struct, frozen=True):
    """What is the same for every recipient of a message."""

    #: header From, by which rules about senders match
    sender: str
    kind: Kind
    category: Category
    data_class: DataClass
    purpose: Purpose
    origin: str
    asked_floor: Assurance | None
    asked_methods: tuple[Method, ...]
    access: AccessProof
    #: what rules ask of the message itself (`asked.read`); None: they asked nothing, or nobody looked
    headers: tuple[tuple[str, str], ...] | None = None
    size: int | None = None
    #: the sender's reason in words, "" where none was asked for or given
    reason: str = ""
    #: what `headers` and `size` answer: the same answers, the same decision
    marks: tuple[int, int] = (0, 0)
    #: triggers: the subject without them (None: as it is), and the fields to take out
    subject: str | None = None
    triggers: frozenset[bytes] = frozenset()
    #: rules redirect, copy or tag
    routed: bool = False
    #: a rule made this copy; what is asked for is what its original required
    made: bool = False

    @property
    def sender_domain(self) -> str:
        return self.sender.rpartition("@")[2]


def gather(
    snapshot: OrgSnapshot,
    seen: Seen,
    about: About,
    recipient: str,
    suppressed: Ternary,
    *,
    released: bool = False,
    waited: bool = False,
    approved: int = 0,
    content: ContentFacts = _UNKNOWN,
    held: Held = NO_KEYS,
) -> Facts:
    domain = recipient.rpartition("@")[2]
    known = index(snapshot.rules)
    return Facts(
        org=ids.text(snapshot.id),
        policy_version=snapshot.policy_version,
        sender=about.sender,
        sender_domain=about.sender_domain,
        recipient=recipient,
        recipient_domain=domain,
        kind=about.kind,
        category=about.category,
        data_class=about.data_class,
        purpose=about.purpose,
        origin=about.origin,
        org_floor=snapshot.floor,
        rules=snapshot.rules,
        asked_floor=about.asked_floor,
        asked_methods=about.asked_methods,
        access=about.access.kind,
        pinned_route=snapshot.route(domain) is not None,
        seen=seen,
        suppressed=suppressed,
        released=released,
        waited=waited,
        direction=_direction(snapshot, about, domain) if known.directed else Direction.OUTBOUND,
        size=about.size,
        headers=about.headers,
        at=clock.now() if known.questions.hours else 0,
        content=content,
        reasoned=bool(about.reason),
        approved=approved,
        smime_key=held.smime,
        openpgp_key=held.openpgp,
        pinned_keys=held.pinned,
        changed_keys=held.changed,
        available=_METHODS,
        made=about.made,
    )


def _direction(snapshot: OrgSnapshot, about: About, domain: str) -> Direction:
    # whichever way people outside wrote: by MX, through the gateway, in answer to a notice, in the portal
    if about.origin in ("mx", "inbound", "reply", "portal"):
        return Direction.INBOUND
    return Direction.INTERNAL if snapshot.domain(domain) is not None else Direction.OUTBOUND


def _headers(snapshot: OrgSnapshot, message: MessageRecord) -> tuple[tuple[str, str], ...] | None:
    if message.headers is not None:
        return tuple(message.headers.items())
    return (("subject", message.subject),) if index(snapshot.rules).questions.headers else None


def for_claim(
    snapshot: OrgSnapshot,
    seen: Seen,
    message: MessageRecord,
    record: DeliveryRecord,
    suppressed: Ternary = Ternary.NO,
    held: Held = NO_KEYS,
) -> Facts:
    """Before an attempt: the door's facts as of now, and what the delivery has been through since.

    `suppressed`: as `Suppression.look` answers. Header fields nobody asked about at the door are unknown, but for the
    subject, which is kept anyway."""
    about = About(
        sender=message.header_from or message.sender,
        kind=Kind(message.kind),
        category=Category(message.category),
        data_class=DataClass(message.data_class),
        purpose=Purpose(message.purpose),
        origin=message.origin,
        asked_floor=record.asked_floor,
        asked_methods=record.asked_methods,
        access=record.access,
        headers=_headers(snapshot, message),
        size=message.size,
        reason="given" if message.reasoned else "",
        made=bool(record.made_by),
    )
    facts = gather(
        snapshot,
        seen,
        about,
        record.recipient.address,
        suppressed,
        released=record.released,
        waited=record.waited,
        approved=len(record.approved),
        content=record.content or _UNKNOWN,
        held=held,
    )
    if record.exhausted or record.bound_to is not None or record.last_achieved is not None:
        return msgspec.structs.replace(
            facts, exhausted=record.exhausted, bound_to=record.bound_to, last_achieved=record.last_achieved
        )
    return facts
