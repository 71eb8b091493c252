"""Parts of the log that are told again, a thousand leaves at a time: their events are pending once more, by the same
ids."""

from collections.abc import Mapping
from typing import Final

from carepost.audit import reader
from carepost.audit.store import Store, size_of
from carepost.ground import clock, ids
from carepost.proof.event import Event
from carepost.webhooks import acts
from carepost.webhooks.calls import rows
from carepost.webhooks.calls.rows import Replay
from carepost.webhooks.fanout import passes, pending
from carepost.webhooks.schedule import DAY
from carepost.webhooks.targets import Target

#: leaves of one step; rows an endpoint may have waiting meanwhile
STEP: Final = 1_000
WAITING: Final = 5_000
#: an event is in the log soon after it happened, or as long after it as the journal stood still
_LATE: Final = DAY
#: an id is made around the moment of its event
_AROUND: Final = 3_600_000_000


def step(store: Store, targets: Mapping[bytes, Target]) -> tuple[set[bytes], bool]:
    """(endpoints that were given something, whether there is more to do at once)."""
    touched: set[bytes] = set()
    more = False
    with store.reading(None):
        asked = rows.replays(store)
    for one in asked:
        target = targets.get(one.endpoint)
        if target is None or (not target.live and not one.only):
            with store.writing():
                rows.move_replay(store, one, over=True)
            continue
        with store.reading(None):
            full = rows.waiting(store, one.org, one.endpoint) > WAITING
        if not full:
            more = _move(store, target, one) or more
            touched.add(one.endpoint)
    return touched, more


def _move(store: Store, target: Target, one: Replay) -> bool:
    """One step; whether there is another."""
    if one.next_leaf < 0:
        with store.reading(one.org):
            one.next_leaf = _size_at(store, one.org, one.since - (_AROUND if one.only else 0))
            one.last_leaf = _end(store, one)
    found = reader.events_from(store, one.org, one.next_leaf, STEP)
    mine = [here.event for here in found if here.index < one.last_leaf and _meant(one, target, here.event)]
    over = len(found) < STEP or found[-1].index + 1 >= one.last_leaf or bool(one.only and mine)
    one.next_leaf = found[-1].index + 1 if found else one.last_leaf
    with store.writing():
        rows.add(store, [pending(target, event, forced=bool(one.only)) for event in mine])
        rows.move_replay(store, one, over=over)
        # COMMIT POINT: a crash before it repeats the step, which adds the same rows; after it the next one follows.
    return not over


def _meant(one: Replay, target: Target, event: Event) -> bool:
    if one.only:
        return event.id == ids.text(one.only) and not event.kind.startswith(acts.PREFIX)
    return one.since <= event.at <= one.until and passes(target, event)


def _end(store: Store, one: Replay) -> int:
    size = size_of(store, one.org)
    if one.until + _LATE >= clock.now():
        return size
    return min(size, _size_at(store, one.org, one.until + _LATE) + STEP)


def _size_at(store: Store, org: bytes, at: int) -> int:
    """How many leaves the log had at a moment, by its checkpoints: what happened later stands behind them."""
    low, high = 0, size_of(store, org)
    while low < high:
        middle = (low + high + 1) // 2
        found = store.rows(
            "SELECT size, at FROM audit_checkpoint WHERE org = ? AND size >= ? ORDER BY size LIMIT 1", (org, middle)
        )
        if found and int(found[0][1]) <= at:
            low = int(found[0][0])
        else:
            high = middle - 1
    return low
