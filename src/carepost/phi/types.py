"""The nouns of PHI detection: part, recipient, custom vocabulary, finding, findings, level.

All are msgspec structs that cross a pipe. `Part` and `Custom` go in; `Findings` comes out and holds no value that was
found: kinds, places, keywords of our own lists and ICD-10-CM codes, nothing else of the text.
"""

import enum

import msgspec

#: version of `Findings`: fields are only ever added, with defaults
VERSION = 1


class Level(enum.IntEnum):
    """What a message says, ordered. `word` is the name people and rules use."""

    NONE = 0
    #: health without a person: a newsletter, a blank form
    HEALTH_GENERIC = 10
    #: a strong identifier without health
    PII_ONLY = 20
    PHI_LIKELY = 30
    PHI_HIGH = 40

    @property
    def word(self) -> str:
        return _WORDS[self]


_WORDS = {
    Level.NONE: "none",
    Level.HEALTH_GENERIC: "health-generic",
    Level.PII_ONLY: "pii-only",
    Level.PHI_LIKELY: "phi-likely",
    Level.PHI_HIGH: "phi-high",
}


class Where(enum.StrEnum):
    """What a part is. The subject is weighed and answered for apart: it travels in clear more often than the rest."""

    SUBJECT = "subject"
    TEXT = "text"
    HTML = "html"
    #: the name of an attached file
    NAME = "attachment-name"
    #: text taken out of an attached file
    DOCUMENT = "attachment"
    FIELD = "form-field"


class Score(enum.StrEnum):
    IDENTIFIER = "identifier"
    HEALTH = "health"
    #: the text speaks about a person's care
    PERSON = "about-a-person"


class Strength(enum.StrEnum):
    STRONG = "strong"
    WEAK = "weak"


class Part(msgspec.Struct, frozen=True):
    """One text to look at. `number` tells parts of one kind apart for people: "attachment 2"; 0 where there is one.

    `group` ties what belongs together for co-occurrence: a file's name and its text, the text and HTML alternatives
    of one body. 0 is the message itself.
    """

    where: Where
    text: str
    number: int = 0
    group: int = 0


class Recipient(msgspec.Struct, frozen=True):
    """Whom this copy goes to. Where `individual` is None, the address says: role mailboxes are not people.

    `own` is true for addresses of the sending organisation itself: colleagues are not patients.
    """

    address: str = ""
    individual: bool | None = None
    own: bool = False


class Word(msgspec.Struct, frozen=True):
    """An organisation's own word or phrase, found as whole words, whatever the case."""

    id: str
    text: str
    score: Score = Score.HEALTH
    strength: Strength = Strength.WEAK


class Pattern(msgspec.Struct, frozen=True):
    """An organisation's own identifier or code, in the bounded pattern language of `phi.pattern`.

    With `keywords`, it counts only where one of them stands within `window` characters.
    """

    id: str
    pattern: str
    score: Score = Score.IDENTIFIER
    strength: Strength = Strength.STRONG
    keywords: tuple[str, ...] = ()
    window: int = 300


class Exemption(msgspec.Struct, frozen=True):
    """What is not to count. `phrase`: text of the organisation's own (a footer, a clinic's name) inside which nothing
    is found; `kind`: a kind of finding this organisation never counts (`phone`); `pattern`: as `phrase`, by pattern."""

    id: str
    phrase: str = ""
    pattern: str = ""
    kind: str = ""


class Known(msgspec.Struct, frozen=True):
    """Values found harmless, as `harmless.token` makes them under the organisation's own key."""

    key: bytes
    tokens: tuple[bytes, ...] = ()


class Custom(msgspec.Struct, frozen=True):
    words: tuple[Word, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    known: Known | None = None


class Finding(msgspec.Struct, frozen=True):
    """One kind of thing found in one part, and how often. Never its value.

    `kind` is a stable name (`ssn`, `icd10`, `drug-dose`, `word:<id>`); `near` is the keyword of our own list that
    supported it; `term` an ICD-10-CM code, which is a health fact: see `explain(..., terms=False)`.
    """

    score: Score
    kind: str
    strength: Strength
    where: Where
    number: int = 0
    group: int = 0
    near: str = ""
    term: str = ""
    count: int = 1
    #: of the first, counted from 1 in the text as a reader sees it
    line: int = 0


class Shown(msgspec.Struct, frozen=True):
    """One finding for a person who may see that it is there: its value masked, and its token (`harmless.token`)."""

    kind: str
    score: Score
    strength: Strength
    where: Where
    number: int
    #: counted from 1 in the text as a reader sees it
    line: int
    masked: str
    token: bytes


class Genre(enum.StrEnum):
    """What a text is when it speaks about nobody in particular."""

    FORM = "blank form"
    NEWSLETTER = "newsletter"
    NOTICE = "privacy notice or policy"
    ADVERT = "job advert"
    VETERINARY = "veterinary"
    BULLETIN = "bulletin"


class Findings(msgspec.Struct, frozen=True):
    """What a message says. One value per message; a recipient's level is `level(findings, recipient)`."""

    v: int = VERSION
    found: tuple[Finding, ...] = ()
    #: for a copy to someone whose address identifies nobody (an organisation, a colleague)
    level: Level = Level.NONE
    #: for a copy to a person outside: the address itself is an identifier
    level_individual: Level = Level.NONE
    #: of the subject alone, to a person outside
    subject: Level = Level.NONE
    #: different strong identifiers of people in the whole message
    identifiers: int = 0
    #: so many that a second person must look (10 or more different identifiers)
    bulk: bool = False
    genre: Genre | None = None
    #: why a part could not be read, by whoever gathers the parts; any entry makes the content unknown
    unread: tuple[str, ...] = ()
