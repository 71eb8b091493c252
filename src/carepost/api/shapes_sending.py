"""What the API reads and writes of how mail leaves. Unknown fields are refused."""

from typing import Annotated

import msgspec

from carepost.destinations.ways import AddressLine, LimitLine, Line, PoolLine
from carepost.directory.types import AHEAD_DAYS, MOST_AHEAD

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Name = Annotated[str, msgspec.Meta(min_length=2, max_length=40)]
Ip = Annotated[str, msgspec.Meta(min_length=2, max_length=45)]
Provider = Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
Number = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


class Sending(msgspec.Struct, frozen=True):
    """`ways`: as the engines of all nodes that answer use them now; where none answers, what providers asked for."""

    ways: tuple[Line, ...]
    pools: tuple[PoolLine, ...]
    addresses: tuple[AddressLine, ...]
    limits: tuple[LimitLine, ...]
    #: days `send_at` may lie ahead
    ahead_days: int = AHEAD_DAYS


class Ahead(msgspec.Struct, frozen=True):
    """How many days ahead `send_at` may lie, and how many at most may be allowed."""

    days: int
    most: int


class SetAhead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    days: Annotated[int, msgspec.Meta(ge=1, le=MOST_AHEAD)]
    reason: Reason


class AddPool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`streams`: system | transactional | operational | bulk; none: all. `domain`: a sender domain, "" for all."""

    name: Name
    streams: Annotated[tuple[str, ...], msgspec.Meta(max_length=4)] = ()
    domain: Annotated[str, msgspec.Meta(max_length=253)] = ""


class RemovePool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    reason: Reason


class AddAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ip: Ip
    pool: Name
    helo: Annotated[str, msgspec.Meta(max_length=253)] = ""
    #: it is new: a warm-up begins
    warm: bool = True
    #: messages a day to one provider at which that ends; 0: when nothing holds it back
    usual: Number = 0


class ChangeAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`state`: active | draining | paused; "" and null: as it is."""

    ip: Ip
    reason: Reason
    state: Annotated[str, msgspec.Meta(max_length=10)] = ""
    pool: Annotated[str, msgspec.Meta(max_length=40)] = ""
    helo: Annotated[str, msgspec.Meta(max_length=253)] | None = None


class RemoveAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ip: Ip
    reason: Reason


class SetLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """0: as the table says; all 0: the organisation has none of its own there any more."""

    provider: Provider
    reason: Reason
    connections: Number = 0
    messages: Number = 0
    per_minute: Number = 0
    per_hour: Number = 0
    dials: Number = 0


class Lift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`source`: a sending address, "" for the system's own."""

    provider: Provider
    reason: Reason
    source: Annotated[str, msgspec.Meta(max_length=45)] = ""
