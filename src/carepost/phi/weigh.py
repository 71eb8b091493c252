"""From marks to a level: three scores, and the table that joins them (docs: tests/tables/phi.md).

A strong identifier with any health is high. A weak identifier, strong health and a statement about the person is high;
with two different weak words of health it is likely. What is spread over several files of one message weighs 0.8.
"""

from collections.abc import Iterable

import msgspec

from carepost.phi.marks import Mark
from carepost.phi.person import Statement
from carepost.phi.types import Genre, Level, Score, Strength

#: different strong identifiers in one message that a second person must look at (phi-dlp 4)
BULK = 10
#: what weak words of health must add up to: two different ones, one of them clinical, or one in a firm statement
LIKELY = 1.5
#: the least health that makes a strong identifier PHI: one word of care
ANY = 0.6
#: what a firm statement about a person's care adds to the health it speaks of
FIRM = 0.5
ACROSS = 0.8
#: a name, or an address with a phone
KNOWN = 1.0
#: a greeting by name
GREETED = 0.5


class Scores(msgspec.Struct):
    """What one text, or all that belongs together, adds up to."""

    strong: set[int] = msgspec.field(default_factory=set)
    #: kind -> weight of weak identifiers
    weak: dict[str, float] = msgspec.field(default_factory=dict)
    health: set[int] = msgspec.field(default_factory=set)
    #: term -> weight of weak words of health
    words: dict[int, float] = msgspec.field(default_factory=dict)
    to_firm: bool = False
    to_soft: bool = False
    them: bool = False

    @property
    def weight(self) -> float:
        return sum(self.words.values())

    @property
    def identity(self) -> float:
        return sum(self.weak.values())


def scores(marks: Iterable[Mark], said: Iterable[Statement], genre: Genre | None) -> Scores:
    """The scores of one text. Words inside longer phrases do not count twice."""
    total = Scores()
    end = -1
    for mark in sorted(marks, key=lambda m: (m.start, -m.end)):
        sure = mark.strength is Strength.STRONG
        if mark.score is Score.IDENTIFIER and sure:
            total.strong.add(mark.value)
        elif mark.score is Score.IDENTIFIER:
            total.weak[mark.kind] = max(total.weak.get(mark.kind, 0.0), mark.weight)
        elif mark.score is Score.HEALTH and sure:
            total.health.add(mark.value)
        elif mark.score is Score.HEALTH and mark.end > end:
            total.words[mark.value] = max(total.words.get(mark.value, 0.0), mark.weight)
            end = mark.end
        elif mark.score is Score.PERSON:
            total.them = True
    for statement in said:
        if statement.to:
            total.to_firm |= statement.firm
            total.to_soft |= not statement.firm
        else:
            total.them = True
    return _without(total, genre)


def _without(total: Scores, genre: Genre | None) -> Scores:
    """What a genre takes away: statements to a reader that is nobody in particular."""
    if genre is not None:
        total.to_soft = False
        # A newsletter that greets by name may still speak of the reader's own appointment
        if genre is not Genre.NEWSLETTER or total.identity < GREETED:
            total.to_firm = False
    return total


def joined(parts: Iterable[Scores], across: bool) -> Scores:
    """Scores of what belongs together; across files of one message, weak ones weigh 0.8."""
    total = Scores()
    factor = ACROSS if across else 1.0
    for part in parts:
        total.strong |= part.strong
        total.health |= part.health
        for kind, weight in part.weak.items():
            total.weak[kind] = max(total.weak.get(kind, 0.0), weight * factor)
        for term, weight in part.words.items():
            total.words[term] = max(total.words.get(term, 0.0), weight * factor)
        total.to_firm |= part.to_firm
        total.to_soft |= part.to_soft
        total.them |= part.them
    return total


def level(total: Scores, individual: bool) -> Level:
    """The level of what adds up to `total`, in a copy to an individual or not."""
    if total.strong and (total.health or total.weight >= ANY):
        return Level.PHI_HIGH
    spoken_to = (total.to_firm or total.to_soft) and (individual or total.identity >= GREETED)
    spoken_of = total.them and total.identity >= KNOWN
    if spoken_to or spoken_of:
        if total.health:
            return Level.PHI_HIGH
        if _likely(total):
            return Level.PHI_LIKELY
    if total.strong:
        return Level.PII_ONLY
    return Level.HEALTH_GENERIC if total.health or total.weight >= 1.0 else Level.NONE


def _likely(total: Scores) -> bool:
    firm = FIRM if total.to_firm or total.them else 0.0
    clinical = any(weight >= ANY * ACROSS for weight in total.words.values())
    return clinical and total.weight + firm >= LIKELY and len(total.words) + bool(firm) >= 2
