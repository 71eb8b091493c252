"""What a message contains, as facts of the decision. Gathered after the 250 by others, and only where `needs` asks.

No value that was found is among them: a level, and what kind of thing is attached."""

import enum
from typing import Final

import msgspec

from carepost.policy.ternary import Ternary


class Level(enum.StrEnum):
    """What the text says, in the words of `phi.types.Level`; UNKNOWN: not looked at, too slow, or unreadable."""

    UNKNOWN = "unknown"
    NONE = "none"
    HEALTH_GENERIC = "health-generic"
    PII_ONLY = "pii-only"
    PHI_LIKELY = "phi-likely"
    PHI_HIGH = "phi-high"
    #: what a rule may ask besides, and no content's own level: so many different identifiers that a second person
    #: must look, whatever else is said
    BULK = "bulk"


#: what a level can be
FOUND: Final = (Level.NONE, Level.HEALTH_GENERIC, Level.PII_ONLY, Level.PHI_LIKELY, Level.PHI_HIGH)


class Malware(enum.StrEnum):
    """What the scanner said of the attachments. UNAVAILABLE: it was asked and gave no answer. OFF: none is set up."""

    UNKNOWN = "unknown"
    CLEAN = "clean"
    INFECTED = "infected"
    UNAVAILABLE = "unavailable"
    OFF = "off"


class Attachment(enum.StrEnum):
    """What a rule may ask about attachments. Each is one question with the answer yes, no or unknown."""

    ANY = "any"
    MACRO = "macro"
    ENCRYPTED = "encrypted"
    #: its content is not what its name or type says
    MISMATCH = "mismatch"
    INFECTED = "infected"
    #: asked of the scanner, and not answered
    UNSCANNED = "unscanned"


class Need(enum.StrEnum):
    """What must be looked at before the decision can be made as it will stand."""

    LEVEL = "level"
    ATTACHMENTS = "attachments"


class ContentFacts(msgspec.Struct, frozen=True):
    """All unknown by default: an unknown fact takes the strictest branch."""

    level: Level = Level.UNKNOWN
    attached: Ternary = Ternary.UNKNOWN
    macro: Ternary = Ternary.UNKNOWN
    encrypted: Ternary = Ternary.UNKNOWN
    mismatch: Ternary = Ternary.UNKNOWN
    malware: Malware = Malware.UNKNOWN
    #: ten different identifiers or more (`phi.weigh.BULK`)
    bulk: Ternary = Ternary.UNKNOWN


#: made of constants by us: nothing of a person is in it (notices, delivery reports)
NOTHING_IN_IT = ContentFacts(Level.NONE, Ternary.NO, Ternary.NO, Ternary.NO, Ternary.NO, Malware.CLEAN, Ternary.NO)


def says(asked: frozenset[Level], content: ContentFacts) -> Ternary:
    """Whether it is of one of these levels."""
    bulk = content.bulk if Level.BULK in asked else Ternary.NO
    if bulk is Ternary.YES or (content.level in asked and content.level is not Level.UNKNOWN):
        return Ternary.YES
    return Ternary.UNKNOWN if content.level is Level.UNKNOWN or bulk is Ternary.UNKNOWN else Ternary.NO


def holds(asked: Attachment, content: ContentFacts) -> Ternary:
    """The answer to one question about attachments."""
    if content.attached is Ternary.NO:
        return Ternary.NO
    match asked:
        case Attachment.ANY:
            return content.attached
        case Attachment.MACRO:
            return content.macro
        case Attachment.ENCRYPTED:
            return content.encrypted
        case Attachment.MISMATCH:
            return content.mismatch
        case Attachment.INFECTED:
            return _INFECTED[content.malware]
        case Attachment.UNSCANNED:
            return _UNSCANNED[content.malware]


_INFECTED = {
    Malware.UNKNOWN: Ternary.UNKNOWN,
    Malware.UNAVAILABLE: Ternary.UNKNOWN,
    # nobody set a scanner up: nobody can say that it is clean
    Malware.OFF: Ternary.UNKNOWN,
    Malware.CLEAN: Ternary.NO,
    Malware.INFECTED: Ternary.YES,
}
_UNSCANNED = {
    Malware.UNKNOWN: Ternary.UNKNOWN,
    Malware.UNAVAILABLE: Ternary.YES,
    Malware.OFF: Ternary.YES,
    Malware.CLEAN: Ternary.NO,
    Malware.INFECTED: Ternary.NO,
}
