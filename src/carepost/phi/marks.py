"""What the detector finds while it reads: marks in one text, and the keywords that stand around a place.

Marks hold places and, to count different identifiers, a digest that lives as long as the reading; `Finding` is what
leaves.
"""

import bisect
import re
from collections.abc import Iterable, Iterator

import msgspec

from carepost.phi.fold import Look
from carepost.phi.lists import Weight
from carepost.phi.types import Score, Strength
from carepost.phi.vocabulary import Entry, Hit

#: how far a keyword may stand from what it supports (phi-dlp 2.1, as Purview)
WINDOW = 300
CARE = Weight.CARE.value
#: kinds of keywords that only speak to who asks for them: who gives care, and things that are numbered
QUIET = frozenset(("provider", "other:thing"))
#: labels in the middle of a name of a program's: "subscriberSsn", "renderingnpi"
_GLUED = re.compile(r"(?:Ssn|SSN|ssn|Npi|NPI|npi|Mbi|MBI|mbi|Hicn|Dea|DEA|Icd|ICD|Dx|DX)(?:10)?(?![a-z])")
_INSIDE = (
    "Ssn",
    "SSN",
    "ssn",
    "Npi",
    "NPI",
    "npi",
    "Mbi",
    "MBI",
    "mbi",
    "Hicn",
    "Dea",
    "DEA",
    "Icd",
    "ICD",
    "Dx",
    "DX",
)
#: what makes it worth to look for abbreviations with points
_BEFORE_POINT = ("social", "secur", "s.s", "s. s", "soc.", "soc ", "d.o", "d. o", "m.r", "m. r")
#: abbreviations with points and spaces between their letters
_POINTS = re.compile(
    # What can begin one stands first, so that the search passes over everything else
    r"[dms](?:(?:(?<=s)\. ?s\. ?n(?!\w)|(?<=s)\.s\.(?= ?(?:[#:]|no\b|num|nbr))|(?<=s)oc\. ?sec(?:urity)?(?![a-z])"
    r"|(?<=d)\. ?o\. ?b(?!\w)|(?<=m)\. ?r\. ?n(?!\w))\.?"
    # "her social instead", "the social as ID": no noun goes on; "socail securty"
    r"|(?:(?<=[mb]y s)|(?<=[eu]r s)|(?<=the s)|(?<=his s)|(?<='s s)|(?<=es s))ocial"
    r"(?=\W*$| *[^\w\s]|\n| (?:for|as|is|was|instead|in|on|to|please|that|it|and|again|here|below|so|if|\d))"
    r"|(?<=s)(?<![a-z]s)[ocia]{3,5}l ?s[ec][a-z]{3,7}y(?![a-z]))"
)
_WORDY = re.compile(r"\w")
_POINTED = {
    "s": Entry("key:ssn", "SSN", Weight.NONE),
    "d": Entry("key:dob", "DOB", Weight.NONE),
    "m": Entry("key:mrn", "MRN", Weight.NONE),
}
_IN_NAME = {
    "ssn": _POINTED["s"], "npi": Entry("key:npi", "NPI", Weight.NONE), "mbi": Entry("key:mbi", "Medicare", Weight.NONE),
    "hic": Entry("key:mbi", "Medicare", Weight.NONE), "dea": Entry("key:dea", "DEA", Weight.NONE),
    "icd": Entry("key:icd", "diagnosis", Weight.NONE), "dx": Entry("key:icd", "diagnosis", Weight.NONE),
}  # fmt: skip


class Mark(msgspec.Struct, frozen=True, gc=False):
    """One thing found, from `start` to `end` in the folded text."""

    start: int
    end: int
    score: Score
    kind: str
    strength: Strength = Strength.WEAK
    #: the label of the keyword that supported it
    near: str = ""
    #: an ICD-10-CM code
    term: str = ""
    #: what it adds to its score where it is weak
    weight: float = 1.0
    #: tells different values apart within one reading; no part of any finding
    value: int = 0


def digits_of(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def strong(start: int, end: int, kind: str, near: str = "", value: str = "") -> Mark:
    """A strong identifier."""
    return Mark(start, end, Score.IDENTIFIER, kind, Strength.STRONG, near, value=hash((kind, value.upper())))


def weak(start: int, end: int, kind: str, weight: float, near: str = "") -> Mark:
    """A weak identifier."""
    return Mark(start, end, Score.IDENTIFIER, kind, Strength.WEAK, near, weight=weight)


def _pointed(look: Look) -> Iterable[re.Match[str]]:
    if not any(sign in look.low for sign in _BEFORE_POINT):
        return ()
    return (f for f in _POINTS.finditer(look.low) if not _WORDY.match(look.low, f.start() - 1) or not f.start())


def _letter(text: str, place: int) -> bool:
    """Whether a letter stands right before a place."""
    return place > 0 and text[place - 1].isalpha()


class Keys:
    """The keywords of one text, for quick questions about what stands before or around a place."""

    def __init__(self, hits: Iterable[Hit], look: Look) -> None:
        hits = list(hits)
        named = [hit for hit in hits if hit.entry.kind.startswith("key:")]
        #: where words of care begin
        self.care = sorted(h.start for h in hits if h.entry.kind[:4] != "key:" and h.entry.weight.value >= CARE)
        named.extend(Hit(*found.span(), _POINTED[found[0][0]]) for found in _pointed(look))
        if any(sign in look.text for sign in _INSIDE):
            named.extend(
                Hit(*f.span(), _IN_NAME[f[0][:3].lower()])
                for f in _GLUED.finditer(look.text)
                if _letter(look.text, f.start())
            )
        self.all = sorted(named, key=lambda hit: (hit.start, hit.end))
        self._ends = sorted((hit.end, hit.start, hit.entry.kind[4:], hit.entry.term) for hit in self.all)
        self._places: dict[str, list[tuple[int, str]]] = {}
        for hit in self.all:
            self._places.setdefault(hit.entry.kind[4:], []).append((hit.start, hit.entry.term))
        #: of the name of a file: short, and without labels
        self.in_name = False
        #: kinds that the subject names
        self.topic: frozenset[str] = frozenset()
        #: where numbers of people stand, and of who cares for them
        self.people: list[int] = []
        #: rows under a header: where, and what the header names
        self.rows: list[tuple[int, int, frozenset[str]]] = []
        #: cells under one name of a header: where, the kind and the label of that name
        self.cells: list[tuple[int, int, str, str]] = []

    def of(self, kind: str) -> list[Hit]:
        return [hit for hit in self.all if hit.entry.kind[4:] == kind]

    def label(self, place: int, within: int, ignoring: frozenset[str] = QUIET) -> tuple[str, str] | None:
        """The kind and label of the nearest keyword that ends before `place`: what a number there is called.

        Of keywords that end together the longest speaks ("medical record number", not "number")."""
        index = bisect.bisect_right(self._ends, (place, place))
        best: tuple[int, int, str, str] | None = None
        while index > 0:
            index -= 1
            end, start, kind, term = self._ends[index]
            if end < place - within or (best and end < best[0]):
                break
            if kind not in ignoring and (best is None or start < best[1]):
                best = (end, start, kind, term)
        return (best[2], best[3]) if best else None

    def headed(self, place: int) -> tuple[str, str] | None:
        """The kind and label of the column a place stands in, None where it stands in none that is known."""
        index = bisect.bisect_right(self.cells, (place, 1 << 60)) - 1
        if index >= 0 and self.cells[index][0] <= place < self.cells[index][1]:
            return self.cells[index][2:]
        return None

    def under(self, place: int) -> tuple[int, frozenset[str]]:
        """Where the row of a table that `place` stands in begins, and what its header names; nothing where it is in
        none."""
        index = bisect.bisect_right(self.rows, (place, 1 << 60)) - 1
        if index >= 0 and self.rows[index][0] <= place < self.rows[index][1]:
            return self.rows[index][0], self.rows[index][2]
        return place, frozenset()

    def around(self, kind: str, start: int, end: int, within: int) -> Iterator[Hit]:
        """The keywords of this kind around a place, in their order."""
        index = bisect.bisect_left(self.all, (start - within, 0), key=lambda hit: (hit.start, hit.end))
        while index < len(self.all) and self.all[index].start <= end + within:
            if self.all[index].entry.kind[4:] == kind:
                yield self.all[index]
            index += 1

    def before(self, kind: str, place: int, within: int) -> tuple[int, int] | None:
        """Where the nearest keyword of this kind that ends before `place` stands, None where there is none."""
        index = bisect.bisect_right(self._ends, (place, place))
        while index > 0:
            index -= 1
            end, start, found, _ = self._ends[index]
            if end < place - within:
                return None
            if found == kind:
                return start, end
        return None

    def after(self, kind: str, place: int, within: int) -> str:
        """The label of a keyword of this kind that begins right after `place`, "" where there is none."""
        places = self._places.get(kind, ())
        index = bisect.bisect_left(places, (place, ""))
        return places[index][1] if index < len(places) and places[index][0] <= place + within else ""

    def cared(self, begin: int, stop: int) -> bool:
        """Whether a word of care stands between two places."""
        index = bisect.bisect_left(self.care, begin)
        return index < len(self.care) and self.care[index] < stop

    def near(self, kind: str, start: int, end: int, within: int = WINDOW) -> str:
        """The label of a keyword of this kind around a place, "" where there is none."""
        places = self._places.get(kind)
        if not places:
            return ""
        index = bisect.bisect_left(places, (start - within, ""))
        if index < len(places) and places[index][0] <= end + within:
            return places[index][1]
        return ""
