"""Frames of the engine's socket: 4-byte big-endian length, then one msgpack-encoded Call or Answer."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from carepost.ground import ids
from carepost.phi.types import Custom, Findings, Shown
from carepost.policy.types import Method
from carepost.rfc.asking import Found, Question
from carepost.wire.pacing import LaneView
from carepost.wire.probes import Probed
from carepost.wire.types import (
    Accepted,
    AcceptedDelivery,
    AccessProof,
    Actor,
    Drained,
    HeldFilter,
    HeldView,
    MessageView,
    Submission,
    WayView,
)

#: in `HealthAnswer.engine`, of a node: seconds its clock is ahead of PostgreSQL's (negative: behind)
CLOCK_OFF: Final = "clock_off_s"
#: seconds the clocks of nodes may differ: more is told, by letter, figure and doctor
CLOCKS_DIFFER: Final = 10


class Accept(msgspec.Struct, frozen=True, tag="accept"):
    submission: Submission


class Preview(msgspec.Struct, frozen=True, tag="preview"):
    submission: Submission


class Act(msgspec.Struct, frozen=True, tag="act"):
    """hold | release | agree | refuse | retry | retract of deliveries of one organisation, with a reason in words
    (sealed)."""

    verb: str
    org: bytes
    deliveries: tuple[bytes, ...]
    actor: Actor
    reason: str
    #: what else the actor is known by: their addresses, and "credential:<id>", "key:<id>" of theirs. Nobody approves
    #: their own message
    also: tuple[str, ...] = ()
    #: release: by these methods alone, where that protects at least as much (`Review`)
    methods: tuple[Method, ...] = ()
    #: refuse: what the sender is told besides
    note: str = ""
    #: agree: what opens it in the portal
    access: AccessProof = AccessProof()
    #: release: "staff:<id>" of all who may approve now; what others gave before counts no more. None: all given counts
    approvers: tuple[str, ...] | None = None


class Held(msgspec.Struct, frozen=True, tag="held"):
    """Held deliveries of one organisation, newest held first; `reasons`: of these codes alone (empty: all).
    `actor`, `also` as in Act: whether each may be released by them. `before`: (since, id) of the last one seen."""

    org: bytes
    actor: Actor
    also: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    before: tuple[int, bytes] | None = None
    limit: int = 100
    only: HeldFilter = HeldFilter()


class Review(msgspec.Struct, frozen=True, tag="review"):
    """One delivery that is or was held, and how it would leave."""

    org: bytes
    delivery: bytes
    actor: Actor
    also: tuple[str, ...] = ()


class Waits(msgspec.Struct, frozen=True, tag="waits"):
    """How much of every organisation waits for a person."""


class Lookup(msgspec.Struct, frozen=True, tag="lookup"):
    org: bytes
    message: bytes


class Queue(msgspec.Struct, frozen=True, tag="queue"):
    """Deliveries waiting or held, newest first; org b"" lists all."""

    org: bytes
    state: str = ""
    limit: int = 100


class Drain(msgspec.Struct, frozen=True, tag="drain"):
    """Events of a shard after `after`; everything up to `acked` may be forgotten. Waits up to `wait_ms`."""

    shard: int
    after: int
    acked: int
    limit: int = 2000
    wait_ms: int = 0


class Body(msgspec.Struct, frozen=True, tag="body"):
    """The body's ciphertext and its wrapped content key."""

    org: bytes
    message: bytes


class Health(msgspec.Struct, frozen=True, tag="health"):
    pass


class Inspect(msgspec.Struct, frozen=True, tag="inspect"):
    """What a message says, looked into by a worker. `show`: the organisation's key for tokens (`phi.harmless`)."""

    message: bytes
    custom: Custom | None
    show: bytes


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    pass


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """One question to DNS, by the engine's resolver."""

    question: Question


class Probe(msgspec.Struct, frozen=True, tag="probe"):
    """Try the mail host of a connection (its id). `mailbox`: an address there that is asked for; `send`: and a test
    message is handed over in its name, to the address that comes back here (`intake.returning`)."""

    org: bytes
    gateway: str
    mailbox: str = ""
    send: bool = False


class Lanes(msgspec.Struct, frozen=True, tag="lanes"):
    """How the ways that an organisation's mail may take stand now."""

    org: bytes


class Seek(msgspec.Struct, frozen=True, tag="seek"):
    """Look for a recipient's key anew, beside the mail: what is found comes as an event."""

    org: bytes
    address: str
    method: Method


Call = (
    Accept
    | Preview
    | Act
    | Lookup
    | Queue
    | Drain
    | Body
    | Health
    | Quit
    | Ask
    | Inspect
    | Held
    | Review
    | Waits
    | Probe
    | Lanes
    | Seek
)


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """kind: unavailable | refused | not-found. Raised again at the caller's side as the same error."""

    kind: str
    code: str
    public: str
    enhanced: str = ""
    status: int = 0


class AcceptAnswer(msgspec.Struct, frozen=True, tag="accepted"):
    accepted: Accepted


class PreviewAnswer(msgspec.Struct, frozen=True, tag="previewed"):
    deliveries: tuple[AcceptedDelivery, ...]


class ActAnswer(msgspec.Struct, frozen=True, tag="acted"):
    #: delivery id -> its new state, or "not-found", "not-possible", "needs-another"
    states: dict[str, str]


class LookupAnswer(msgspec.Struct, frozen=True, tag="found"):
    message: MessageView


class QueueAnswer(msgspec.Struct, frozen=True, tag="listed"):
    messages: tuple[MessageView, ...]


class DrainAnswer(msgspec.Struct, frozen=True, tag="drained"):
    rows: tuple[Drained, ...]
    #: highest seq in the shard, for the lag
    head: int


class BodyAnswer(msgspec.Struct, frozen=True, tag="body"):
    chunks: tuple[bytes, ...]
    wrapped_key: bytes
    #: the sealed MessageRecord
    record: bytes


class HealthAnswer(msgspec.Struct, frozen=True, tag="healthy"):
    #: PHI-free figures: queued, held, deferred, oldest_s, outbox, outbox_s, disk_free, bodies, claimed, accepted, sent
    shards: dict[str, dict[str, int]]
    engine: dict[str, int]


def owned(answers: Iterable[HealthAnswer], node: int) -> dict[str, bool]:
    """The shards of this node that have an engine here -> whether no other node can have taken them meanwhile."""
    return {
        number: not figures.get("cut_off")
        for answer in answers
        for number, figures in answer.shards.items()
        if int(number) >> 6 == node
    }


def clock_off(answers: Iterable[HealthAnswer]) -> int | None:
    """Seconds this node's clock is ahead of PostgreSQL's, by the engine that finds most; None: there is no other."""
    found = [answer.engine[CLOCK_OFF] for answer in answers if CLOCK_OFF in answer.engine]
    return max(found, key=abs, default=None)


class HeldAnswer(msgspec.Struct, frozen=True, tag="helds"):
    deliveries: tuple[HeldView, ...]
    #: there may be more behind the last one
    more: bool
    #: down to which place (since, id) everything was looked at, where there may be more: the next page's `before`
    floor: tuple[int, bytes] | None = None


class ReviewAnswer(msgspec.Struct, frozen=True, tag="reviewed"):
    delivery: HeldView
    #: the first is what the rules decide
    ways: tuple[WayView, ...]


class WaitsAnswer(msgspec.Struct, frozen=True, tag="waiting"):
    #: organisation -> (how many, since when the newest waits, when the next one's time is over, or 0)
    held: dict[bytes, tuple[int, int, int]]


class InspectAnswer(msgspec.Struct, frozen=True, tag="inspected"):
    """`findings` None: nothing could be read. No value of the message: `shown` is masked."""

    findings: Findings | None
    shown: tuple[Shown, ...] = ()
    unread: tuple[str, ...] = ()


class ProbeAnswer(msgspec.Struct, frozen=True, tag="probed"):
    """Of the steps that apply to the connection, in the order they were tried."""

    steps: tuple[Probed, ...]


class AskAnswer(msgspec.Struct, frozen=True, tag="answered"):
    found: Found


class LanesAnswer(msgspec.Struct, frozen=True, tag="stand"):
    lanes: tuple[LaneView, ...]


class Done(msgspec.Struct, frozen=True, tag="done"):
    pass


Answer = (
    Fault
    | AcceptAnswer
    | PreviewAnswer
    | ActAnswer
    | LookupAnswer
    | QueueAnswer
    | DrainAnswer
    | BodyAnswer
    | HealthAnswer
    | AskAnswer
    | InspectAnswer
    | HeldAnswer
    | ReviewAnswer
    | WaitsAnswer
    | ProbeAnswer
    | LanesAnswer
    | Done
)


def together(one: tuple[int, int, int] | None, other: tuple[int, int, int]) -> tuple[int, int, int]:
    """What two shards say of the same organisation (WaitsAnswer)."""
    if one is None:
        return other
    ends = min((at for at in (one[2], other[2]) if at), default=0)
    return one[0] + other[0], max(one[1], other[1]), ends


def one_page(pages: Sequence[HeldAnswer], limit: int) -> HeldAnswer:
    """What several shards or engines say, as one page, newest held first. Nothing older than the place down to which
    all of them have looked is on it: it comes with a later page."""
    floor = max((page.floor for page in pages if page.floor is not None), default=None)
    placed = sorted((((v.since, ids.parse(v.id)), v) for page in pages for v in page.deliveries), reverse=True)
    kept = [one for one in placed if floor is None or one[0] >= floor]
    if len(kept) > limit:
        kept = kept[:limit]
        floor = kept[-1][0]
    return HeldAnswer(tuple([view for _, view in kept]), floor is not None, floor)


def shard_of(call: Call) -> int | None:
    """Of the one shard a call is about; None: it is about no particular one."""
    match call:
        case Drain(shard=shard):
            return shard
        case Lookup(message=item) | Body(message=item) | Review(delivery=item):
            return ids.shard_of(item) if len(item) == 16 else None
        case Act(deliveries=(first, *_)):
            # callers ask shard by shard
            return ids.shard_of(first) if len(first) == 16 else None
        case _:
            return None


#: octets of one frame without its length: a message of the largest size a setting may allow, and its envelope
MAX_FRAME = 128 * 1024 * 1024

_encoder = msgspec.msgpack.Encoder()
_calls: msgspec.msgpack.Decoder[Call] = msgspec.msgpack.Decoder(Call)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def frame(value: Call | Answer) -> bytes:
    """The whole frame: 4-byte big-endian length, then the value."""
    payload = _encoder.encode(value)
    return len(payload).to_bytes(4, "big") + payload


def read_call(payload: bytes) -> Call:
    """Raises msgspec.DecodeError."""
    return _calls.decode(payload)


def read_answer(payload: bytes) -> Answer:
    """Raises msgspec.DecodeError."""
    return _answers.decode(payload)
