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
    #: a file put on the suppression list; and what that would do, which changes nothing
    IMPORT = "import-suppressions"
    TRY = "try-suppressions"
    #: what an import put there taken off again (`jobs.undoing`)
    UNDO = "undo-suppressions"


#: what its author must be allowed, when it is begun and on every page
NEEDED: Final[dict[Kind, tuple[Permission, ...]]] = {
    Kind.RETRY: (Permission.SEARCH, Permission.RELEASE),
    Kind.RETRACT: (Permission.SEARCH, Permission.RETRACT),
    Kind.RESEND: (Permission.SEARCH, Permission.READ, Permission.SEND, Permission.RELEASE),
    Kind.MESSAGES: (Permission.SEARCH, Permission.READ),
    Kind.EVENTS: (Permission.AUDIT,),
    Kind.IMPORT: (Permission.SUPPRESSION,),
    Kind.TRY: (Permission.SUPPRESSION,),
    Kind.UNDO: (Permission.SUPPRESSION,),
}
#: begun with a file (`jobs.importing`)
IMPORTS: Final = (Kind.IMPORT, Kind.TRY)
#: all that goes through such a file
LISTED: Final = (*IMPORTS, Kind.UNDO)
#: what can be fetched afterwards: an export, or what was wrong with which line
FETCHED: Final = (Kind.MESSAGES, Kind.EVENTS, *IMPORTS)


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
    #: of an import: why its addresses are put there where a line does not say, and the columns of a table
    cause: str = "request"
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    #: of an undoing: the import
    of: str = ""


#: as its people see it; nothing of what was asked
View = rest.Job
