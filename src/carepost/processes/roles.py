"""The roles a process can have, and the purposes whose keys it is given."""

from typing import Final

ROLES: Final[dict[str, tuple[str, ...]]] = {
    "engine": ("content", "evidence", "index", "dkim", "database", "mail"),
    "journal": ("content", "portal", "evidence", "index", "signing", "dkim", "database", "mail"),
    "staff": ("content", "evidence", "index", "portal", "signing", "dkim", "database", "mail"),
    "outside": ("portal", "evidence", "index", "database"),
    "sandbox": (),
    "monitor": (),
    "bootstrap": ("content", "portal", "evidence", "index", "dkim", "signing", "database", "mail"),
}

#: order of start; a role starts when those before it are ready, and they stop in the opposite order
START_ORDER: Final = ("sandbox", "engine", "journal", "staff", "outside", "monitor")
