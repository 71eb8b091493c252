"""What is said of opens and clicks: by the API, and to its clients."""

from typing import Final

import msgspec

OFF: Final = "off"


class Watched(msgspec.Struct, frozen=True):
    """One category. `opens`, `clicks`: off; asked, only messages that ask for it; or on, all that do not say no.
    `attestation`: "" where nothing is on."""

    category: str
    opens: str
    clicks: str
    attestation: str
    #: UTC microseconds; 0: never
    changed_at: int

    @property
    def on(self) -> bool:
        return self.opens != OFF or self.clicks != OFF


class Network(msgspec.Struct, frozen=True):
    """A network somebody named. `network`: CIDR. `means`: scanner, office, filter, vpn or data-centre."""

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
    networks: tuple[Network, ...] = ()
    installation_networks: tuple[Network, ...] = ()


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

    @property
    def clicked(self) -> bool:
        """A click that the account counts."""
        return any(one.counted and one.kind == "click" for one in self.fetches)

    @property
    def opened(self) -> bool:
        """A fetch of any kind that the account counts: whoever follows a link has opened the message."""
        return any(one.counted for one in self.fetches)


class MessageTracking(msgspec.Struct, frozen=True):
    """Of each copy that anything was fetched from, in order of time; at most 200 fetches of a message."""

    message: str
    copies: tuple[CopyFetches, ...]
