"""By which way a message leaves: from which source address, and whether it may leave now. One `Pace` an engine.

An organisation that decided nothing, and a provider that asked for nothing, cost a look into two dictionaries. What may
not go is not claimed (`room`); what was claimed before that was known goes back as it was (`Wait`)."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from carepost.delivery.carried import HOUSE_WAY, Carried, Way
from carepost.delivery.hops import Hops
from carepost.delivery.lanes import MANY, Lane, Share, Warming, base_of
from carepost.directory import sending
from carepost.directory.sending import DRAINING, HOUSE, PAUSED, Address, Sending
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock
from carepost.pace import providers, reactions
from carepost.pace.lane import Measure
from carepost.pace.limits import Limits
from carepost.pace.warmup import group as warm_group
from carepost.pace.words import held_by
from carepost.queue.types import Claim, MessageRecord
from carepost.spool.types import Flow
from carepost.wire.pacing import HeldBack, LaneView
from carepost.wire.types import Stream

#: domains whose provider is remembered
_REMEMBERED: Final = 50_000
_SECOND: Final = 1_000_000
#: seconds between looks at what was not let go, while there is such
_LOOK: Final = (0.05, 2.0)
#: streams that never wait for a warm-up
_BULK: Final = Stream.BULK.value
#: microseconds for which marketing waits at a provider where other mail was not let go
_ASKED: Final = 3_000_000
_URGENT: Final = frozenset({Stream.SYSTEM.value, Stream.TRANSACTIONAL.value})


class Wait(msgspec.Struct, frozen=True):
    """It may not leave now. `what`: suspension | rate | warm-up | connections; `by`: a reaction of the table, or ""."""

    provider: str
    until: int
    what: str
    by: str = ""
    source: str = ""
    #: it hangs on the sender, whom `Pace.room` does not know
    unseen: bool = False


class Learnt(msgspec.Struct, frozen=True):
    """A provider asked for less: to be put on record."""

    provider: str
    source: str
    measure: Measure


class Pace:
    """`share`: which of how many processes this is."""

    def __init__(self, share: Share | None = None) -> None:
        self._share = share or Share()
        #: (source, provider, whose own limits): b"" those of the table
        self._lanes: dict[tuple[str, str, bytes], Lane] = {}
        #: (source, provider) -> the lanes of all whose limits differ
        self._same: dict[tuple[str, str], list[Lane]] = {}
        #: HMAC token of a domain -> provider of its mail hosts, where something limits it
        self._providers: dict[bytes, str] = {}
        self._public: dict[str, bool] = {}
        #: organisations with something of their own, as of which epoch
        self._own: dict[bytes, tuple[int, Sending]] = {}
        #: provider -> when mail that is not marketing could not go there
        self._asked: dict[str, int] = {}
        #: (source, provider or `providers.DEFAULT`)
        self._plans: dict[tuple[str, str], Warming] = {}
        self._turn = 0
        #: called when something may go again
        self.reopened: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None

    # what may be claimed

    def room(self, flow: Flow, destination: bytes) -> int:
        """How many deliveries of this flow to this domain may be claimed now."""
        provider = self._providers.get(destination)
        if provider is None:
            return MANY
        now, bulk = clock.now(), flow.stream == _BULK
        if bulk and self._asked.get(provider, 0) > now - _ASKED:
            found = 0
        else:
            found = sum(lane.free(now, bulk=bulk) for lane in self._candidates(flow.org, flow.stream, provider))
        if not found:
            if not bulk:
                self._asked[provider] = now
            self._look_again(flow, provider, now)
        return found

    def waits(self, flow: Flow, destination: bytes) -> Wait | None:
        """Why what is ready is not sent; None: it is only a matter of turns."""
        provider = self._providers.get(destination)
        if provider is None:
            return None
        return self._wait(self._candidates(flow.org, flow.stream, provider), provider, clock.now())

    # an attempt

    def way(self, claim: Claim, snapshot: OrgSnapshot, message: MessageRecord, hops: Hops) -> Way | Wait:
        """The way it takes, which is then under way until `done`."""
        if snapshot.sending is None and not hops.shaped and (HOUSE, hops.provider, b"") not in self._lanes:
            return HOUSE_WAY
        return self._way(claim, snapshot, message, hops)

    def _way(self, claim: Claim, snapshot: OrgSnapshot, message: MessageRecord, hops: Hops) -> Way | Wait:
        if snapshot.sending is not None:
            self._know(snapshot)
        elif claim.org in self._own:
            del self._own[claim.org]
        provider = hops.provider
        if not provider:
            # a tenant's own mail system, or a pinned host without a name: as it always was
            return HOUSE_WAY
        self._public[provider] = hops.shaped and not providers.named(provider)
        lanes = self._candidates(claim.org, claim.stream, provider, message.header_from or message.sender)
        if hops.pinned:
            return Way(lanes[0].source, self._helo(claim.org, lanes[0].source)) if lanes[0].source else HOUSE_WAY
        if len(lanes) == 1 and lanes[0].plain and not lanes[0].source:
            return HOUSE_WAY
        self._remember(claim.destination, provider)
        now, bulk = clock.now(), claim.stream == _BULK
        for lane in lanes:
            at, _ = lane.begin(now, bulk=bulk)
            if not at:
                return Way(lane.source, self._helo(claim.org, lane.source), lane, bulk)
        wait = self._wait(lanes, provider, now) or Wait(provider, now + _SECOND, "connections")
        return msgspec.structs.replace(wait, unseen=True) if self._by_domain(claim.org) else wait

    def done(self, way: Way, hops: Hops, carried: Carried | None) -> tuple[Learnt, ...]:
        """The attempt is over. What its reply asks for holds from now on."""
        lane = way.lane
        if isinstance(lane, Lane):
            lane.end()
        reply = carried.ended.reply if carried is not None else None
        if reply is None or reply.malformed or not hops.provider or hops.pinned:
            return ()
        if reply.code < 400:
            if isinstance(lane, Lane):
                lane.accepted(clock.now())
            return ()
        text = reply.text
        if not reactions.matched(hops.provider, text):
            return ()
        if not isinstance(lane, Lane):
            lane = self._lane(way.source, hops.provider, b"", Limits())
        begun = lane.refused(text, clock.now())
        for other in self._siblings(lane.source, hops.provider):
            for one in begun:
                other.adopt(one)
        return tuple(Learnt(hops.provider, lane.source, one) for one in begun)

    def leave_alone(self, way: Way, microseconds: int) -> None:
        """This address leads nowhere from here: others of its pool are taken meanwhile."""
        if isinstance(way.lane, Lane):
            now = clock.now()
            way.lane.adopt(Measure("own-address", now, now + microseconds, suspend=True))

    def not_counted(self, destination: bytes, since: int) -> int:
        """Microseconds since `since` in which no way to this domain was open: nobody's time runs then."""
        provider, now = self._providers.get(destination), clock.now()
        if provider is None:
            return 0
        lanes = (one for (_, whom), all_ in self._same.items() if whom == provider for one in all_)
        return min((one.closed_for(since, now) for one in lanes), default=0)

    def views(self, org: bytes) -> list[LaneView]:
        """How the ways that an organisation's mail may take stand now, of this process."""
        now = clock.now()
        return [_view(one, now) for one in self.lanes(org)]

    # lanes

    def lanes(self, org: bytes) -> list[Lane]:
        sources = self._sources(org) | {HOUSE}
        return [one for (source, _, owner), one in self._lanes.items() if source in sources and owner in (b"", org)]

    def _candidates(self, org: bytes, stream: str, provider: str, sender: str = "") -> list[Lane]:
        """In the order they are tried. One at least."""
        own = self._own.get(org)
        if own is None:
            return [self._lane(HOUSE, provider, b"", None)]
        told = own[1]
        limits = told.limits.get(provider) or told.limits.get(providers.DEFAULT)
        whose = org if limits is not None else b""
        base = limits.over(self._base(provider)) if limits is not None else None
        pool = sending.pool_for(told, stream, sender.rpartition("@")[2].rstrip(">").lower())
        found = []
        for one in self._in_turn(told, pool):
            found.append(lane := self._lane(one.ip, provider, whose, base))
            lane.warming = self._warming(told, one.ip, provider) if one.warming else None
        if not found or (stream in _URGENT and all(lane.warming is not None for lane in found)):
            found.append(self._lane(HOUSE, provider, whose, base))
        return found

    def _in_turn(self, told: Sending, pool: str) -> list[Address]:
        """New addresses first, as far as their plans let them; then the others in turn; those being emptied last."""
        usable = [one for one in told.addresses if one.pool == pool and one.state != PAUSED]
        new = [one for one in usable if one.warming and one.state != DRAINING]
        known = [one for one in usable if not one.warming and one.state != DRAINING]
        if len(known) > 1:
            self._turn += 1
            at = self._turn % len(known)
            known = known[at:] + known[:at]
        return new + known + [one for one in usable if one.state == DRAINING]

    def _warming(self, told: Sending, source: str, provider: str) -> Warming:
        key = (source, warm_group(provider))
        found = self._plans.get(key)
        if found is None:
            found = self._plans[key] = Warming(self._share)
        warm = told.warm.get(key)
        if warm is not None and warm is not found.warm:
            found.told(warm)
        return found

    def _lane(self, source: str, provider: str, whose: bytes, base: Limits | None) -> Lane:
        key = (source, provider, whose)
        found = self._lanes.get(key)
        if found is None:
            if len(self._lanes) >= _REMEMBERED:
                self._forget([k for k, one in self._lanes.items() if not one.busy and one.plain])
            found = Lane(source, provider, base or self._base(provider), self._share)
            for other in self._siblings(source, provider):
                # the receiver counts the source, whoever's mail it is
                found.state = other.state
            self._lanes[key] = found
            self._same.setdefault((source, provider), []).append(found)
        elif base is not None and whose:
            found.base = base
        return found

    def _base(self, provider: str) -> Limits:
        return base_of(provider, public=self._public.get(provider, False))

    def _wait(self, lanes: list[Lane], provider: str, now: int) -> Wait | None:
        """The first to open."""
        closed = [(*lane.until(now), lane) for lane in lanes]
        if not closed or any(not at for at, _, _ in closed):
            return None
        at, why, lane = min(closed, key=lambda one: one[0])
        what, by = _what(lane, why, now)
        return Wait(provider, at, what, by, lane.source)

    def _remember(self, destination: bytes, provider: str) -> None:
        if destination in self._providers:
            self._providers[destination] = provider
            return
        if len(self._providers) >= _REMEMBERED:
            self._providers.clear()
        self._providers[destination] = provider

    # what organisations decided, and what others were told

    def know(self, snapshot: OrgSnapshot) -> None:
        """An organisation as it is now: what its people decided holds at once, also while nothing of it is sent, and
        what providers asked of one process holds for all."""
        if snapshot.sending is not None:
            self._know(snapshot)
        else:
            self._own.pop(snapshot.id, None)

    def _know(self, snapshot: OrgSnapshot) -> None:
        before = self._own.get(snapshot.id)
        told = snapshot.sending
        if told is None or (before is not None and before[0] == snapshot.epoch):
            return
        self._own[snapshot.id] = (snapshot.epoch, told)
        for key in [key for key in self._lanes if key[2] == snapshot.id and not self._lanes[key].busy]:
            # its own limits may have changed; what is under way keeps its lane until it is used again
            if not self._lanes[key].state.measures:
                self._forget([key])
        now = clock.now()
        for one in told.told:
            for lane in self._siblings(one.source, one.provider) or [self._lane(one.source, one.provider, b"", None)]:
                if one.lifted_at:
                    lane.lifted(one.lifted_at)
                elif one.measure.until > now:
                    lane.adopt(one.measure)
        self._reopen()

    def _siblings(self, source: str, provider: str) -> list[Lane]:
        return self._same.get((source, provider), [])

    def _forget(self, keys: list[tuple[str, str, bytes]]) -> None:
        for key in keys:
            gone = self._lanes.pop(key)
            left = [one for one in self._same[key[0], key[1]] if one is not gone]
            if left:
                self._same[key[0], key[1]] = left
            else:
                del self._same[key[0], key[1]]

    def _by_domain(self, org: bytes) -> bool:
        own = self._own.get(org)
        return own is not None and any(pool.domain for pool in own[1].pools)

    def _sources(self, org: bytes) -> set[str]:
        own = self._own.get(org)
        return {one.ip for one in own[1].addresses} if own is not None else set()

    def _helo(self, org: bytes, source: str) -> str:
        own = self._own.get(org)
        if own is None or not source:
            return ""
        return next((one.helo for one in own[1].addresses if one.ip == source), "")

    # opening again

    def _look_again(self, flow: Flow, provider: str, now: int) -> None:
        if self._timer is not None:
            return
        wait = self._wait(self._candidates(flow.org, flow.stream, provider), provider, now)
        seconds = (wait.until - now) / _SECOND if wait is not None else 0.0
        least, most = _LOOK
        self._timer = asyncio.get_running_loop().call_later(min(max(seconds, least), most), self._reopen)

    def _reopen(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for tell in self.reopened:
            tell()


def _view(lane: Lane, now: int) -> LaneView:
    force = lane.in_force(now)
    at, why = lane.until(now)
    held = None
    if at:
        what, by = _what(lane, why, now)
        held = HeldBack(what, held_by(what, lane.provider, by, lane.source), at, lane.provider, lane.source, by)
    most = lane.connections(now)
    return LaneView(
        provider=lane.provider,
        source=lane.source,
        connections=0 if most == MANY else most,
        messages=force.limits.messages,
        per_minute=force.limits.per_minute,
        per_hour=force.limits.per_hour,
        busy=lane.busy,
        held=held,
        measures=tuple((one.id, one.until) for one in lane.state.measures),
        warm=(lane.warming.warm.cap, lane.warming.delivered) if lane.warming is not None else None,
    )


def _what(lane: Lane, why: str, now: int) -> tuple[str, str]:
    """(what of HeldBack, the reaction behind it or "")."""
    if lane.in_force(now).until:
        return "suspension", why
    if why in reactions.BY_ID:
        return "rate", why
    return ("rate" if why == "turn" else why), ""
