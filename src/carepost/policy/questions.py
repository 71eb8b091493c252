"""What rules ask of a message beyond who writes to whom: each question is one bit, answered yes, no, or not known.

Questions are grouped so that answering hundreds of them for a message costs microseconds.
"""

import bisect
from collections.abc import Iterable
from typing import Final, NamedTuple

from carepost.policy import folding, hours
from carepost.policy.content import NOTHING_IN_IT, Attachment, ContentFacts, Level, holds, says
from carepost.policy.ternary import Ternary
from carepost.policy.types import Assurance, Facts, Kind, Rule

#: answers about contents that are kept
_KEPT: Final = 256


class Marks(NamedTuple):
    """Bits of the questions this message answers with yes, and of those that cannot be answered."""

    yes: int = 0
    unknown: int = 0


NO_MARKS: Final = Marks()

#: ("header", name, text, letter by letter) | ("size", octets) | ("hours", text) | ("levels", {Level})
#: | ("attachments", {Attachment})
Question = tuple[object, ...]


def of(rule: Rule) -> list[Question]:
    """What must be known of the message before this rule is known to match."""
    asked: list[Question] = []
    if rule.header:
        exact = lowers(rule)
        text = rule.contains.lower() if exact else folding.wanted(rule.contains)
        asked.append(("header", rule.header.lower(), text, exact))
    if rule.size_over:
        asked.append(("size", rule.size_over))
    if rule.hours:
        asked.append(("hours", rule.hours))
    if rule.levels:
        asked.append(("levels", frozenset(rule.levels)))
    if rule.attachments:
        asked.append(("attachments", frozenset(rule.attachments)))
    return asked


def lowers(rule: Rule) -> bool:
    """Whether a match can make anything weaker: then the text must stand there letter by letter, else as people read
    it (`folding`)."""
    below = rule.floor is not None and rule.floor < Assurance.VERIFIED
    return rule.portal_by_mail or (below and bool(rule.attestation))


class Questions:
    """All questions of one organisation's rules."""

    def __init__(self) -> None:
        self._bits: dict[Question, int] = {}
        #: field -> (text in lower case or folded, letter by letter, bit); and all bits of a field
        self.headers: dict[str, list[tuple[str, bool, int]]] = {}
        self._all_headers = 0
        self._sizes: list[int] = []
        #: for each of `_sizes` the bits of it and of all smaller ones
        self._over: list[int] = []
        self.hours: list[tuple[str, int]] = []
        self._levels: list[tuple[frozenset[Level], int]] = []
        self._attachments: list[tuple[frozenset[Attachment], int]] = []
        #: bits of questions about the content
        self.content = 0
        self._answered: dict[ContentFacts, Marks] = {}

    @property
    def sized(self) -> bool:
        return bool(self._sizes)

    def bits(self, rule: Rule) -> int:
        """Bits that must all be set before the rule matches."""
        found = 0
        for question in of(rule):
            bit = self._bits.get(question)
            if bit is None:
                bit = self._bits[question] = 1 << len(self._bits)
                self._add(question, bit)
            found |= bit
        return found

    def _add(self, question: Question, bit: int) -> None:
        match question:
            case ("header", str(name), str(text), bool(exact)):
                self.headers.setdefault(name, []).append((text, exact, bit))
                self._all_headers |= bit
            case ("size", int(octets)):
                at = bisect.bisect_left(self._sizes, octets)
                self._sizes.insert(at, octets)
                self._over.insert(at, self._over[at - 1] if at else 0)
                for later in range(at, len(self._over)):
                    self._over[later] |= bit
            case ("hours", str(text)):
                self.hours.append((text, bit))
            case ("levels", frozenset() as levels):
                self._levels.append((levels, bit))
                self.content |= bit
            case ("attachments", frozenset() as attachments):
                self._attachments.append((attachments, bit))
                self.content |= bit

    def marks(self, facts: Facts) -> Marks:
        """The answers of these facts."""
        if not self._bits:
            return NO_MARKS
        yes, unknown = self.of_message(facts.headers, facts.size)
        for text, bit in self.hours:
            inside = _in_hours(text, facts.at)
            if inside is None:
                unknown |= bit
            elif inside:
                yes |= bit
        if self.content:
            said = self._of_content(facts.content if facts.kind is Kind.MESSAGE else NOTHING_IN_IT)
            yes, unknown = yes | said.yes, unknown | said.unknown
        return Marks(yes, unknown)

    def of_message(self, headers: tuple[tuple[str, str], ...] | None, size: int | None) -> Marks:
        """The answers that are the same for all recipients of a message, whenever it is asked."""
        yes = unknown = 0
        if self.headers:
            if headers is None:
                unknown = self._all_headers
            else:
                yes, unknown = self._of_headers(headers)
        if self._sizes:
            if size is None:
                unknown |= self._over[-1]
            else:
                at = bisect.bisect_left(self._sizes, size)
                yes |= self._over[at - 1] if at else 0
        return Marks(yes, unknown)

    def _of_headers(self, given: tuple[tuple[str, str], ...]) -> Marks:
        values = dict(given)
        yes = unknown = 0
        for name, asked in self.headers.items():
            value = values.get(name)
            if value is None:
                for _, _, bit in asked:
                    unknown |= bit
            elif value:
                written, read = value.lower(), folding.fold(value)
                for text, exact, bit in asked:
                    if text in (written if exact else read):
                        yes |= bit
        return Marks(yes, unknown)

    def _of_content(self, content: ContentFacts) -> Marks:
        found = self._answered.get(content)
        if found is None:
            yes = unknown = 0
            for levels, bit in self._levels:
                answer = says(levels, content)
                if answer is Ternary.YES:
                    yes |= bit
                elif answer is Ternary.UNKNOWN:
                    unknown |= bit
            for attachments, bit in self._attachments:
                answer = _any(holds(one, content) for one in attachments)
                if answer is Ternary.YES:
                    yes |= bit
                elif answer is Ternary.UNKNOWN:
                    unknown |= bit
            if len(self._answered) >= _KEPT:
                self._answered.clear()
            found = self._answered[content] = Marks(yes, unknown)
        return found


def _in_hours(text: str, at: int) -> bool | None:
    if not at:
        return None
    try:
        return hours.parse(text).hold(at)
    except (ValueError, OverflowError):
        # hours written by another version, or a moment no calendar has
        return None


def _any(answers: Iterable[Ternary]) -> Ternary:
    found = Ternary.NO
    for answer in answers:
        if answer is Ternary.YES:
            return answer
        if answer is Ternary.UNKNOWN:
            found = answer
    return found
