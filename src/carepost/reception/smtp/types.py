"""What a listener is for."""

import enum


class Role(enum.Enum):
    #: our users and their systems: AUTH required, relays
    SUBMISSION = "submission"
    #: mail systems in front of which we stand: known by certificate or address until DATA says whose it is, or by AUTH
    GATEWAY = "gateway"
    #: the world: takes what comes back to our own notices and to the portal, relays nothing, queues nothing
    MX = "mx"
