"""Jobs as the API reads and writes them."""

import enum
from typing import Annotated

import msgspec

from carepost.api.shapes import Id, Wanted
from carepost.jobs.types import Kind
from carepost.wire import rest


class Form(enum.StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"


class AddJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`retry`, `retract` and `resend` act on all messages that fit `search`; exports write them (or the log's events)
    down."""

    kind: Kind
    search: Wanted = Wanted()
    #: why, for the record of each act (sealed)
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    form: Form = Form.NDJSON
    #: of `export-events`: also what is personal; the key needs the scope `messages` too
    opened: bool = False
    #: of `resend`: as today's rules say, also where they ask for less protection than was required of the first
    as_today: bool = False


class Resend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`deliveries`: ids; empty: all that may get it again. `as_today`: as today's rules say, also where they ask for
    less protection than was required of the first."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    deliveries: Annotated[tuple[Id, ...], msgspec.Meta(max_length=1000)] = ()
    as_today: bool = False


class ResentDelivery(msgspec.Struct, frozen=True):
    """As of a message that was just accepted."""

    id: str
    recipient: str
    state: str
    method: str
    reason: str
    words: str
    rule: str


class Resent(msgspec.Struct, frozen=True):
    """`id`: of the new message; "" where nobody was left to send to. `left_out`: deliveries of the first that get
    nothing -> the state that says why."""

    id: str
    deliveries: tuple[ResentDelivery, ...]
    left_out: dict[str, str]


Job = rest.Job


class Jobs(msgspec.Struct, frozen=True):
    jobs: tuple[Job, ...]
