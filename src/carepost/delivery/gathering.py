"""All the decision may look at before an attempt, as of now (law 3)."""

from carepost.delivery.world import World
from carepost.directory.types import OrgSnapshot
from carepost.intake import facts
from carepost.policy.types import Category, Facts, Kind
from carepost.queue.types import DeliveryRecord, MessageRecord


def gather(world: World, snapshot: OrgSnapshot, message: MessageRecord, record: DeliveryRecord) -> Facts:
    recipient, judge = record.recipient, world.intake.judge
    seen = world.posture.seen(recipient.domain)
    category, kind = Category(message.category), Kind(message.kind)
    suppressed = judge.suppression.look(snapshot, recipient.address, category, kind)
    held = judge.keys.look(snapshot, recipient.address)
    return facts.for_claim(snapshot, seen, message, record, suppressed, held)
