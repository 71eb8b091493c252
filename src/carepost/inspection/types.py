"""What inspection answers: facts about a message's content that a policy may take, and why something is not known.

None of it holds a value of the message: kinds, counts, places and reason codes only, so all of it may cross a pipe,
stand in a record and be logged."""

import enum

import msgspec

from carepost.phi.documents.types import Kind, Reading, Trait
from carepost.phi.types import Custom, Findings, Level, Shown

__all__ = ["Content", "Custom", "FileFacts", "Findings", "Level", "Needs", "Report", "Unknown", "Verdict", "Virus"]

#: version of `Content` and `Report`: fields are only ever added, with defaults
VERSION = 1


class Needs(msgspec.Struct, frozen=True):
    """What the rules of this organisation could change their answer by. Nothing needed, nothing done."""

    #: what the texts say
    level: bool = True
    #: what the attached files are
    files: bool = True
    #: what the scanner says
    virus: bool = False


class Virus(enum.StrEnum):
    #: nobody asked
    UNASKED = "unasked"
    CLEAN = "clean"
    INFECTED = "infected"
    #: the scanner saw a part only: encrypted, over a limit of its own
    INCOMPLETE = "incomplete"
    UNAVAILABLE = "unavailable"


class Verdict(msgspec.Struct, frozen=True):
    """`name`: the scanner's name of what it found, up to 100 of [A-Za-z0-9._:/-]; `reason`: why there is no answer."""

    virus: Virus = Virus.UNASKED
    name: str = ""
    reason: str = ""


class FileFacts(msgspec.Struct, frozen=True):
    """One attached file, or one found in another: all but its name and its text."""

    #: the attached file it is or came from, counted from 1
    number: int
    #: files it stands within
    depth: int
    kind: Kind
    reading: Reading
    #: `phi.documents.types.REASONS`
    reason: str = ""
    traits: tuple[Trait, ...] = ()
    #: bytes
    size: int = 0
    #: stands inside the HTML rather than beside it
    inline: bool = False


class Report(msgspec.Struct, frozen=True, tag="report"):
    """What a worker answers about one message, whoever its recipients are."""

    v: int = VERSION
    #: None: not asked for
    findings: Findings | None = None
    #: None: the message could not be taken apart
    files: tuple[FileFacts, ...] | None = ()
    #: why something was not read; any entry makes the content unknown beside what was found
    unread: tuple[str, ...] = ()
    #: where they were asked for: the findings one by one, masked
    shown: tuple[Shown, ...] = ()
    #: seconds of processor time it took
    cpu: float = 0.0


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """Nothing can be said: busy, too-slow, too-large, memory, worker-died, not-installed, not-started, garbled."""

    reason: str


class Content(msgspec.Struct, frozen=True):
    """What policy may know of a message's content, for one recipient.

    `level` is what was found, `unknown` why it may be more: with any entry there the strictest branch counts (law 3).
    None: not asked for, or not known (then `unknown` says why)."""

    v: int = VERSION
    level: Level | None = None
    #: so many identifiers that a second person must look
    bulk: bool = False
    findings: Findings | None = None
    files: tuple[FileFacts, ...] | None = None
    unknown: tuple[str, ...] = ()
    virus: Verdict = Verdict()

    @property
    def traits(self) -> frozenset[Trait]:
        """Of all its files."""
        return frozenset(trait for file in self.files or () for trait in file.traits)
