"""What the room hands out."""

from typing import Final

import msgspec

from carepost.policy.types import Category
from carepost.tracking.types import Switch

#: categories in which something can be watched; what the system itself sends never is
CATEGORIES: Final = (Category.MARKETING.value, Category.OPERATIONAL.value, Category.TRANSACTIONAL.value)
OFF: Final = "off"
LEVELS: Final = (OFF, "asked", "on")
#: what an account counts until it decides
DEFAULT: Final = Switch.NOT_AUTOMATED
#: what a network one knows is said to be -> class of tracking.types.NETWORKS
MEANINGS: Final = {
    "scanner": "gateway",  # something that looks at mail
    "office": "unlisted",  # people: a practice, a ward, a home
    "filter": "webproxy",  # what people browse through
    "vpn": "vpn",  # where people's VPN comes out
    "data-centre": "hosting",  # machines, and rented desktops
}


class Known(msgspec.Struct, frozen=True):
    """A network somebody named. `network`: CIDR. `means`: of MEANINGS."""

    network: str
    means: str
    note: str
    #: UTC microseconds
    changed_at: int


class Watched(msgspec.Struct, frozen=True):
    """One category. `attestation`: "" where nothing is on."""

    category: str
    opens: str = OFF
    clicks: str = OFF
    attestation: str = ""
    #: UTC microseconds; 0: never
    changed_at: int = 0

    @property
    def on(self) -> bool:
        return self.opens != OFF or self.clicks != OFF


class Settings(msgspec.Struct, frozen=True):
    #: of CATEGORIES, in that order
    watched: tuple[Watched, ...]
    counts: Switch
    #: sender domain -> host
    hosts: dict[str, str]
    #: the organisation's own, and those of the installation
    networks: tuple[Known, ...] = ()
    shared: tuple[Known, ...] = ()


class Split(msgspec.Struct, frozen=True):
    """Copies by their best verdict. `sent`: how many left marked for it."""

    sent: int = 0
    human: int = 0
    undetermined: int = 0
    automated: int = 0
    #: of them, by the account's switch
    counted: int = 0


class Line(msgspec.Struct, frozen=True):
    """One day and category. `day`: days since 1970-01-01, by the day the copy was sent."""

    day: int
    category: str
    opened: Split
    clicked: Split


class Report(msgspec.Struct, frozen=True):
    """Newest day first. `total`: of all lines."""

    counts: Switch
    lines: tuple[Line, ...]
    total: Line


class Fetched(msgspec.Struct, frozen=True):
    """One line of a message's page: hits that were alike. Times are UTC microseconds."""

    delivery: str
    kind: str
    role: str
    link: int
    at: int
    last_at: int
    count: int
    #: human | automated | undetermined; "" while it is not judged
    verdict: str
    #: completes "because …"
    words: str
    confidence: int
    #: by the account's switch
    counted: bool
