"""What `/api/v1/tracking` reads and writes. Unknown fields are refused."""

from typing import Annotated, Literal

import msgspec

Level = Literal["off", "asked", "on"]
Counts = Literal["human", "not-automated", "all"]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Watched(msgspec.Struct, frozen=True):
    """`asked`: only messages that ask for it; `on`: all that do not say no."""

    category: str
    opens: str
    clicks: str
    attestation: str
    #: UTC microseconds; 0: never
    changed_at: int


class Known(msgspec.Struct, frozen=True):
    """A network somebody named."""

    network: str
    means: str
    note: str
    #: UTC microseconds
    changed_at: int


class Tracking(msgspec.Struct, frozen=True):
    """`networks`: the organisation's own; `installation_networks`: those of every organisation here."""

    watched: tuple[Watched, ...]
    counts: str
    #: sender domain -> host
    hosts: dict[str, str]
    networks: tuple[Known, ...] = ()
    installation_networks: tuple[Known, ...] = ()


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


class Split(msgspec.Struct, frozen=True):
    """Copies by their best verdict; `counted` by the switch; `sent`: how many left marked for it."""

    sent: int
    human: int
    undetermined: int
    automated: int
    counted: int


class Line(msgspec.Struct, frozen=True):
    #: the day the copies were sent, UTC
    day: str
    category: str
    opened: Split
    clicked: Split


class TrackingReport(msgspec.Struct, frozen=True):
    """Newest day first."""

    counts: str
    lines: tuple[Line, ...]
    opened: Split
    clicked: Split


class Fetch(msgspec.Struct, frozen=True):
    """Fetches that were alike. `role`: pixel, link, unsubscribe, or decoy (the hidden link: nobody's click). Times are
    UTC microseconds. `verdict`: human, automated, undetermined; "" while it is not judged. `because` completes
    "because …". `confidence`: in hundredths. `counted`: by the account's switch."""

    kind: str
    role: str
    #: number of the link in the message, from 1; 0 for the picture and the hidden link
    link: int
    at: int
    last_at: int
    count: int
    verdict: str
    because: str
    confidence: int
    counted: bool


class CopyFetches(msgspec.Struct, frozen=True):
    delivery: str
    fetches: tuple[Fetch, ...]


class MessageTracking(msgspec.Struct, frozen=True):
    """Of each copy that anything was fetched from, in order of time; at most 200 fetches of a message."""

    message: str
    copies: tuple[CopyFetches, ...]
