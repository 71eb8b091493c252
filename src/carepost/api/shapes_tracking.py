"""What `/api/v1/tracking` reads and writes. Unknown fields are refused."""

from typing import Annotated, Literal

import msgspec

Level = Literal["off", "asked", "on"]
Counts = Literal["human", "not-automated", "all"]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Watch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To watch more than before needs `attestation`: an administrator by name, who vouches that these messages show
    nothing of a person's health, and why."""

    opens: Level
    clicks: Level
    reason: Reason
    attestation: Annotated[str, msgspec.Meta(max_length=1_000)] = ""


class Count(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    counts: Counts
    reason: Reason


class SetHost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`host` "": over the portal's address again."""

    host: Annotated[str, msgspec.Meta(max_length=253)]
    reason: Reason


class SetNetwork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`network`: CIDR or one address. `means` "": not known any more."""

    network: Annotated[str, msgspec.Meta(max_length=64)]
    means: Literal["scanner", "office", "filter", "vpn", "data-centre", ""]
    reason: Reason
    note: Annotated[str, msgspec.Meta(max_length=200)] = ""
