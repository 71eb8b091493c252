"""One way out, from one source address to one provider: what it was told, and what that allows. Facts in, limits out.

Pure, and the only place where a reply changes how fast mail leaves. Times are UTC microseconds."""

from typing import Final

import msgspec

from carepost.pace import reactions
from carepost.pace.limits import Limits
from carepost.pace.reactions import Reaction

HOUR: Final = 3_600_000_000
#: between two more connections while a ladder is climbed
STEP: Final = 60_000_000
#: times of one reaction, and closed spans, that are remembered
_REMEMBERED: Final = 64


class Measure(msgspec.Struct, frozen=True):
    """A reaction that holds."""

    id: str
    since: int
    until: int
    suspend: bool = False
    limits: Limits = Limits()
    #: of a ladder: connections allowed once `until` is over, and when there was one more; 0: none is climbed
    level: int = 0
    stepped: int = 0


class State(msgspec.Struct, frozen=True):
    #: reaction -> when it was last matched, oldest first, within the hour
    seen: dict[str, tuple[int, ...]] = {}
    measures: tuple[Measure, ...] = ()
    #: (from, to): when nothing could leave; newest last
    closed: tuple[tuple[int, int], ...] = ()


FRESH: Final = State()


class InForce(msgspec.Struct, frozen=True):
    """What holds at one moment."""

    limits: Limits
    #: nothing leaves before; 0: it may leave
    until: int = 0
    #: the reaction that suspends, else the one that slows most; "": none
    by: str = ""


def refused(state: State, group: str, text: str, now: int) -> tuple[State, tuple[Measure, ...]]:
    """A server of `group` refused something with `text`. Second: measures that begin with it, or begin again."""
    found = reactions.matched(group, text)
    if not found:
        return state, ()
    begun: list[Measure] = []
    for one in found:
        state, measure = _count(state, one, now)
        if measure is not None:
            begun.append(measure)
    for measure in begun:
        state = adopt(state, measure)
    return state, tuple(begun)


def _count(state: State, one: Reaction, now: int) -> tuple[State, Measure | None]:
    times = (*[at for at in state.seen.get(one.id, ()) if at > now - HOUR], now)[-_REMEMBERED:]
    enough = len(times) >= one.times
    if enough and _under_way(state, one, now):
        # Said before it began to hold, by what was under way: it does not hold longer for that.
        enough = False
    seen = {id_: at for id_, at in state.seen.items() if id_ != one.id}
    if not enough:
        seen[one.id] = times
    state = msgspec.structs.replace(state, seen=seen)
    if not enough:
        return state, None
    level = 1 if one.ladder else 0
    until = now + one.lasts
    return state, Measure(one.id, now, until, one.suspend or one.ladder, one.limits, level, until)


def _under_way(state: State, one: Reaction, now: int) -> bool:
    return any(m.id == one.id and now < m.until and (m.suspend or now - m.since < STEP) for m in state.measures)


def adopt(state: State, measure: Measure) -> State:
    """A measure found here or by another process. One of the same reaction that is older is replaced."""
    known = next((m for m in state.measures if m.id == measure.id), None)
    if known is not None and known.since >= measure.since:
        return state
    kept = tuple(m for m in state.measures if m.id != measure.id)
    closed = state.closed
    if measure.suspend:
        closed = (*closed, (measure.since, measure.until))[-_REMEMBERED:]
    return msgspec.structs.replace(state, measures=(*kept, measure), closed=closed)


def accepted(state: State, now: int, most: int) -> State:
    """A message was accepted: where a ladder is climbed, one more connection, once a minute, up to `most`."""
    climbing = [m for m in state.measures if m.level and now >= m.until]
    if not climbing:
        return state
    kept = [m for m in state.measures if m not in climbing]
    for one in climbing:
        if now - one.stepped < STEP:
            kept.append(one)
        elif not most or one.level + 1 < most:
            kept.append(msgspec.structs.replace(one, level=one.level + 1, stepped=now))
    return msgspec.structs.replace(state, measures=tuple(kept))


def lifted(state: State, at: int) -> State:
    """A person ended all that began before: what was counted towards more is forgotten too."""
    if not any(m.since <= at for m in state.measures):
        return state
    closed = tuple((begin, min(end, at) if begin <= at else end) for begin, end in state.closed)
    return State({}, tuple(m for m in state.measures if m.since > at), closed)


def tidied(state: State, now: int) -> State:
    """Without what is over."""
    measures = tuple(m for m in state.measures if now < m.until or m.level)
    seen = {id_: times for id_, times in state.seen.items() if times and times[-1] > now - HOUR}
    if len(measures) == len(state.measures) and len(seen) == len(state.seen):
        return state
    return msgspec.structs.replace(state, measures=measures, seen=seen)


def in_force(state: State, base: Limits, now: int) -> InForce:
    """`base`: of the table, or a person's own."""
    limits, until, by, slows = base, 0, "", ""
    for one in state.measures:
        if now < one.until:
            if one.suspend:
                until, by = max((until, by), (one.until, one.id))
            else:
                limits, slows = limits.stricter(one.limits), one.id
        elif one.level:
            limits, slows = limits.stricter(Limits(connections=one.level)), one.id
    return InForce(limits, until, by or slows)


def closed_for(state: State, since: int, now: int) -> int:
    """Microseconds since `since` in which nothing could leave: they count against no message."""
    spans = sorted((max(begin, since), min(end, now)) for begin, end in state.closed)
    total = reached = 0
    for begin, end in spans:
        begin = max(begin, reached)
        if end > begin:
            total += end - begin
            reached = end
    return total
