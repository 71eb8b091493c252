"""Rows of the queue as values: what is accepted, claimed and settled."""

import enum

import msgspec

from carepost.crypto.dkim import Canonical
from carepost.ground.errors import CarepostError
from carepost.policy.types import Assurance, ContentFacts, Method, Plan
from carepost.proof.event import Draft
from carepost.rfc.envelope import Recipient
from carepost.rfc.message import Head
from carepost.wire.types import AccessProof, Actor, AttemptView, TrackingAsk


class State(enum.StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    DEPOSITED = "deposited"
    DEFERRED = "deferred"
    FAILED = "failed"
    HELD = "held"
    #: a test, carried out up to the wire
    TESTED = "tested"


FINAL = frozenset({State.SENT, State.DEPOSITED, State.FAILED, State.TESTED})


class Stage(enum.StrEnum):
    """Where in an attempt something happened, in order."""

    PLAN = "plan"
    DNS = "dns"
    CONNECT = "connect"
    BANNER = "banner"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    FLOOR = "floor"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"
    QUIT = "quit"
    SEAL = "seal"
    DEPOSIT = "deposit"


class DeliveryRecord(msgspec.Struct, frozen=True):
    """The sealed part of a delivery row (key: the organisation's evidence key), rewritten at each settle."""

    recipient: Recipient
    sender: str
    #: None while the decision is Hold or Refuse
    plan: Plan | None
    #: index into plan.steps
    step: int = 0
    access: AccessProof = AccessProof()
    reason: str = ""
    words: str = ""
    rule: str = ""
    attempts: tuple[AttemptView, ...] = ()
    last_achieved: Assurance | None = None
    #: an uncertain attempt binds the delivery to its method (law 6)
    bound_to: Method | None = None
    first_due: int = 0
    expires_at: int = 0
    dsn_delay_sent: bool = False
    #: assurance label of the final state
    assurance: str = ""
    #: methods given up for this delivery; what was achieved by TLS is in `last_achieved`
    exhausted: tuple[Method, ...] = ()
    #: what the message itself asked for this recipient (it raises, never lowers)
    asked_floor: Assurance | None = None
    asked_methods: tuple[Method, ...] = ()
    #: a person released it from a hold: rules that hold no longer apply, what they require of protection does
    released: bool = False
    #: it has waited as long as a rule said that then lets it go (`policy.types.Facts.waited`)
    waited: bool = False
    #: while it waits for approval: how many people must give it; and who has given it ("staff:<id>")
    approvals: int = 0
    approved: tuple[str, ...] = ()
    #: what was found in the message for this recipient; None: nobody has looked
    content: ContentFacts | None = None
    #: redirect | copy: made at the door by a rule, in place of (or beside) a recipient of the envelope; "": asked for
    made_by: str = ""
    #: while held: when it has waited long enough (UTC microseconds; 0: never), and what then: refuse | release
    held_until: int = 0
    held_then: str = ""
    #: refused-by-reviewer | held-too-long: the next attempt ends it and tells the sender, with this note of a person
    refused: str = ""
    note: str = ""
    #: what was done with it last while it was held, by whom ("staff:<id>"), and when
    last_verb: str = ""
    last_by: str = ""
    last_at: int = 0
    v: int = 1


class MessageRecord(msgspec.Struct, frozen=True):
    """The sealed part of a message row (key: the organisation's evidence key)."""

    sender: str
    subject: str
    message_id: str
    header_from: str
    actor: Actor
    client: str
    envid: str | None
    smtputf8: bool
    eightbit: bool
    kind: str
    category: str
    data_class: str
    purpose: str
    origin: str
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    #: what rules asked of the message at the door: fields by name ("" for what was not there), octets, a reason given;
    #: None: no rule asked then, so it is not known
    headers: dict[str, str] | None = None
    size: int | None = None
    reasoned: bool = False
    v: int = 1
    #: Submission.thread
    thread: str = ""
    #: Submission.gateway
    gateway: str = ""
    #: Submission.test
    test: bool = False
    #: Submission.requiretls
    requiretls: bool = False
    #: its header says TLS-Required: No (RFC 8689 3): promises of the other side are let go where our own rules allow it
    tls_optional: bool = False
    #: Submission.forwarder
    forwarder: str = ""
    #: Submission.tracking
    tracking: TrackingAsk | None = None


class Foreseen(msgspec.Struct, frozen=True):
    """How a delivery is likely to go, where its plan's first step is known to be out of reach: said, never stored."""

    #: "" where it is likely to be held
    method: str
    reason: str
    words: str
    rule: str


class NewDelivery(msgspec.Struct, frozen=True):
    id: bytes
    #: HMAC token of the recipient's domain
    destination: bytes
    state: State
    due_at: int
    record: DeliveryRecord
    #: (organisation's epoch, posture version) the plan was made at: unmoved, the attempt need not decide again
    decided: tuple[int, int] | None = None
    #: for the answer to whoever handed it over; None: as its record says
    foreseen: Foreseen | None = None


class EventDraft(msgspec.Struct, frozen=True):
    """An event to be numbered inside the transaction, with the openings of its commitments."""

    draft: Draft
    personal: dict[str, tuple[bytes, bytes]] = {}


class Worked(msgspec.Struct, frozen=True):
    """What the door worked out of a message's bytes; a delivery that follows at once need not do it again."""

    #: `crypto.dkim.body_hash_relaxed`
    body_hash: bytes
    #: `crypto.dkim.canonical`
    header: Canonical
    #: `proof.commitments.mail_value`
    mail: bytes
    #: its header as the door read it, where a method that takes it apart comes next
    head: Head | None = None


class NewMessage(msgspec.Struct, frozen=True):
    id: bytes
    org: bytes
    stream: str
    at: int
    #: plaintext body; the queue encrypts it under a fresh content key before any disk
    body: bytes
    record: MessageRecord
    deliveries: tuple[NewDelivery, ...]
    events: tuple[EventDraft, ...]
    #: HMAC token of (org, key), the payload's hash and when it may be forgotten; None: no key
    key: tuple[bytes, bytes, int] | None = None
    #: BI-023: HMAC token (16 bytes) of submitter, Message-ID and body hash
    repeat: bytes | None = None
    #: the message of the last hour that this one repeats (Queue.repeated)
    repeats: bytes | None = None
    worked: Worked | None = None


class Claim(msgspec.Struct):
    """A delivery leased to this worker. `lease` must come back at settle, else LeaseLost."""

    delivery: bytes
    message: bytes
    org: bytes
    stream: str
    lease: bytes
    lease_until: int
    #: 1 for the first attempt
    attempt: int
    record: DeliveryRecord
    #: HMAC token of the recipient's domain
    destination: bytes = b""
    #: its message has no other recipient
    alone: bool = False
    #: as NewDelivery.decided; None after a wait in the queue: facts and decision run again
    decided: tuple[int, int] | None = None
    #: as NewMessage.worked; None when it must be worked out again
    worked: Worked | None = None
    #: of the row when it was claimed; settle changes that row or none
    rev: int = 0


class LeaseLost(CarepostError):
    """Another worker owns the delivery, or nobody does any more: drop the result, touch nothing."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("lease-lost", "This delivery is no longer leased to this worker.", detail)


class StoredBody(msgspec.Struct, frozen=True):
    """A body as it lies on disk: ciphertext chunks (crypto.rest, body format v1) and its wrapped content key."""

    chunks: tuple[bytes, ...]
    wrapped_key: bytes
    #: the sealed MessageRecord
    record: bytes


class Settlement(msgspec.Struct, frozen=True):
    """What an attempt's end leads to; carried out in one transaction with its events."""

    state: State
    record: DeliveryRecord
    #: when it is due again (DEFERRED, or QUEUED for the plan's next method at once)
    due_at: int = 0
    events: tuple[EventDraft, ...] = ()
    #: False: it goes back as it was before it was claimed, and no attempt counts
    attempted: bool = True
