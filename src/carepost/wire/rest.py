"""What the REST API reads and writes (`/api/v1/`), as msgspec Structs. Names are the contract of DESIGN 6.

Unknown fields are refused, so that a misspelt protection never passes silently.
"""

import enum
from typing import Annotated

import msgspec

from carepost.policy.types import Assurance, Method

#: the most messages one request may carry
MAX_BATCH = 1000

Text = Annotated[str, msgspec.Meta(max_length=998)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Minimum(enum.StrEnum):
    """The weakest protection the caller accepts, by its label. PORTAL is MESSAGE by the portal alone."""

    NONE = "NONE"
    ENCRYPTED = "ENCRYPTED"
    MAILBOX = "MAILBOX"
    VERIFIED = "VERIFIED"
    AUTHENTICATED = "AUTHENTICATED"
    MESSAGE = "MESSAGE"
    PORTAL = "PORTAL"

    @classmethod
    def _missing_(cls, value: object) -> "Minimum | None":
        """Lower case is read too."""
        return cls.__members__.get(value.upper()) if isinstance(value, str) else None

    @property
    def assurance(self) -> Assurance:
        return Assurance.MESSAGE if self is Minimum.PORTAL else Assurance[self.value]


class Category(enum.StrEnum):
    """What a caller may say the mail is (`system` is ours alone)."""

    TRANSACTIONAL = "transactional"
    OPERATIONAL = "operational"
    MARKETING = "marketing"


class Mailbox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address with a display name. Where a Mailbox is asked for, `"Name <address>"` or the address serves too."""

    address: Annotated[str, msgspec.Meta(min_length=3, max_length=320)]
    name: Text = ""


Person = Annotated[str, msgspec.Meta(min_length=3, max_length=1200)] | Mailbox
People = Annotated[tuple[Person, ...], msgspec.Meta(max_length=1000)]


class Attachment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file said here (`filename` and `content`), or one uploaded before (`upload_id`), whose name and type count
    where none are given."""

    filename: Annotated[str, msgspec.Meta(max_length=255)] = ""
    #: base64 (RFC 4648 section 4, padded, no line breaks)
    content: Annotated[str, msgspec.Meta(extra_json_schema={"contentEncoding": "base64"})] | None = None
    content_type: Annotated[str, msgspec.Meta(max_length=128)] = ""
    #: of `POST /api/v1/uploads`
    upload_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    #: set: shown inside the HTML by `cid:<content_id>`
    content_id: Annotated[str, msgspec.Meta(max_length=128)] = ""


class AccessAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Agreed with the recipient beforehand: a code, or a question and its answer. Kept as slow hashes."""

    code: Annotated[str, msgspec.Meta(max_length=128)] = ""
    question: Annotated[str, msgspec.Meta(max_length=255)] = ""
    answer: Annotated[str, msgspec.Meta(max_length=128)] = ""


class ProtectionAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this message asks for: it raises protection, never lowers it."""

    minimum: Minimum | None = None
    #: the only methods allowed, in order of preference; empty: the organisation's
    methods: Annotated[tuple[Method, ...], msgspec.Meta(max_length=4)] = ()
    access: AccessAsk | None = None


class TrackingAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What this message says of being watched. It can always say no; yes only where the organisation lets it, and links
    and pictures are put only into copies that may carry them. Left out: as the organisation decided."""

    opens: bool | None = None
    clicks: bool | None = None


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"from_": "from"}):
    """`POST /api/v1/messages`: one message; every recipient gets a delivery of their own."""

    from_: Person
    to: People = ()
    cc: People = ()
    bcc: People = ()
    reply_to: Person | None = None
    subject: Text = ""
    text: str | None = None
    html: str | None = None
    attachments: Annotated[tuple[Attachment, ...], msgspec.Meta(max_length=100)] = ()
    headers: Annotated[dict[str, str], msgspec.Meta(max_length=50)] = {}
    protection: ProtectionAsk | None = None
    category: Category = Category.TRANSACTIONAL
    #: why it is sent, where a rule of the organisation asks (sealed; it never leaves)
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    tags: Annotated[tuple[Word, ...], msgspec.Meta(max_length=20)] = ()
    metadata: Annotated[dict[Word, Text], msgspec.Meta(max_length=50)] = {}
    #: in place of subject, text and html: the active version of this template, with these variables
    template_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    variables: dict[str, msgspec.Raw] | None = None
    tracking: TrackingAsk | None = None
    #: everything is carried out up to the wire, and nothing leaves: its deliveries end as `tested`
    test: bool = False
    #: RFC 3339 with an offset
    send_at: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    expires_at: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    #: of this message alone, in place of the header's: the same key with the same message is one message
    idempotency_key: Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern="^[ -~]+$")] | None = None


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    messages: Annotated[tuple[Message, ...], msgspec.Meta(min_length=1, max_length=MAX_BATCH)]


class Delivery(msgspec.Struct, frozen=True):
    """One recipient of an accepted message. `method`, `reason`, `words`: expected; decided again at delivery. `state`:
    queued | held | failed | suppressed (the address is on the suppression list; `reason` says so too). More words may
    come: only `queued` and `held` are on their way."""

    recipient: str
    state: str
    method: str
    reason: str
    words: str
    rule: str
    #: "" in a preview
    id: str = ""


class MessageAccepted(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    deliveries: tuple[Delivery, ...]
    #: the Idempotency-Key was known: this is the earlier answer again
    repeated: bool = False
    #: the same message was accepted within the last hour without a key: that one's id
    repeats: str | None = None


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One wrong field: where (RFC 6901 pointer) and what, without its value."""

    pointer: str
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457, `application/problem+json`. `type` is stable; nothing personal in any field."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: tuple[Fault, ...] = ()


class BatchEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of a batch: as MessageAccepted, or `problem` when this one was not accepted."""

    id: str = ""
    deliveries: tuple[Delivery, ...] = ()
    repeated: bool = False
    repeats: str | None = None
    problem: Problem | None = None


class BatchAccepted(msgspec.Struct, frozen=True):
    """As many entries as the request had, in its order."""

    messages: tuple[BatchEntry, ...]


class Previewed(msgspec.Struct, frozen=True):
    """What each recipient would get, and why, without sending."""

    deliveries: tuple[Delivery, ...]
    note: str = "Expected; decided again at delivery."


class Health(msgspec.Struct, frozen=True):
    """`GET /health`. status: ok | draining | unavailable."""

    status: str


class Job(msgspec.Struct, frozen=True):
    """`state`: receiving (a file that is not here whole) | waiting | running | done | failed | cancelled. `seen`:
    messages, events or lines looked at so far; `made`: deliveries changed or sent again, rows written, or addresses
    added. Times are UTC microseconds."""

    id: str
    kind: str
    state: str
    created_at: int
    changed_at: int
    #: its result can be fetched until then
    expires_at: int
    seen: int
    made: int
    #: reason code of a failure
    cause: str
    #: of an import: lines of the file, addresses that were on the list already, and lines that are wrong; `wrong` of a
    #: resend: messages that were passed over, mostly because their content is no longer held
    total: int = 0
    known: int = 0
    wrong: int = 0
