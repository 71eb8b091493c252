"""The values of jobs."""

import enum
from typing import Final

import msgspec

from carepost.archive.search import Wanted
from carepost.tenancy.permissions import Permission
from carepost.wire import rest


class Kind(enum.StrEnum):
    #: another attempt at once for what waits to be tried again
    RETRY = "retry"
    #: taken back, where that is still possible
    RETRACT = "retract"
    #: sent again as new messages
    RESEND = "resend"
    MESSAGES = "export-messages"
    EVENTS = "export-events"


#: what its author must be allowed, when it is begun and on every page
NEEDED: Final[dict[Kind, tuple[Permission, ...]]] = {
    Kind.RETRY: (Permission.SEARCH, Permission.RELEASE),
    Kind.RETRACT: (Permission.SEARCH, Permission.RETRACT),
    Kind.RESEND: (Permission.SEARCH, Permission.READ, Permission.SEND, Permission.RELEASE),
    Kind.MESSAGES: (Permission.SEARCH, Permission.READ),
    Kind.EVENTS: (Permission.AUDIT,),
}


class Asked(msgspec.Struct, frozen=True):
    wanted: Wanted = Wanted()
    #: why, for the record of each act
    reason: str = ""
    #: of an export: ndjson | csv
    form: str = "ndjson"
    #: of events: also what is personal (asks for READ too)
    opened: bool = False
    #: of what is sent again: as today's rules say, also where they ask for less than was required then
    anew: bool = False


#: as its people see it; nothing of what was asked
View = rest.Job
