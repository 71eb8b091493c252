"""From marks to a level: three scores, and the table that joins them (tests/tables/phi.md).

A strong identifier with any health is high. A weak identifier, strong health and a statement about the person is high;
with two different weak words of health it is likely. Statements, and what they speak of, stand near each other: a long
thread that names a person here and an illness there says nothing. What is spread over files of one message weighs 0.8.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from carepost.phi.marks import Mark
from carepost.phi.person import Statement
from carepost.phi.types import Genre, Level, Score, Strength

_Key = TypeVar("_Key", int, str)
#: different strong identifiers in one message that a second person must look at (phi-dlp 4)
BULK = 10
#: what weak words of health must add up to: two different ones, one of them clinical, or one in a firm statement
LIKELY = 1.5
#: the least health that makes a strong identifier PHI: one word of care
ANY = 0.6
#: and for a number that only health care gives: one word that may be of care
LEAST = 0.3
_ENROLLED = frozenset(("mrn", "mbi", "member-id"))
#: so many words that mean something else as often, in a firm statement
PLAIN = 3
#: so short, in characters, that what it says of health it says of the person it speaks to or names
BRIEF, NOTE = 900, 300
#: what words of health then add up to, one of them clinical: spoken to, or under a name
SPOKEN, NAMED = 1.3, 2.0
_REACHED = frozenset(("phone", "address", "age", "account"))
#: clinical words that make a record of what stands under a name
RECORD = 4.0
#: what a firm statement about a person's care adds to the health it speaks of
FIRM = 0.5
ACROSS = 0.8
#: a name, or an address with a phone
KNOWN = 0.8
#: a greeting by name
GREETED = 0.5
#: "near": within one or two of these, in characters
BLOCK = 350
#: names this early in a text name whom all of it is about
HEADER = 400


class Text(msgspec.Struct):
    """One text as read: its marks and statements, and how long it is."""

    marks: list[Mark]
    said: list[Statement]
    length: int


class Near(msgspec.Struct):
    """What stands together in one stretch of text."""

    weak: dict[str, float] = msgspec.field(default_factory=dict)
    health: bool = False
    words: dict[int, float] = msgspec.field(default_factory=dict)
    to: bool = False
    of: bool = False
    firm: bool = False

    def likely(self) -> bool:
        return _likely(self.words, self.firm)


class Scores(msgspec.Struct):
    """What one text, or all that belongs together, adds up to."""

    strong: set[int] = msgspec.field(default_factory=set)
    #: one of them is a number that only health care gives
    enrolled: bool = False
    #: kind -> weight of weak identifiers
    weak: dict[str, float] = msgspec.field(default_factory=dict)
    health: set[int] = msgspec.field(default_factory=set)
    #: term -> weight of weak words of health
    words: dict[int, float] = msgspec.field(default_factory=dict)
    #: the levels that statements to the reader, and of a named person, reach
    to: Level = Level.NONE
    of: Level = Level.NONE

    @property
    def weight(self) -> float:
        return sum(self.words.values())

    @property
    def identity(self) -> float:
        return sum(self.weak.values())


def scores(texts: Iterable[Text], genre: Genre | None) -> Scores:
    """The scores of texts that belong together, read one after the other as a person reads them."""
    total = Scores()
    blocks: dict[int, Near] = {}
    offset = 0
    said: list[tuple[int, Statement]] = []
    texts = list(texts)
    length = sum(text.length for text in texts)
    brief = 0 if genre or length > BRIEF else length + 1
    for text in texts:
        _add(total, blocks, text, offset)
        said.extend((offset + statement.start, statement) for statement in text.said)
        offset += text.length + 1
    for place, statement in said:
        if _speaks(statement, genre, total.identity):
            for near in _near(blocks, place):
                near.to |= statement.to
                near.of |= not statement.to
                near.firm |= statement.firm
    _decide(total, blocks, genre, brief)
    return total


def _add(total: Scores, blocks: dict[int, Near], text: Text, offset: int) -> None:
    """The marks of one text. Words inside longer phrases count once."""
    end = -1
    for mark in sorted(text.marks, key=lambda m: (m.start, -m.end)):
        if mark.score is Score.IDENTIFIER and mark.strength is Strength.STRONG:
            total.strong.add(mark.value)
            total.enrolled |= mark.kind in _ENROLLED
        elif mark.score is Score.IDENTIFIER:
            _raise(total.weak, mark.kind, mark.weight)
            for near in _near(blocks, mark.start + offset):
                _raise(near.weak, mark.kind, mark.weight)
        elif mark.score is Score.PERSON:
            for near in _near(blocks, mark.start + offset):
                near.of = near.firm = True
        elif mark.strength is Strength.STRONG:
            total.health.add(mark.value)
            for near in _near(blocks, mark.start + offset):
                near.health = True
        elif mark.end > end:
            end = mark.end
            _raise(total.words, mark.value, mark.weight)
            for near in _near(blocks, mark.start + offset):
                _raise(near.words, mark.value, mark.weight)


def _raise(weights: dict[_Key, float], key: _Key, weight: float) -> None:
    if weight > weights.get(key, -1.0):
        weights[key] = weight


def _near(blocks: dict[int, Near], place: int) -> tuple[Near, Near]:
    """The two overlapping stretches a place belongs to."""
    number = place // BLOCK
    first, second = blocks.get(number), blocks.get(number - 1)
    if first is None:
        first = blocks[number] = Near()
    if second is None:
        second = blocks[number - 1] = Near()
    return first, second


def _speaks(statement: Statement, genre: Genre | None, identity: float) -> bool:
    """Whether a statement to the reader counts. A newsletter that greets by name may tell of a visit."""
    if genre is None or (genre is Genre.FORM and not statement.to):
        return True
    return statement.to and statement.firm and genre is Genre.NEWSLETTER and identity >= GREETED


def _decide(total: Scores, blocks: dict[int, Near], genre: Genre | None, brief: int) -> None:
    head: dict[str, float] = {}
    for number in range(-1, HEADER // BLOCK):
        for kind, weight in (blocks[number].weak if number in blocks else {}).items():
            _raise(head, kind, weight)
    for near in blocks.values():
        plainly = near.likely() or _spoken(near.words, brief)
        reached = Level.PHI_HIGH if near.health else Level.PHI_LIKELY if plainly else Level.NONE
        if near.to:
            total.to = max(total.to, reached)
        known = {**head, **{kind: max(weight, head.get(kind, 0.0)) for kind, weight in near.weak.items()}}
        if near.of and sum(known.values()) >= KNOWN:
            total.of = max(total.of, reached)
        elif (
            genre is None
            and known.get("name", 0.0) >= KNOWN
            and (near.health or _clinical(near.words) >= _wanted(known, brief))
        ):
            # A name above values, doses or several illnesses is a record, whether or not a sentence says so
            total.of = max(total.of, Level.PHI_HIGH if near.health else Level.PHI_LIKELY)


def across(parts: Sequence[Scores]) -> Scores:
    """Scores over the files of one message: weak ones weigh 0.8."""
    total = Scores()
    for part in parts:
        total.strong |= part.strong
        total.enrolled |= part.enrolled
        total.health |= part.health
        for kind, weight in part.weak.items():
            _raise(total.weak, kind, weight * ACROSS)
        for term, word in part.words.items():
            _raise(total.words, term, word * ACROSS)
    return total


def level(total: Scores, individual: bool) -> Level:
    """The level of what adds up to `total`, in a copy to an individual or not."""
    if settled(total):
        return Level.PHI_HIGH
    reached = total.of
    if individual or total.identity >= GREETED:
        reached = max(reached, total.to)
    return without(total) if reached is Level.NONE else reached


def settled(total: Scores) -> bool:
    """Whether a strong identifier beside health decides: nothing that weighs words can take that away."""
    return bool(total.strong) and bool(total.health or total.weight >= (LEAST if total.enrolled else ANY))


def without(total: Scores) -> Level:
    """The level of what adds up to `total` where it speaks of nobody's care."""
    if total.strong:
        return Level.PII_ONLY
    return Level.HEALTH_GENERIC if total.health or total.weight >= 1.0 else Level.NONE


def _spoken(words: dict[int, float], brief: int) -> bool:
    """Whether a brief message to a person says enough of health: the shorter it is, the less it takes."""
    wanted = SPOKEN if brief > NOTE else 1.0
    return bool(brief) and _clinical(words) >= 1.0 and sum(words.values()) >= wanted


def _wanted(known: dict[str, float], brief: int) -> float:
    """How much clinical makes a record under a name: less where the person can also be reached, or is of an age."""
    if not brief:
        return RECORD
    return 1.0 if not _REACHED.isdisjoint(known) else NAMED


def _clinical(words: dict[int, float]) -> float:
    return sum(weight for weight in words.values() if weight >= 1.0)


def _likely(words: dict[int, float], firm: bool) -> bool:
    bonus = FIRM if firm else 0.0
    clinical = any(weight >= ANY for weight in words.values()) or (firm and len(words) >= PLAIN)
    return clinical and sum(words.values()) + bonus >= LIKELY and len(words) + firm >= 2
