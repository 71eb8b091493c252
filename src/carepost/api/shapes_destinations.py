"""Shapes of the API about destinations that only come in; what goes out is `wire.destinations`."""

from typing import Annotated, Literal

import msgspec

_Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
_Domain = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class FindDestinations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`domain`: a part of it. Whom one writes to stands in no URL."""

    domain: _Domain


class PinDestination(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Replaces the domain's pin where there is one."""

    domain: _Domain
    host: _Domain
    reason: _Reason
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 25
    ca: Annotated[str, msgspec.Meta(max_length=64 * 1024)] = ""
    keys: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=120)], ...], msgspec.Meta(max_length=8)] = ()
    otherwise: Literal["hold", "next"] = "hold"


class UnpinDestination(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    domain: _Domain
    reason: _Reason
