"""What the decision may look at, gathered at the door and again before each attempt. Nothing else is read."""

import msgspec

from carepost.directory.types import OrgSnapshot
from carepost.ground import ids
from carepost.policy.types import Assurance, Category, DataClass, Facts, Kind, Method, Purpose, Rule, Seen, Ternary
from carepost.queue.types import DeliveryRecord, MessageRecord
from carepost.wire.types import AccessProof

#: organisations whose released rules are remembered
_REMEMBERED = 256


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

    @property
    def sender_domain(self) -> str:
        return self.sender.rpartition("@")[2]


def gather(
    snapshot: OrgSnapshot, seen: Seen, about: About, recipient: str, suppressed: Ternary, *, released: bool = False
) -> Facts:
    domain = recipient.rpartition("@")[2]
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
        rules=_unheld(snapshot) if released else snapshot.rules,
        asked_floor=about.asked_floor,
        asked_methods=about.asked_methods,
        access=about.access.kind,
        pinned_route=snapshot.route(domain) is not None,
        seen=seen,
        suppressed=suppressed,
        released=released,
    )


#: (organisation, epoch) -> its rules for what a person has released; the same tuple each time, as policy indexes it
_released: dict[tuple[bytes, int], tuple[Rule, ...]] = {}


def _unheld(snapshot: OrgSnapshot) -> tuple[Rule, ...]:
    """The rules without their holding: what they require of protection, and what they refuse, still counts."""
    key = (snapshot.id, snapshot.epoch)
    found = _released.get(key)
    if found is None:
        if len(_released) >= _REMEMBERED:
            _released.clear()
        found = _released[key] = tuple(
            r if r.action in ("", "refuse") else msgspec.structs.replace(r, action="") for r in snapshot.rules
        )
    return found


def for_claim(
    snapshot: OrgSnapshot, seen: Seen, message: MessageRecord, record: DeliveryRecord, suppressed: Ternary = Ternary.NO
) -> Facts:
    """Before an attempt: the door's facts as of now, and what the delivery has been through since.

    `suppressed`: as `Suppression.look` answers."""
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
    )
    facts = gather(snapshot, seen, about, record.recipient.address, suppressed, released=record.released)
    if record.exhausted or record.bound_to is not None or record.last_achieved is not None:
        return msgspec.structs.replace(
            facts, exhausted=record.exhausted, bound_to=record.bound_to, last_achieved=record.last_achieved
        )
    return facts
