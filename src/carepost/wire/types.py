"""The shapes that cross a process: submissions, acknowledgements, lookups, drained events (msgspec)."""

import enum
from typing import Final

import msgspec

from carepost.policy.types import Access, Assurance, Category, ContentFacts, DataClass, Kind, Method, Purpose
from carepost.rfc.envelope import Envelope
from carepost.wire.pacing import HeldBack


class Actor(msgspec.Struct, frozen=True):
    """Who did it. kind: credential | key | staff | recipient | system. id: opaque, never an address."""

    kind: str
    id: str


class Origin(enum.StrEnum):
    SMTP = "smtp"
    API = "api"
    MX = "mx"
    PORTAL = "portal"
    FORM = "form"
    CAMPAIGN = "campaign"
    BOUNCE = "bounce"
    NOTICE = "notice"
    REPORT = "report"
    #: an answer by mail that joins a conversation of the portal (intake.conversations)
    REPLY = "reply"
    #: from the world, for a tenant whose own mail system stands behind us (intake.fronted)
    INBOUND = "inbound"
    #: written by a member of staff on the console's page
    CONSOLE = "console"


#: what people and their programs sent: no mail from outside, and none the system wrote itself
SENT_HERE: Final = frozenset({Origin.SMTP, Origin.API, Origin.CONSOLE, Origin.FORM, Origin.CAMPAIGN})


class Stream(enum.StrEnum):
    SYSTEM = "system"
    TRANSACTIONAL = "transactional"
    OPERATIONAL = "operational"
    BULK = "bulk"


class AccessProof(msgspec.Struct, frozen=True):
    """How a recipient proves who they are: `verifier` is a slow hash (crypto.slowhash), never the secret."""

    kind: Access = Access.NONE
    question: str = ""
    verifier: str = ""
    #: given by somebody else of the organisation to a message that waited for it: its sender must be told how it opens
    late: bool = False


class Protection(msgspec.Struct, frozen=True):
    minimum: Assurance | None = None
    methods: tuple[Method, ...] = ()
    access: AccessProof = AccessProof()


class TrackingAsk(msgspec.Struct, frozen=True):
    """What a message says of being watched: it can always say no, and yes only where its organisation lets it. None:
    as the organisation decided."""

    opens: bool | None = None
    clicks: bool | None = None


class Submission(msgspec.Struct, frozen=True):
    """One message at the one door. `body` is the message as submitted (after DATA, CRLF), plaintext in memory."""

    org: bytes
    envelope: Envelope
    body: bytes
    origin: Origin
    actor: Actor
    #: Idempotency-Key, ENVID or an office key; None: none was given
    key: str | None = None
    kind: Kind = Kind.MESSAGE
    category: Category = Category.TRANSACTIONAL
    data_class: DataClass = DataClass.ORDINARY
    purpose: Purpose = Purpose.TREATMENT
    protection: Protection = Protection()
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    #: UTC microseconds, or 0
    send_at: int = 0
    expires_at: int = 0
    #: client address, for evidence only (sealed)
    client: str = ""
    #: SHA-256 of what the caller handed over, compared when `key` is repeated (422 when it differs); b"": the hash
    #: of envelope and body. The API composes the MIME itself (fresh Date), so it hashes its caller's JSON instead
    payload_hash: bytes = b""
    #: how it came, in the words of RFC 3848 (ESMTPSA, ESMTPS, ESMTP) or "HTTP"; "" inside. For Received
    via: str = ""
    #: sender domains the credential may use in MAIL FROM and From; empty: all of its organisation's
    domains: tuple[str, ...] = ()
    #: what the client called itself (EHLO), of mail that came by MX
    helo: str = ""
    #: id of the portal's conversation this message joins; "" for every other
    thread: str = ""
    #: words of SPF, DKIM and DMARC, of mail that came by MX: for the event
    proved: dict[str, str] = {}
    #: the sender's reason in words; "": what the field X-Carepost-Reason says
    reason: str = ""
    #: (reason code, words): whoever would get it is held at the door until a person releases it. Office's mail alone
    hold: tuple[str, str] | None = None
    #: id of the connection whose mail system handed it over, or in front of which it came in (`directory.gateways`)
    gateway: str = ""
    #: "<id>/<version>" of the template it was made from; "" for none
    template: str = ""
    #: carried out up to the wire, and not sent
    test: bool = False
    #: RFC 8689: no hop may go on without TLS that was checked
    requiretls: bool = False
    #: the organisation's mailbox whose mail system forwards this message of somebody outside; "" for every other
    forwarder: str = ""
    #: None: it says nothing of opens and clicks
    tracking: TrackingAsk | None = None
    #: id of the message whose content it sends again; "" for every other
    resends: str = ""


class AcceptedDelivery(msgspec.Struct, frozen=True):
    id: str
    recipient: str
    #: queued | held | failed
    state: str
    method: str
    reason: str
    words: str
    rule: str
    #: the policy version the rule stands in; "" where it is not told
    policy: str = ""
    #: of a preview: label of the least assurance it would go with; "" where it would not go
    assurance: str = ""


class Accepted(msgspec.Struct, frozen=True):
    message_id: str
    deliveries: tuple[AcceptedDelivery, ...]
    #: the key was known: this is the earlier acceptance again
    repeated: bool = False
    #: BI-023: equal submitter, Message-ID and body hash within the last hour
    repeats: str | None = None


class AttemptView(msgspec.Struct, frozen=True):
    number: int
    at: int
    method: str
    #: what was required, and what was achieved (assurance labels)
    required: str
    achieved: str
    stage: str
    result: str
    reason: str
    words: str
    reply: str
    mx: str
    tls: str
    uncertain: bool = False


class NoteView(msgspec.Struct, frozen=True):
    """Something seen on the way that changed what was done, or that another system reported: an event's kind, and its
    stable reason code (of a look inside: the organisation's exception by which it was none). `until`: of a delay,
    until when the other system says that it tries (RFC 3339), or "". `detail`: of a wait that was over, refused (goes
    back) or ok (goes on); of a decision at the attempt, the method decided before, "" where it is the first; of a
    look inside, the tags rules gave for it."""

    at: int
    kind: str
    cause: str
    until: str = ""
    detail: str = ""


class DeliveryView(msgspec.Struct, frozen=True):
    id: str
    recipient: str
    state: str
    method: str
    assurance: str
    reason: str
    words: str
    rule: str
    due_at: int
    attempts: tuple[AttemptView, ...] = ()
    notes: tuple[NoteView, ...] = ()
    #: provider group of the mail servers it went to, "" where none is known
    provider: str = ""
    #: queued, deferred: why it has not left though it is due
    held_back: HeldBack | None = None
    #: held: when that time is over (UTC microseconds; 0: it waits without end), and what then: "refuse" | "release"
    until: int = 0
    then: str = ""
    #: what the last look into it found (policy.content.Level; "": no rule asked), and the tags rules gave for it
    content: str = ""
    tags: tuple[str, ...] = ()
    #: whether it was opened, or a link in it followed: the verdict on the best of the hits (tracking.types.Ruling);
    #: "no": it is watched, and none came; "": it is not watched
    opened: str = ""
    clicked: str = ""


class LookView(msgspec.Struct, frozen=True):
    """Somebody saw the message, or that there is one: an event's kind; `by`: the actor as "kind:id"."""

    at: int
    kind: str
    by: str


class MessageView(msgspec.Struct, frozen=True):
    id: str
    org: str
    at: int
    sender: str
    subject: str
    message_id: str
    origin: str
    category: str
    size: int
    deliveries: tuple[DeliveryView, ...]
    #: who looked at it, the newest last; told on the message's own page alone
    looked: tuple[LookView, ...] = ()
    #: ids of the messages that sent its content again, and of the one it sent again itself ("": none)
    resent_as: tuple[str, ...] = ()
    resends: str = ""


class HeldFilter(msgspec.Struct, frozen=True):
    """Which held deliveries are meant; empty fields ask for nothing. Domains and the rule stand sealed in the rows:
    they are compared after a row was opened."""

    sender_domain: str = ""
    recipient_domain: str = ""
    #: held at or after, and before (UTC microseconds; 0: ever)
    since: int = 0
    until: int = 0
    #: name of the rule that holds it
    rule: str = ""
    #: "me": who asks may release it · "others": somebody else must
    who: str = ""


ANY_HELD: Final = HeldFilter()


class HeldView(msgspec.Struct, frozen=True):
    """One delivery that waits for a person, as its shard has it. Times are UTC microseconds."""

    id: str
    message: str
    org: str
    #: accepted, and held since
    at: int
    since: int
    #: when its time is over (0: never), and what then: refuse | release
    until: int
    then: str
    #: held, or what it is by now
    state: str
    recipient: str
    sender: str
    subject: str
    origin: str
    category: str
    size: int
    reason: str
    words: str
    rule: str
    #: label of what is required, "" where nothing was planned
    required: str = ""
    #: how many people must approve it, and who has ("staff:<id>")
    approvals: int = 0
    approved: tuple[str, ...] = ()
    #: why the one who asks may not release it: own | approved | people; "" where they may
    barred: str = ""
    content: ContentFacts | None = None
    made_by: str = ""
    #: what was done with it last, by whom and when
    last_verb: str = ""
    last_by: str = ""
    last_at: int = 0


class WayView(msgspec.Struct, frozen=True):
    """How a held delivery would leave if released: as the rules decide (`method` ""), or by this method alone."""

    #: what a release asks for: "" is what the rules decide
    method: str
    #: deliver | hold | refuse
    end: str
    #: how it would leave, and what that must reach: words of Method and Assurance, "" where it would not
    by: str
    assurance: str
    words: str
    rule: str
    #: it protects at least as much as what the rules decide, so it may be asked for
    allowed: bool
    #: the same as a value
    minimum: Assurance | None = None


class Drained(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One outbox row: the event's bytes as made once, and what is personal, sealed beside it."""

    seq: int
    org: bytes
    event: bytes
    sealed: bytes


class PortalNote(msgspec.Struct, frozen=True):
    """Sealed beside `delivery.deposited` (opening `portal`, JSON): what the journal needs besides the body."""

    recipient: str
    #: envelope sender
    sender: str
    access: AccessProof = AccessProof()
    #: a code sent by e-mail opens it (assurance MAILBOX, rule `rule`); else `access` does (PORTAL)
    by_mail: bool = False
    rule: str = ""
    #: UTC microseconds, or 0
    expires_at: int = 0


class HistoryRecord(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """Sealed beside `message.accepted` (opening `record`, JSON): what history and search know of a message. The journal
    moves it under a key of the message's own and takes it out of the opening, so that it dies with the content."""

    sender: str
    from_: str
    subject: str
    message_id: str
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}


class Told(msgspec.Struct, frozen=True):
    """Sealed beside a `delivery.*` event (opening `words`, JSON): what the delivery says of itself after it, and what
    the attempt that ended said."""

    delivery: str
    attempt: str = ""
