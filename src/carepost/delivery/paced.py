"""What an attempt asks of `ways`, and what of it goes on record. What may not leave goes back as it was: no attempt is
counted, and its time begins when it is first tried."""

from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.delivery import events
from carepost.delivery.carried import HOUSE_WAY, Carried, Need, Way
from carepost.delivery.events import About
from carepost.delivery.hops import Hops
from carepost.delivery.outcome import NO_SOURCE
from carepost.delivery.ways import Pace, Wait
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, ids
from carepost.pace.lane import Measure
from carepost.proof import kinds
from carepost.queue.types import Claim, EventDraft, MessageRecord, Settlement, State
from carepost.wire.pacing import Noticed, encode

#: microseconds a first attempt may be late before it counts as held back
_LATE: Final = 60_000_000
#: microseconds for which an address that turns out not to be on this machine is left alone
_ALONE: Final = 60_000_000
_LOOK_AGAIN: Final = 30_000_000


def begin(pace: Pace | None, claim: Claim, snapshot: OrgSnapshot, message: MessageRecord, hops: Hops) -> Way | Wait:
    if pace is None:
        return HOUSE_WAY
    way = pace.way(claim, snapshot, message, hops)
    if way is not HOUSE_WAY and isinstance(way, Way) and claim.attempt == 1:
        now = clock.now()
        if now - _first(claim) > _LATE:
            claim.record = msgspec.structs.replace(claim.record, first_due=now)
    return way


def by(way: Way, need: Need) -> Need:
    return need if way is HOUSE_WAY else msgspec.structs.replace(need, way=way)


def over(pace: Pace | None, about: About, way: Way, hops: Hops, carried: Carried | None) -> Sequence[EventDraft]:
    """The attempt is over; what begins to hold because of its reply, as events."""
    if pace is None:
        return ()
    if way is HOUSE_WAY and (carried is None or (reply := carried.ended.reply) is None or reply.code < 400):
        # most mail: nothing was counted, and nothing was asked for
        return ()
    begun = pace.done(way, hops, carried)
    if carried is not None and carried.ended.error == NO_SOURCE:
        pace.leave_alone(way, _ALONE)
    return [_noticed(about, one.provider, one.source, one.measure) for one in begun]


def not_counted(pace: Pace | None, claim: Claim) -> int:
    """Microseconds since it was first due in which its way was closed: they count against nobody."""
    return pace.not_counted(claim.destination, _first(claim)) if pace is not None else 0


def _first(claim: Claim) -> int:
    return claim.record.first_due or ids.made_at(claim.message)


def held_back(about: About, wait: Wait) -> Settlement:
    """As it was before it was claimed, in its old place: `Pace.room` lets it go when its way opens. Where the gate does
    not see what closed it (a pool of one sender domain), it is looked at again in a while."""
    due = min(_first(about.claim), about.now) if not wait.unseen else min(wait.until, about.now + _LOOK_AGAIN)
    facts = events.step_facts(about.claim, None, State.QUEUED.value) | {"held-by": wait.what}
    event = about.make(kinds.DELIVERY_HELD_BACK, facts=facts, result="deferred")
    return Settlement(State.QUEUED, about.claim.record, due, (event,), attempted=False)


def _noticed(about: About, provider: str, source: str, measure: Measure) -> EventDraft:
    said = Noticed(provider, source, measure.id, measure.since, measure.until)
    return about.make(
        kinds.PROVIDER_ASKED,
        facts={},
        values={"noticed": encode(said)},
        cause=measure.id,
        result="held" if measure.suspend else "ok",
    )
