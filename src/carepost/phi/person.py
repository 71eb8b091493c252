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


class Statement(NamedTuple):
    """One statement about a person. `to` is true where the reader is spoken to."""

    start: int
    end: int
    to: bool
    firm: bool


_SOFT_YOU = re.compile(r"\b(?:your|ur|su|sus) (?!(?:own|health care|healthcare) )")
_SENTENCE = re.compile(r"[.!?;]\s|\n\n")
#: how far before a health word a possessive may stand
_REACH = 40


def statements(look: Look, health: Sequence[Mark]) -> Iterator[Statement]:
    """Every statement about a person in the text; `health` are its marks of health, in any order."""
    starts = sorted(mark.start for mark in health)
    for found in lists.expressions("statements")["to"].finditer(look.low):
        yield Statement(*found.span(), True, True)
    for found in lists.expressions("statements")["of"].finditer(look.low):
        yield Statement(*found.span(), False, True)
    for found in _SOFT_YOU.finditer(look.low):
        index = bisect.bisect_left(starts, found.end())
        if index < len(starts) and starts[index] - found.end() <= _REACH:
            between = look.low[found.end() : starts[index]]
            if between.count(" ") <= 4 and not _SENTENCE.search(between) and "\n" not in between:
                yield Statement(*found.span(), True, False)
