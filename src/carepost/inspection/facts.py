"""From what was found to what policy asks: `Content` as `policy.content.ContentFacts`. Pure.

Where something was not read, a question about it is answered unknown unless what was read answers yes already."""

from collections.abc import Iterable
from typing import Final

from carepost.inspection.types import Content, FileFacts, Needs, Verdict, Virus
from carepost.phi.documents.types import Kind, Reading, Trait
from carepost.phi.types import Level
from carepost.policy import content as policy
from carepost.policy.ternary import Ternary

#: what runs, or fetches what runs, when a file is opened
RUNS: Final = frozenset({Trait.MACROS, Trait.ACTIVE, Trait.REMOTE, Trait.EXECUTABLE})
#: a name or type made to be taken for another
DECEIVES: Final = frozenset({Trait.MISMATCH, Trait.DOUBLE_EXTENSION, Trait.REORDERED_NAME})
#: files that cannot hold macros or other files, however much of them was read
_FLAT: Final = frozenset(
    {Kind.IMAGE, Kind.MEDIA, Kind.DICOM, Kind.SIGNATURE, Kind.FONT, Kind.EMPTY}
    | {Kind.TEXT, Kind.CSV, Kind.JSON, Kind.CALENDAR, Kind.HL7}
)
#: readings that left out nothing but words
_WORDS_ONLY: Final = frozenset({"image", "image-only", "legacy-format"})

_LEVELS: Final = {
    Level.NONE: policy.Level.NONE,
    Level.HEALTH_GENERIC: policy.Level.HEALTH_GENERIC,
    Level.PII_ONLY: policy.Level.PII_ONLY,
    Level.PHI_LIKELY: policy.Level.PHI_LIKELY,
    Level.PHI_HIGH: policy.Level.PHI_HIGH,
}


def needs(wanted: Iterable[policy.Need]) -> Needs:
    """What to ask for, of what `policy.needs` says could change the decision."""
    asked = frozenset(wanted)
    files = policy.Need.ATTACHMENTS in asked
    return Needs(level=policy.Need.LEVEL in asked, files=files, virus=files)


def facts(content: Content, *, pictures: bool = True) -> policy.ContentFacts:
    """`pictures` False: the organisation has attested that pictures nobody read make nothing unknown."""
    files = content.files
    return policy.ContentFacts(
        level=_level(content, pictures=pictures),
        attached=_attached(content),
        macro=_any(files, RUNS),
        encrypted=_any(files, frozenset({Trait.ENCRYPTED})),
        mismatch=_any(files, DECEIVES),
        malware=_malware(content.virus),
        bulk=_bulk(content, pictures=pictures),
    )


def _level(content: Content, *, pictures: bool) -> policy.Level:
    if content.level is None:
        return policy.Level.UNKNOWN
    # more than the highest there cannot be
    if content.level is not Level.PHI_HIGH and _unread(content, pictures=pictures):
        return policy.Level.UNKNOWN
    return _LEVELS[content.level]


def _bulk(content: Content, *, pictures: bool) -> Ternary:
    if content.bulk:
        return Ternary.YES
    looked = content.level is not None and not _unread(content, pictures=pictures)
    return Ternary.NO if looked else Ternary.UNKNOWN


def _unread(content: Content, *, pictures: bool) -> bool:
    unknown = set(content.unknown)
    return bool(unknown if pictures else unknown - {"image", "image-only"})


def _attached(content: Content) -> Ternary:
    """Pictures in the page and signatures are not what people call an attachment; what a scanner found always is."""
    if content.virus.virus is Virus.INFECTED:
        return Ternary.YES
    if content.files is None:
        return Ternary.UNKNOWN
    found = any(f.depth == 0 and not _beside(f) for f in content.files)
    return Ternary.YES if found else Ternary.NO


def _beside(file: FileFacts) -> bool:
    if file.traits:
        return False
    return file.kind is Kind.SIGNATURE or (file.inline and file.kind is Kind.IMAGE)


def _any(files: Iterable[FileFacts] | None, traits: frozenset[Trait]) -> Ternary:
    answer = Ternary.NO if files is not None else Ternary.UNKNOWN
    for file in files or ():
        if traits & set(file.traits):
            return Ternary.YES
        if file.reading is not Reading.READ and file.kind not in _FLAT and file.reason not in _WORDS_ONLY:
            answer = Ternary.UNKNOWN
    return answer


def _malware(verdict: Verdict) -> policy.Malware:
    if verdict.reason == "not-configured":
        return policy.Malware.OFF
    return _VIRUS[verdict.virus]


_VIRUS: Final = {
    Virus.UNASKED: policy.Malware.UNKNOWN,
    Virus.CLEAN: policy.Malware.CLEAN,
    Virus.INFECTED: policy.Malware.INFECTED,
    # half a look is none
    Virus.INCOMPLETE: policy.Malware.UNAVAILABLE,
    Virus.UNAVAILABLE: policy.Malware.UNAVAILABLE,
}
