"""Whether a text speaks about a person's care: to them ("your results are back"), or of them ("was diagnosed with").

Statements are firm where they tell of something that happened or will on a day, soft where a possessive merely stands
before a health word: a newsletter says "your blood pressure" too, and `genre` takes soft ones away from it.
"""

import bisect
import re
from collections.abc import Iterator, Sequence

import msgspec

from carepost.phi import lists
from carepost.phi.fold import Look
from carepost.phi.marks import Mark
from carepost.phi.types import Strength


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One statement about a person. `to` is true where the reader is spoken to."""

    start: int
    end: int
    to: bool
    firm: bool


_SENTENCE = re.compile(r"[.!?;]\s|\n\n|:\n")
#: a statement farther from health than this says nothing (`weigh.BLOCK`, twice)
NEAR = 700
#: a text read whole: its subject or its neighbour may hold the health it speaks of
_SHORT = 3000
#: and so short that "you" is never far from it
_BRIEF = 900
#: section of the expressions, spoken to the reader, firm, only where health follows
_SECTIONS = (
    ("to", True, True, False),
    ("of", False, True, False),
    ("to, with health", True, True, True),
    ("to, softly", True, False, True),
    ("of, with health", False, True, True),
)
#: how far before a health word "your", "she has" may stand
_REACH, _WORDS = 45, 3
#: how far from "you"
_ASIDE = 90
#: "your CPAP supplies are": what is said of it makes it firm
_TOLD = re.compile(
    r"[^.!?;\n]{0,50}? (?:is|are|was|were|has|have|will|came|comes|should|needs?|shows?|showed|that)(?!\w)"
)
#: words that mean something else as often do not make a statement
_VAGUE = 0.3


def statements(look: Look, health: Sequence[Mark]) -> Iterator[Statement]:
    """Statements about a person within reach of the text's marks of health; `health` in any order."""
    places = sorted(mark.start for mark in health)
    starts = sorted(mark.start for mark in health if mark.weight > _VAGUE or mark.strength is Strength.STRONG)
    illnesses = sorted(mark.start for mark in health if mark.weight >= 1.0 and mark.kind != "event")
    said = lists.expressions("statements")
    short, brief = len(look.low) <= _SHORT, len(look.low) <= _BRIEF
    for begin, end in [(0, len(look.low))] if short else regions(places, NEAR, len(look.low)):
        for section, to, firm, health_follows in _SECTIONS:
            for found in said[section].finditer(look.low, begin, end):
                if not health_follows:
                    yield Statement(*found.span(), to, firm)
                elif place := _followed(look, starts, found.end()):
                    yield Statement(*found.span(), to, firm or bool(_TOLD.match(look.low, place)))
        for found in said["to, around"].finditer(look.low, begin, end):
            if brief or _beside(look, illnesses, found):
                yield Statement(*found.span(), True, False)


def regions(places: Sequence[int], reach: int, length: int) -> Iterator[tuple[int, int]]:
    """Stretches of a text around places in order, joined where they touch."""
    begin = end = -1
    for place in places:
        if place - reach > end:
            if end >= 0:
                yield begin, min(length, end)
            begin = max(0, place - reach)
        end = place + reach
    if end >= 0:
        yield begin, min(length, end)


def _followed(look: Look, starts: Sequence[int], place: int) -> int:
    """Where a word of health comes within a few words, in the same sentence; 0 where none does."""
    index = bisect.bisect_left(starts, place)
    if index == len(starts) or starts[index] - place > _REACH:
        return 0
    between = look.low[place : starts[index]]
    return starts[index] if between.count(" ") <= _WORDS and not _SENTENCE.search(between) else 0


def _beside(look: Look, starts: Sequence[int], found: re.Match[str]) -> bool:
    """Whether a word of health stands in the same sentence as "you"."""
    index = bisect.bisect_left(starts, found.end())
    for near in starts[max(0, index - 1) : index + 1]:
        between = look.low[found.end() : near] if near >= found.end() else look.low[near : found.start()]
        if len(between) <= _ASIDE and not _SENTENCE.search(between):
            return True
    return False
