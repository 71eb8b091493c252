"""How mail leaves, as people may see it: each provider and address as the engines use them now, with what holds them
back; what was decided of addresses, pools and limits."""

import uuid
from collections.abc import Iterable
from typing import Final, Protocol

import msgspec

from carepost.destinations.models import Asked, ProviderLimit, SendingAddress, SendingPool, WarmDay
from carepost.ground import clock
from carepost.pace import providers, warmup
from carepost.pace.limits import Limits
from carepost.pace.words import held_by, measure
from carepost.tenancy import scope
from carepost.wire.pacing import LaneView

_DAY_US: Final = 86_400_000_000
_NAMES: Final = Limits.__struct_fields__


class Door(Protocol):
    """`intake.client.Client`."""

    def lanes(self, org: bytes) -> tuple[LaneView, ...]: ...


class Held(msgspec.Struct, frozen=True):
    """`words` follow "Held back by …"; `until` UTC microseconds."""

    what: str
    words: str
    until: int
    by: str = ""


class Line(msgspec.Struct, frozen=True):
    """One source at one provider, of all engines together."""

    provider: str
    name: str
    #: "": the house's own address
    source: str
    #: in force now; 0: no limit
    connections: int
    messages: int
    per_minute: int
    per_hour: int
    busy: int
    held: Held | None = None
    #: what the provider asked for that holds: in words, with its end
    measures: tuple[tuple[str, int], ...] = ()
    #: messages of today's warm-up, and those that went; None: none
    warm: tuple[int, int] | None = None


class AddressLine(msgspec.Struct, frozen=True):
    ip: str
    helo: str
    pool: str
    state: str
    #: day of its warm-up from 1; 0: none
    day: int
    usual: int
    #: provider's name, what may go on its last day (0: all), what went
    plans: tuple[tuple[str, int, int], ...] = ()


class PoolLine(msgspec.Struct, frozen=True):
    name: str
    streams: tuple[str, ...]
    domain: str
    addresses: int


class LimitLine(msgspec.Struct, frozen=True):
    provider: str
    name: str
    limits: Limits
    #: of the table
    usual: Limits


def lines(org: uuid.UUID, door: Door) -> list[Line]:
    """What holds something back first, then by name. Raises Unavailable when no engine answers."""
    together: dict[tuple[str, str], list[LaneView]] = {}
    for view in door.lanes(org.bytes):
        together.setdefault((view.provider, view.source), []).append(view)
    found = [_line(views) for views in together.values()]
    return sorted(found, key=lambda one: (one.held is None, one.name.lower(), one.source))


def asked(org: uuid.UUID) -> list[Line]:
    """What providers asked for that still holds, as it is on record: what is known where no engine answers."""
    now = clock.now()
    with scope.organisation(org):
        rows = list(Asked.objects.filter(org_id=org, until__gt=now, lifted_at=0).order_by("provider", "source"))
    return [
        Line(
            row.provider, providers.find(row.provider).name, row.source, 0, 0, 0, 0, 0,
            Held("suspension", held_by("suspension", row.provider, row.reaction, row.source), row.until, row.reaction),
        )
        for row in rows
    ]  # fmt: skip


def addresses(org: uuid.UUID) -> list[AddressLine]:
    today = clock.now() // _DAY_US
    with scope.organisation(org):
        rows = list(SendingAddress.objects.filter(org_id=org).order_by("pool", "ip"))
        days = list(WarmDay.objects.filter(org_id=org, day__gte=today - warmup.IDLE).order_by("day"))
    plans: dict[str, dict[str, tuple[str, int, int]]] = {}
    for one in days:
        name = providers.find(one.provider).name
        plans.setdefault(one.ip, {})[one.provider] = (name, one.cap, one.delivered)
    return [
        AddressLine(
            row.ip, row.helo, row.pool, row.state, today - row.warms_from + 1 if row.warms_from else 0, row.usual,
            tuple(sorted(plans.get(row.ip, {}).values())) if row.warms_from else (),
        )
        for row in rows
    ]  # fmt: skip


def pools(org: uuid.UUID) -> list[PoolLine]:
    with scope.organisation(org):
        rows = list(SendingPool.objects.filter(org_id=org).order_by("name"))
        used = list(SendingAddress.objects.filter(org_id=org).values_list("pool", flat=True))
    return [PoolLine(row.name, tuple(row.streams.split()), row.domain, used.count(row.name)) for row in rows]


def limits(org: uuid.UUID) -> list[LimitLine]:
    with scope.organisation(org):
        rows = list(ProviderLimit.objects.filter(org_id=org).order_by("provider"))
    found = []
    for row in rows:
        known = providers.find(row.provider)
        own = Limits(**{name: getattr(row, name) for name in _NAMES})
        found.append(LimitLine(row.provider, known.name, own, known.limits))
    return found


def _line(views: Iterable[LaneView]) -> Line:
    """Engines share a limit between them; what holds one back holds all."""
    all_ = list(views)
    first = all_[0]
    held = max((one.held for one in all_ if one.held is not None), key=lambda h: h.until, default=None)
    ends: dict[str, int] = {}
    for view in all_:
        for reaction, until in view.measures:
            ends[reaction] = max(until, ends.get(reaction, 0))
    warm = [one.warm for one in all_ if one.warm is not None]
    return Line(
        provider=first.provider,
        name=providers.find(first.provider).name,
        source=first.source,
        connections=sum(one.connections for one in all_),
        messages=first.messages,
        per_minute=first.per_minute,
        per_hour=first.per_hour,
        busy=sum(one.busy for one in all_),
        held=Held(held.what, held.words, held.until, held.by) if held is not None else None,
        measures=tuple((measure(one), until) for one, until in sorted(ends.items()) if measure(one)),
        warm=(warm[0][0], sum(one[1] for one in warm)) if warm else None,
    )
