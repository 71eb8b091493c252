"""What a listener is for."""

import enum


class Role(enum.Enum):
    #: our users and their systems: AUTH required, relays
    SUBMISSION = "submission"
    #: the world: takes mail for our own domains only
    MX = "mx"
