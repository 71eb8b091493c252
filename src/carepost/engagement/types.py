"""What the room hands out."""

import enum
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


#: a copy that is watched and was not opened, or no link of it followed (`wire.types.DeliveryView`)
NEITHER: Final = "no"


class Engaged(enum.StrEnum):
    """What a search may ask of copies that are watched; what counts is the account's to say."""

    OPENED = "opened"
    CLICKED = "clicked"
    NOT_OPENED = "not-opened"
    NOT_CLICKED = "not-clicked"


#: a network somebody named; `means`: of MEANINGS
Known = tracked.Network
Watched = tracked.Watched
Split = tracked.Split
Line = tracked.Line
Report = tracked.TrackingReport
Fetched = tracked.Fetch


class Settings(msgspec.Struct, frozen=True):
    #: of CATEGORIES, in that order
    watched: tuple[Watched, ...]
    counts: Switch
    #: sender domain -> host
    hosts: dict[str, str]
    #: the organisation's own, and those of the installation
    networks: tuple[Known, ...] = ()
    shared: tuple[Known, ...] = ()
