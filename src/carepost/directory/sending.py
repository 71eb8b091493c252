"""How an organisation sends: its source addresses in pools, its own limits a provider, warm-up, and what providers told
it. Read from the `engine_*` views; an organisation that decided nothing of it has none of this (`OrgSnapshot.sending`).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from carepost.pace import reactions
from carepost.pace.lane import Measure
from carepost.pace.limits import Limits

#: takes mail | takes what no active address of its pool can | takes none
ACTIVE, DRAINING, PAUSED = "active", "draining", "paused"
#: the house's own address: whatever the machine's routes choose
HOUSE: Final = ""


class Address(msgspec.Struct, frozen=True):
    #: bound before dialling
    ip: str
    #: what is said in EHLO; "": the house's name
    helo: str
    pool: str
    state: str
    #: it is new: a cap a day and provider holds
    warming: bool = False


class Pool(msgspec.Struct, frozen=True):
    name: str
    #: wire.types.Stream; empty: every one
    streams: tuple[str, ...] = ()
    #: sender domain; "": every one
    domain: str = ""

    def weight(self, stream: str, domain: str) -> int:
        """How closely it is meant for this mail; 0: it is not."""
        if (self.streams and stream not in self.streams) or (self.domain and self.domain != domain):
            return 0
        return 1 + 2 * bool(self.domain) + bool(self.streams)


class Warm(msgspec.Struct, frozen=True):
    """What one address may send to one provider on `day` (since 1970, UTC); later days until something newer is known.
    `cap` 0: no limit any more. `delivered`: on that day as far as it was counted when this was read."""

    day: int
    cap: int
    delivered: int = 0


class Told(msgspec.Struct, frozen=True):
    """What a provider asked of one source, or that a person ended it (`lifted_at`)."""

    source: str
    provider: str
    measure: Measure
    lifted_at: int = 0


class Sending(msgspec.Struct, frozen=True):
    addresses: tuple[Address, ...] = ()
    pools: tuple[Pool, ...] = ()
    #: provider group, or pace.providers.DEFAULT for all that have none -> the organisation's own limits
    limits: Mapping[str, Limits] = {}
    #: (ip, provider group)
    warm: Mapping[tuple[str, str], Warm] = {}
    told: tuple[Told, ...] = ()


def pool_for(sending: Sending, stream: str, domain: str) -> str:
    """The pool this mail leaves by: of those meant for it the one meant most closely; "": the house's own address."""
    best = max(sending.pools, key=lambda one: (one.weight(stream, domain), one.name), default=None)
    return best.name if best is not None and best.weight(stream, domain) else ""


#: view -> its columns after `org`
VIEWS: Final[dict[str, tuple[str, ...]]] = {
    "engine_sending_pool": ("name", "streams", "domain"),
    "engine_sending_address": ("ip", "helo", "pool", "state", "warming"),
    "engine_provider_limit": ("provider", "connections", "messages", "per_minute", "per_hour", "dials"),
    "engine_warm_day": ("ip", "provider", "day", "cap", "delivered"),
    "engine_measure": ("source", "provider", "reaction", "since", "until", "lifted_at"),
}


def read(rows: Mapping[str, list[tuple[Any, ...]]]) -> Sending | None:
    if not any(rows[view] for view in VIEWS):
        return None
    warm: dict[tuple[str, str], Warm] = {}
    for ip, provider, day, cap, delivered in sorted(rows["engine_warm_day"]):
        warm[ip, provider] = Warm(int(day), int(cap), int(delivered))
    return Sending(
        tuple(Address(ip, helo, pool, state, bool(warms)) for ip, helo, pool, state, warms in _rows(rows, "address")),
        tuple(Pool(name, tuple(streams.split()), domain) for name, streams, domain in _rows(rows, "pool")),
        {
            provider: Limits(connections=c, messages=m, per_minute=minute, per_hour=hour, dials=d)
            for provider, c, m, minute, hour, d in rows["engine_provider_limit"]
        },
        warm,
        tuple(_told(*row) for row in rows["engine_measure"]),
    )


def _rows(rows: Mapping[str, list[tuple[Any, ...]]], what: str) -> list[tuple[Any, ...]]:
    return sorted(rows[f"engine_sending_{what}"])


def _told(source: str, provider: str, reaction: str, since: int, until: int, lifted_at: int) -> Told:
    return Told(source, provider, measure_of(reaction, int(since), int(until)), int(lifted_at))


def measure_of(reaction: str, since: int, until: int) -> Measure:
    """The measure a reaction of the table leads to; of one that is no longer there nothing is left."""
    known = reactions.BY_ID.get(reaction)
    if known is None:
        return Measure(reaction, since, since)
    level = 1 if known.ladder else 0
    return Measure(reaction, since, until, known.suspend or known.ladder, known.limits, level, until)
