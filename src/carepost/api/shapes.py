"""What the office's part of the API reads and writes besides `wire.types.MessageView`. Unknown fields are refused."""

import enum
from typing import Annotated

import msgspec

from carepost.engagement.types import Engaged
from carepost.policy.content import Level
from carepost.policy.types import Method
from carepost.queue.types import State
from carepost.wire import rest
from carepost.wire.types import MessageView

#: of a delivery, in the queue and after it in the portal
STATES = frozenset({*(state.value for state in State), "opened", "expired", "retracted", "suppressed"})

Line = Annotated[str, msgspec.Meta(max_length=998)]
Address = Annotated[str, msgspec.Meta(max_length=320)]
DomainName = Annotated[str, msgspec.Meta(max_length=253)]
ProviderGroup = Annotated[str, msgspec.Meta(max_length=40)]
Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]
#: RFC 3339 with an offset, or ""
Time = Annotated[str, msgspec.Meta(max_length=40)]


class HeldSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /held/search`. All that is given must fit. `since`, `until`: held at or after, and before; `rule`: the name
    of the rule that holds it; `releasable`: whether the caller may release it."""

    kind: Annotated[str, msgspec.Meta(max_length=12)] = ""
    sender_domain: Annotated[str, msgspec.Meta(max_length=253)] = ""
    recipient_domain: Annotated[str, msgspec.Meta(max_length=253)] = ""
    since: Time = ""
    until: Time = ""
    rule: Annotated[str, msgspec.Meta(max_length=64)] = ""
    releasable: bool | None = None
    cursor: Annotated[str, msgspec.Meta(max_length=64)] = ""
    limit: Limit = 50


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is given must fit, and what is said of a recipient one and the same. `recipient`: an address or a
    domain; `subject`: words; `message_id`: of the header, or ours; `domain`: the recipient's; `provider`: group of
    the recipient's mail servers; `assurance`: label of what was reached; `content`: any of these was what
    a look into it found; `engaged`: whether it was opened or a link in it followed, of mail that is watched."""

    recipient: Address = ""
    sender: Address = ""
    subject: Line = ""
    message_id: Line = ""
    tag: Annotated[str, msgspec.Meta(max_length=128)] = ""
    state: Annotated[str, msgspec.Meta(max_length=12)] = ""
    since: Time = ""
    until: Time = ""
    domain: DomainName = ""
    provider: ProviderGroup = ""
    method: Method | None = None
    assurance: rest.Minimum | None = None
    category: rest.Category | None = None
    content: Annotated[tuple[Level, ...], msgspec.Meta(max_length=6)] = ()
    engaged: Engaged | None = None


class Search(Wanted, frozen=True, forbid_unknown_fields=True):
    """`POST /messages/search`."""

    cursor: Annotated[str, msgspec.Meta(max_length=64)] = ""
    limit: Limit = 50


class MessagePage(msgspec.Struct, frozen=True):
    """A page may end before it is full, even empty, with a cursor: then `back_to` (UTC microseconds) says how far back
    it searched, and the next page goes on from there. 0: it is full, or all was searched."""

    messages: tuple[MessageView, ...]
    #: for the next page; "" at the end
    cursor: str
    back_to: int = 0


class AskArrival(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /messages/arrival`: did it arrive? `around`: roughly when it was sent, with `days` to either side; without
    it the newest messages of any time."""

    recipient: Annotated[str, msgspec.Meta(min_length=3, max_length=320)]
    around: Time = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 3
    subject: Line = ""


class Arrival(msgspec.Struct, frozen=True):
    """`verdict`: accepted | opened | in-portal | not-yet | held | perhaps | no. Words for people: `headline` answers,
    `evidence` is what is on record, `limits` what nobody can know from it, `next` what to do. `at`: UTC microseconds of
    what decides it, 0 where nothing does; `accepted_at`: when the message was taken in here. `proof`: path of the proof
    of this delivery."""

    message: str
    delivery: str
    accepted_at: int
    state: str
    verdict: str
    headline: str
    evidence: tuple[str, ...]
    limits: tuple[str, ...]
    next: tuple[str, ...]
    at: int
    proof: str


class Arrivals(msgspec.Struct, frozen=True):
    """The newest five of them first; `more`: there are others in the time asked about. Empty: no message to this
    address is on record in that time, and what did not pass through here is never on record."""

    answers: tuple[Arrival, ...]
    more: bool


class Retract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    #: why, for the record (sealed)
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    #: delivery ids; empty: all of the message
    deliveries: Annotated[tuple[Id, ...], msgspec.Meta(max_length=1000)] = ()


class Retracted(msgspec.Struct, frozen=True):
    """Delivery id -> its state now, or "not-possible" (sent already)."""

    deliveries: dict[str, str]


#: of a person, for the record (sealed)
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Held(msgspec.Struct, frozen=True):
    """One delivery that waits for a person. Times are UTC microseconds; `until` 0: without end."""

    id: str
    message: str
    #: why it waits, in one word (the query `kind`)
    kind: str
    since: int
    until: int
    #: what happens then: refuse | release | ""
    then: str
    sender: str
    recipient: str
    subject: str
    reason: str
    words: str
    rule: str
    #: how many people must approve it, and how many have
    approvals: int
    approved: int
    #: this key may release it; what needs approval, only people can
    releasable: bool


class HeldPage(msgspec.Struct, frozen=True):
    held: tuple[Held, ...]
    #: for the next page; "" at the end
    cursor: str


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason
    #: by this method alone, where it protects at least as much as what the rules decide
    method: Method | None = None


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason
    #: told to the sender by mail; nothing of the message may stand in it
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Agreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`access`: agreed with the recipient beforehand, by telephone or face to face."""

    reason: Reason
    access: rest.AccessAsk


class Decided(msgspec.Struct, frozen=True):
    delivery: str
    #: released | approved | refused | agreed
    state: str
    #: the same key had done so before
    again: bool


class DkimRecord(msgspec.Struct, frozen=True):
    """A TXT record to publish."""

    name: str
    value: str


class Domain(msgspec.Struct, frozen=True):
    domain: str
    created_at: int
    dkim: tuple[DkimRecord, ...]


class Domains(msgspec.Struct, frozen=True):
    domains: tuple[Domain, ...]


class AddDomain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    domain: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class Suppression(msgspec.Struct, frozen=True):
    address: str
    reason: str
    at: int
    #: which mail is kept back: all | marketing | operational | transactional
    scope: str = "all"
    source: str = ""
    #: UTC microseconds; 0: no end
    expires_at: int = 0
    note: str = ""


class Suppressions(msgspec.Struct, frozen=True):
    suppressions: tuple[Suppression, ...]
    cursor: str = ""


class Standing(enum.StrEnum):
    """What keeps something back now, what did so until its end, and both."""

    CURRENT = "current"
    ENDED = "ended"
    ALL = "all"


class FindSuppression(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    address: Annotated[str, msgspec.Meta(min_length=3, max_length=320)]
    standing: Standing = Standing.CURRENT


class Undo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    #: why, for the record of each address (sealed)
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class WrongLine(msgspec.Struct, frozen=True):
    line: int
    detail: str


class ImportedSuppressions(msgspec.Struct, frozen=True):
    """What an import did; with `dry_run` what it would do."""

    lines: int
    added: int
    known: int
    failed: int
    wrong: tuple[WrongLine, ...]
    dry_run: bool


class Suppress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    address: Annotated[str, msgspec.Meta(min_length=3, max_length=320)]
    #: bounce | soft-bounces | complaint | unsubscribe | request
    reason: Annotated[str, msgspec.Meta(max_length=20)] = "request"
    scope: Annotated[str, msgspec.Meta(max_length=16)] = "all"
    expires_at: Annotated[int, msgspec.Meta(ge=0, lt=2**60)] = 0
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Unsuppress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    address: Annotated[str, msgspec.Meta(min_length=3, max_length=320)]
    #: why, for the record (sealed)
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    #: of one scope alone; "": of all
    scope: Annotated[str, msgspec.Meta(max_length=16)] = ""


class Changed(msgspec.Struct, frozen=True):
    changed: bool


class Key(msgspec.Struct, frozen=True):
    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: int
    #: to the day; 0: never
    last_used_at: int
    #: requests or messages it may ask; 0: what the server allows
    per_minute: int = 0


class Keys(msgspec.Struct, frozen=True):
    keys: tuple[Key, ...]


class AddKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    scopes: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=40)], ...], msgspec.Meta(min_length=1, max_length=20)
    ]
    #: requests or messages it may ask in a minute; 0: what the server allows
    per_minute: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 0


class LimitKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    #: requests or messages it may ask in a minute; 0: what the server allows
    per_minute: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


class NewKey(msgspec.Struct, frozen=True):
    """`secret` is shown here and never again."""

    id: str
    secret: str


class LoggedEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """`index`: number of the leaf in the organisation's log. `event`: the event as it was made; nothing personal.
    `opened`: what is personal of it by name, where it was asked for (`open=yes`)."""

    index: int
    event: msgspec.Raw
    opened: dict[str, str] = {}


class Events(msgspec.Struct, frozen=True):
    """`cursor`: of the next page; "" at the end. `follow`: the same, at the end too: what happens later is read from
    there."""

    events: tuple[LoggedEvent, ...]
    cursor: str
    follow: str = ""
