"""The nouns of the protection decision: assurance, method, facts, step, plan, decision."""

import enum

import msgspec

from carepost.policy.content import Attachment, ContentFacts, Level, Malware, Need
from carepost.policy.ternary import Ternary

__all__ = [
    "Access", "Assurance", "Attachment", "Category", "ContentFacts", "DataClass", "Decision", "Deliver", "Direction",
    "Facts", "Hold", "Kind", "Level", "Malware", "Method", "MtaSts", "Need", "Plan", "Purpose", "Refuse", "Rule",
    "Said", "Seen", "Step", "Ternary", "TlsPolicy", "label",
]  # fmt: skip


class Assurance(enum.IntEnum):
    """What a delivery achieved, ordered (DESIGN 3). PORTAL ranks as MESSAGE: `label` tells them apart."""

    NONE = 0
    ENCRYPTED = 10
    MAILBOX = 20
    VERIFIED = 30
    AUTHENTICATED = 40
    MESSAGE = 50


class Method(enum.StrEnum):
    TLS = "tls"
    SMIME = "smime"
    OPENPGP = "openpgp"
    PORTAL = "portal"


def label(assurance: Assurance, method: Method | None) -> str:
    """The word shown to people and programs: MESSAGE reached by the portal is called PORTAL."""
    if assurance is Assurance.MESSAGE and method is Method.PORTAL:
        return "PORTAL"
    return assurance._name_


class Direction(enum.StrEnum):
    """Where a copy goes: to the world, from the world to us, or from one sender domain of ours to another."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    INTERNAL = "internal"


class MtaSts(enum.StrEnum):
    NONE = "none"
    TESTING = "testing"
    ENFORCE = "enforce"
    UNKNOWN = "unknown"


class Access(enum.StrEnum):
    """How the recipient proves who they are in the portal, beyond reading the mailbox."""

    NONE = "none"
    CODE = "code"
    QUESTION = "question"


class Kind(enum.StrEnum):
    """What the mail is; notices, codes and daily checkpoints carry no PHI by construction."""

    MESSAGE = "message"
    NOTICE = "notice"
    DSN = "dsn"


class Category(enum.StrEnum):
    TRANSACTIONAL = "transactional"
    OPERATIONAL = "operational"
    MARKETING = "marketing"
    SYSTEM = "system"


class DataClass(enum.StrEnum):
    ORDINARY = "ordinary"
    PART2 = "part2"
    PSYCHOTHERAPY = "psychotherapy"
    NONE_ATTESTED = "none-attested"


class Purpose(enum.StrEnum):
    TREATMENT = "treatment"
    PAYMENT = "payment"
    OPERATIONS = "operations"
    MARKETING = "marketing"
    NOTICE = "notice"


class TlsPolicy(enum.StrEnum):
    """The field's words: opportunistic (best there is above the floor), forced (else the next method),
    exclusive (else refuse)."""

    OPPORTUNISTIC = "opportunistic"
    FORCED = "forced"
    EXCLUSIVE = "exclusive"


class Rule(msgspec.Struct, frozen=True):
    """One rule of an organisation: where it matches (empty matches all) and what it raises or allows.

    A setting (`setting`) is a default that nearer ones override, field by field: organisation, unit, sender domain,
    sender; and recipient domain, recipient. Of all other rules the strictest of each kind counts, whatever the order.
    """

    id: str
    position: int = 100
    sender_domain: str = ""
    sender: str = ""
    recipient_domain: str = ""
    recipient: str = ""
    category: str = ""
    data_class: str = ""
    #: raise the floor to this, or lower it below VERIFIED: only with `attestation`
    floor: Assurance | None = None
    tls_policy: TlsPolicy | None = None
    methods: tuple[Method, ...] = ()
    #: opens the portal to a code sent by e-mail alone (the rule named `portal-by-mail`)
    portal_by_mail: bool = False
    #: "" | hold (until a person releases it) | approve (until `approvals` others have) | refuse
    action: str = ""
    attestation: str = ""
    setting: bool = False
    #: name of the unit a rule was made for; `sender_domain` is then one of the unit's
    unit: str = ""
    direction: str = ""
    #: a header field that must be there, and (`contains`) text in its decoded value, upper or lower case alike
    header: str = ""
    contains: str = ""
    #: a trigger: the text (without `contains`, the whole field) is taken out before anything is stored or sent
    remove: bool = False
    #: octets; matches what is larger; 0 matches all
    size_over: int = 0
    #: "[not ]DAY[-DAY][,…] HH:MM-HH:MM ZONE" (`policy.hours`); "" matches all
    hours: str = ""
    #: any of these levels; any of these answers
    levels: tuple[Level, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    #: attested: does not match while what it asks of the content is unknown ("fail open")
    skip_unknown: bool = False
    #: with action approve: how many people other than the sender
    approvals: int = 1
    warn: bool = False
    #: the sender must say why
    ask_reason: bool = False
    #: made at the door: goes to this address instead; and to these as well
    redirect: str = ""
    copies: tuple[str, ...] = ()
    strip_tracking: bool = False
    tags: tuple[str, ...] = ()
    #: what the sender is told, in the organisation's own words; never anything of a message
    words: str = ""
    #: how long what is held waits for a person (hours; 0: not said here), and what then: refuse | release | keep
    held_hours: int = 0
    held_then: str = ""


class Seen(msgspec.Struct, frozen=True):
    """What earlier attempts of this delivery, and posture, have measured of the recipient's side."""

    #: best assurance TLS can be expected to reach now; None: nobody has looked
    tls: Assurance | None = None
    starttls: Ternary = Ternary.UNKNOWN
    mta_sts: MtaSts = MtaSts.UNKNOWN
    dane: Ternary = Ternary.UNKNOWN
    #: a destination that lost TLS or whose MX moved (DESIGN 2, posture): not VERIFIED until stable for a day
    weakened: bool = False
    #: what a pinned next hop proved when it was last met, by this same pin; None: nobody has looked
    pinned: Assurance | None = None


class Facts(msgspec.Struct, frozen=True):
    """All the decision may look at. Built by `intake.facts`; nothing else is read."""

    org: str
    policy_version: str
    sender: str
    sender_domain: str
    recipient: str
    recipient_domain: str
    kind: Kind = Kind.MESSAGE
    category: Category = Category.TRANSACTIONAL
    data_class: DataClass = DataClass.ORDINARY
    purpose: Purpose = Purpose.TREATMENT
    origin: str = "smtp"
    org_floor: Assurance = Assurance.VERIFIED
    rules: tuple[Rule, ...] = ()
    #: what the message itself asks for: it can raise, never lower
    asked_floor: Assurance | None = None
    asked_methods: tuple[Method, ...] = ()
    access: Access = Access.NONE
    pinned_route: bool = False
    seen: Seen = Seen()
    smime_key: Ternary = Ternary.NO
    openpgp_key: Ternary = Ternary.NO
    suppressed: Ternary = Ternary.NO
    #: methods already given up for this delivery, with the assurance last achieved by TLS
    exhausted: tuple[Method, ...] = ()
    last_achieved: Assurance | None = None
    #: an uncertain attempt binds the delivery to its method (law 6)
    bound_to: Method | None = None
    #: a person released it from a hold: rules that hold no longer apply, what they require of protection does
    released: bool = False
    #: it has waited as long as a rule said that then lets it go: holds that say the same no longer apply, others do
    waited: bool = False
    #: methods this build can carry out
    available: tuple[Method, ...] = (Method.TLS, Method.PORTAL)
    direction: Direction = Direction.OUTBOUND
    #: octets of the message as submitted; None: unknown
    size: int | None = None
    #: (lower-case name, decoded value) of the header fields rules look at, "" for what is not there; None: unknown
    headers: tuple[tuple[str, str], ...] | None = None
    #: UTC microseconds; 0: unknown
    at: int = 0
    content: ContentFacts = ContentFacts()
    #: the sender said why
    reasoned: bool = False
    #: people who approved this copy, the sender not among them
    approved: int = 0
    #: methods whose key for this recipient a person pinned; and those where another key turned up: held, never used
    pinned_keys: tuple[Method, ...] = ()
    changed_keys: tuple[Method, ...] = ()
    #: a rule made this copy (a redirect, or one more): what is asked for is what its original required
    made: bool = False


class Step(msgspec.Struct, frozen=True):
    """One method and what it must achieve to count. The portal: MESSAGE where the person proves who they are by a code
    or question, MAILBOX where an e-mailed code does. TLS at MESSAGE is a look: TLS cannot reach it, so nothing is sent,
    and what the recipient's side offers is measured before an e-mailed code may open the portal."""

    method: Method
    floor: Assurance
    rule: str


class Said(msgspec.Struct, frozen=True):
    """What a rule tells the sender; `words` are the organisation's own, or constants."""

    rule: str
    words: str


class Plan(msgspec.Struct, frozen=True):
    """Methods in order of preference, the floor of each, and the rule that said so."""

    steps: tuple[Step, ...]
    floor: Assurance
    rule: str
    #: stable reason code, and the same in words for people
    reason: str
    words: str
    policy_version: str
    #: where no TLS attempt reaches the floor: refuse (exclusive) instead of the next method
    exclusive: bool = False
    v: int = 1
    #: id of the matching rule that opens the portal to a code sent by e-mail alone; "" where none matched
    by_mail: str = ""
    #: what set `floor`: a rule id or a built-in name (default-floor, organisation-floor, asked-by-message, ...)
    floor_rule: str = ""
    warnings: tuple[Said, ...] = ()
    #: rule that wants no tracking added to this copy, "" where none does
    untracked: str = ""


class Deliver(msgspec.Struct, frozen=True, tag="deliver"):
    plan: Plan


class Hold(msgspec.Struct, frozen=True, tag="hold"):
    reason: str
    words: str
    rule: str
    policy_version: str
    #: approval | "": what kind of release ends it
    cause: str = ""
    #: cause approval: how many people must release it, each another one, none of them the sender
    approvals: int = 0
    #: as the rule said (`policy.holding`); 0 and "": no rule did
    hours: int = 0
    then: str = ""


class Refuse(msgspec.Struct, frozen=True, tag="refuse"):
    reason: str
    words: str
    rule: str
    policy_version: str


Decision = Deliver | Hold | Refuse
