"""What the room hands out."""

from typing import Final

import msgspec

from carepost.policy.types import Category
from carepost.tracking.types import Switch
from carepost.wire import tracked

#: categories in which something can be watched; what the system itself sends never is
CATEGORIES: Final = (Category.MARKETING.value, Category.OPERATIONAL.value, Category.TRANSACTIONAL.value)
OFF: Final = tracked.OFF
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

#: a network somebody named; `means`: of MEANINGS
Known = tracked.Network
Watched = tracked.Watched
Split = tracked.Split


class Settings(msgspec.Struct, frozen=True):
    #: of CATEGORIES, in that order
    watched: tuple[Watched, ...]
    counts: Switch
    #: sender domain -> host
    hosts: dict[str, str]
    #: the organisation's own, and those of the installation
    networks: tuple[Known, ...] = ()
    shared: tuple[Known, ...] = ()


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
