"""Whether a text speaks about a person's care: to them ("your results are back"), or of them ("was diagnosed with").

Statements are firm where they tell of something that happened or will on a day, soft where a possessive merely stands
before a health word: a newsletter says "your blood pressure" too, and `genre` takes soft ones away from it.
"""

import bisect
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from carepost.phi import lists
from carepost.phi.fold import Look
from carepost.phi.marks import Mark
from carepost.phi.types import Strength


class Statement(NamedTuple):
    """One statement about a person. `to` is true where the reader is spoken to."""

    start: int
    end: int
    to: bool
    firm: bool


_SENTENCE = re.compile(r"[.!?;]\s|\n\n|:\n")
#: how far before a health word "your", "she has" may stand
_REACH, _WORDS = 45, 3
#: words that mean something else as often do not make a statement
_VAGUE = 0.3


def statements(look: Look, health: Sequence[Mark]) -> Iterator[Statement]:
    """Every statement about a person in the text; `health` are its marks of health, in any order."""
    starts = sorted(mark.start for mark in health if mark.weight > _VAGUE or mark.strength is Strength.STRONG)
    said = lists.expressions("statements")
    for found in said["to"].finditer(look.low):
        yield Statement(*found.span(), True, True)
    for found in said["of"].finditer(look.low):
        yield Statement(*found.span(), False, True)
    for section, to, firm in (
        ("to, with health", True, True),
        ("to, softly", True, False),
        ("of, with health", False, True),
    ):
        for found in said[section].finditer(look.low):
            if _followed(look, starts, found.end()):
                yield Statement(*found.span(), to, firm)


def _followed(look: Look, starts: Sequence[int], place: int) -> bool:
    """Whether a word of health comes within a few words, in the same sentence."""
    index = bisect.bisect_left(starts, place)
    if index == len(starts) or starts[index] - place > _REACH:
        return False
    between = look.low[place : starts[index]]
    return between.count(" ") <= _WORDS and not _SENTENCE.search(between)
