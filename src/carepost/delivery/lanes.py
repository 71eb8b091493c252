"""Lanes as they are used: how much may go now from one source to one provider, and what the provider said of it.

What its replies mean is `pace.lane`'s; here is what is counted besides. On the loop only. Times: UTC microseconds."""

from typing import Final

from carepost.directory.sending import Warm
from carepost.pace import lane, providers, rate
from carepost.pace.lane import FRESH, InForce, Measure
from carepost.pace.limits import Limits
from carepost.pace.warmup import FIRST

#: deliveries under way for each connection: one on it, others made ready
READY: Final = 4
MANY: Final = 1 << 30
_SECOND: Final = 1_000_000
_HOUR: Final = 3_600_000_000
DAY: Final = 86_400_000_000


class Share:
    """Which of how many processes this is: limits are divided between them (`rate.share`)."""

    __slots__ = ("part", "parts")

    def __init__(self, part: int = 0, parts: int = 1) -> None:
        self.part, self.parts = part, max(1, parts)


class Warming:
    """What a new address may send in a day to one provider, or to all that have no name of their own together, and how
    much of it went from this process. What is under way counts: it may all be accepted."""

    __slots__ = ("_day", "_share", "busy", "delivered", "warm")

    def __init__(self, share: Share) -> None:
        self.warm = Warm(0, FIRST)
        self.delivered = 0
        #: deliveries under way, of all lanes that share it
        self.busy = 0
        self._day = 0
        self._share = share

    def told(self, warm: Warm) -> None:
        """As read from the office; what was delivered before this process began counts in shares."""
        if warm.day > self.warm.day:
            before = self.delivered if self._day == warm.day else 0
            self._day, self.delivered = warm.day, max(before, warm.delivered // self._share.parts)
        self.warm = warm

    def left(self, now: int) -> int:
        if not self.warm.cap:
            return MANY
        self._today(now)
        parts, cap = self._share.parts, self.warm.cap
        return cap // parts + (self._share.part < cap % parts) - self.delivered - self.busy

    def sent(self, now: int) -> None:
        self._today(now)
        self.delivered += 1

    def _today(self, now: int) -> None:
        today = now // DAY
        if today > self._day:
            self._day, self.delivered = today, 0


class Lane:
    """`provider`: its group. `base`: of the table or the organisation's own; nothing told yet."""

    __slots__ = (
        "_fresh_until", "_now", "_share", "_warming", "base", "busy", "dial_tat", "hour_tat",
        "provider", "source", "state", "tat",
    )  # fmt: skip

    def __init__(self, source: str, provider: str, base: Limits, share: Share) -> None:
        self.source, self.provider, self.base = source, provider, base
        self.state = FRESH
        self.busy = 0
        #: when the next would go at an even pace: by minute, by hour; the next connection
        self.tat = self.hour_tat = self.dial_tat = 0
        self._warming: Warming | None = None
        self._share = share
        self._now = InForce(base)
        self._fresh_until = 0

    @property
    def warming(self) -> Warming | None:
        """Its address is new to this provider."""
        return self._warming

    @warming.setter
    def warming(self, new: Warming | None) -> None:
        """What is under way goes along."""
        if new is self._warming:
            return
        if self._warming is not None:
            self._warming.busy -= self.busy
        if new is not None:
            new.busy += self.busy
        self._warming = new

    # what holds

    def in_force(self, now: int) -> InForce:
        """Worked out again once a second, and when something was told."""
        if now >= self._fresh_until or (self._now.until and now >= self._now.until):
            self.state = lane.tidied(self.state, now)
            self._now = lane.in_force(self.state, self.base, now)
            self._fresh_until = now + _SECOND
        return self._now

    @property
    def plain(self) -> bool:
        """Nothing limits it: it is as if it were not there."""
        return self.base.unlimited and self.warming is None and not self.state.measures

    def connections(self, now: int) -> int:
        """At once, of this process; 0: none in this minute; MANY: no limit."""
        most = self.in_force(now).limits.connections
        return rate.share(most, self._share.parts, self._share.part, now) if most else MANY

    def messages(self, now: int) -> int:
        """On one connection; 0: no limit."""
        return self.in_force(now).limits.messages

    def until(self, now: int, *, urgent: bool = False) -> tuple[int, str]:
        """(when it opens again, why it is closed: a reaction, "rate", "turn" or "warm-up"); (0, "") where it is open.
        `urgent`: warm-up does not hold it here (`ways` finds it another address)."""
        force = self.in_force(now)
        if force.until:
            return force.until, force.by
        limits = force.limits
        if limits.connections and not self.connections(now):
            return rate.next_turn(limits.connections, self._share.parts, self._share.part, now), force.by or "turn"
        at = max(
            self._free_at(limits.per_minute, rate.MINUTE, self.tat),
            self._free_at(limits.per_hour, _HOUR, self.hour_tat),
        )
        if at > now:
            return at, force.by or "rate"
        if self.left(now) <= 0:
            return (now // DAY + 1) * DAY, "warm-up"
        return 0, ""

    def free(self, now: int, *, bulk: bool = False) -> int:
        """How many more deliveries may begin now."""
        at, _ = self.until(now)
        if at:
            return 0
        limits = self.in_force(now).limits
        room = self._places(now, bulk) - self.busy
        if limits.per_minute:
            room = min(room, self._tokens(limits.per_minute, rate.MINUTE, self.tat, now))
        if limits.per_hour:
            room = min(room, self._tokens(limits.per_hour, _HOUR, self.hour_tat, now))
        return max(0, min(room, self.left(now)))

    # what happens

    def begin(self, now: int, *, bulk: bool = False) -> tuple[int, str]:
        """One more is under way, and counts; (0, ""). Or (when, why) as `until`: it must wait, and nothing counts."""
        at, why = self.until(now)
        if at:
            return at, why
        limits = self.in_force(now).limits
        if self.busy >= self._places(now, bulk):
            return now + _SECOND, "connections"
        if limits.per_minute:
            _, self.tat = rate.admit(self.tat, now, *self._steps(limits.per_minute, rate.MINUTE))
        if limits.per_hour:
            _, self.hour_tat = rate.admit(self.hour_tat, now, *self._steps(limits.per_hour, _HOUR))
        self.busy += 1
        if self._warming is not None:
            self._warming.busy += 1
        return 0, ""

    def end(self) -> None:
        self.busy -= 1
        if self._warming is not None:
            self._warming.busy -= 1

    def dial(self, now: int) -> int:
        """When a connection may be opened, which counts as opened then; 0: at once."""
        dials = self.in_force(now).limits.dials
        if not dials:
            return 0
        step, burst = self._steps(dials, rate.MINUTE)
        at, _ = rate.admit(self.dial_tat, now, step, burst)
        self.dial_tat = max(at, self.dial_tat) + step
        return at if at > now else 0

    def refused(self, text: str, now: int) -> tuple[Measure, ...]:
        """What begins to hold because of this reply."""
        self.state, begun = lane.refused(self.state, self.provider, text, now)
        self._fresh_until = 0
        return begun

    def accepted(self, now: int) -> None:
        if self.state.measures:
            self.state = lane.accepted(self.state, now, self.base.connections)
            self._fresh_until = 0
        if self.warming is not None:
            self.warming.sent(now)

    def adopt(self, measure: Measure) -> None:
        self.state = lane.adopt(self.state, measure)
        self._fresh_until = 0

    def lifted(self, at: int) -> None:
        self.state = lane.lifted(self.state, at)
        self._fresh_until = 0

    def closed_for(self, since: int, now: int) -> int:
        return lane.closed_for(self.state, since, now)

    def left(self, now: int) -> int:
        """Messages that may still begin today, in this process."""
        return self.warming.left(now) if self.warming is not None else MANY

    def _places(self, now: int, bulk: bool) -> int:
        """Deliveries under way at once. Marketing leaves the last ones to other mail."""
        most = self.connections(now)
        if most == MANY:
            return MANY
        return (READY - 1) * most if bulk else READY * most

    def _steps(self, count: int, per: int) -> tuple[int, int]:
        return rate.interval(count, per, self._share.parts), rate.burst_of(count * rate.MINUTE // per)

    def _free_at(self, count: int, per: int, tat: int) -> int:
        if not count:
            return 0
        step, burst = self._steps(count, per)
        return tat - (burst - 1) * step

    def _tokens(self, count: int, per: int, tat: int, now: int) -> int:
        step, burst = self._steps(count, per)
        return min(burst, int((now - (tat - burst * step)) // step))


def base_of(provider: str, *, public: bool) -> Limits:
    """Of the table: those who have limits of their own there, and, out on the internet, everybody else."""
    if providers.named(provider) or public:
        return providers.find(provider).limits
    return Limits()
