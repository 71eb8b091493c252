"""What the words right before a number call it, whatever they are: "carton count 512-10-7962", "shade F41.9".

Lists of things have no end (decision 0049); grammar has. A noun that touches a number names it; a verb, a pronoun or a
preposition does not, nor does a person's name.
"""

import enum
import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

from carepost.phi import lists
from carepost.phi.fold import Look
from carepost.phi.keywords import KEYWORDS
from carepost.phi.marks import Keys


class Of(enum.Enum):
    """What stands right before a number."""

    #: nothing, or what stands there names nothing: "it is", "with", a sign, another number
    NOTHING = 0
    #: a word for a person, or what may be a name
    PERSON = 1
    #: a noun, which says what the number is of
    THING = 2


class Head(NamedTuple):
    of: Of
    #: the word, in small letters, and where it begins
    word: str = ""
    start: int = 0


@functools.cache
def words(section: str) -> frozenset[str]:
    """A section of `words/heads.txt`."""
    return frozenset(word for line in lists.read("heads")[section] for word in line.split())


NOTHING = Head(Of.NOTHING)
#: how far before a number its noun may begin
_REACH = 48
#: what stands between a noun and its number
_WORD = re.compile(r"([A-Za-z][A-Za-z'/&-]{0,24})\.?(?:[ \t]?[#:=\"'(\[<>|*_~-]{0,3}[ \t]?|:\n|[=:]\"?)$")
#: characters it takes at most, those after the word, and of them at most before one of ":="
_LONGEST, _TAIL, _MARKS = 33, 7, 3
#: a name of a program's for a value: "created_at=", "batchNo: "
_KEYED = re.compile(r"(?<![\w.-])([A-Za-z]+(?:_[A-Za-z0-9]+|[a-z][A-Z][A-Za-z]*)+)[\"']?[ ]?[:=][ ]?[\"']?$")
#: what such a name holds where it is of an identifier
_GLUED = {
    "card": ("card", "pan", "cc"), "ssn": ("ssn", "social", "taxid"), "npi": ("npi", "provider"), "dea": ("dea",),
    "mbi": ("mbi", "medicare", "hic", "member", "subscriber", "beneficiary", "insured"), "icd": ("icd", "dx", "diag"),
}  # fmt: skip
#: "ticket" after "DEA museum tour, " is no word of what "DEA" says
_TURNS = re.compile(r"[^:,;\n]{2,}[,:;]")
#: what makes a person of a capitalised word
_TITLED = re.compile(r"(?<![a-z])(?:dr|mr|mrs|ms|miss|prof|sra?|dra)\.? $")
#: a number of any kind, one before another, so many of them, and the fewest digits of one
_TOKEN = re.compile(r"[A-Za-z0-9][\w.-]*(?: \d{4}){0,3}")
_BEFORE = re.compile(r"(?<![\w.-])([A-Za-z0-9][\w.-]{2,22}(?: \d{4}){0,3})(?:,? and |,? or | & | to | through |, )$")
#: as it ends
_JOINING = (" and ", ",and ", " or ", ",or ", " & ", " to ", " through ", ", ")
_ROW, _FEW = 6, 3
#: a label and what its number is for
_OF_WHICH = re.compile(r" (?:on|for|of|in|at|from|as|per|with|and)(?![a-z])| ?[&/+]")
#: the end of a sentence or of a line
_END = re.compile(r"[.!?;](?=\s)(?<!no\.)(?<!sec\.)(?<!soc\.)(?<!Dr\.)|\n")
#: these say that a number follows, and leave it to the word before them of what
_NUMBERED = frozenset((
    "no", "nos", "number", "numbers", "num", "nbr", "nr", "id", "ids", "code", "codes", "is", "was", "are", "reads",
    "n", "identification", "identifier", "numero", "num.", "value", "ref", "of",
))  # fmt: skip
#: "mine for the form is 512-44-9087", "it, as you know, was ..."
_SAYS = frozenset(("is", "was", "are", "reads"))
_SUBJECT = re.compile(
    r"(?<![a-z])(?:mine|hers|his|ours|theirs|yours|it|that|this|one|whole|all)(?![a-z])[^.;:\n]{0,30}$"
)
LINKS = words("links")
_PEOPLE = words("people")
#: a number that begins its paragraph, or nearly
_ABOVE = 6
_LETTER = re.compile(r"[A-Za-z]")
#: a label so short ("SS") names only what it touches
_TWO = 2
#: so short a word in capitals may be anything
_SHORT = 4
_OBJECTS = words("objects")
#: so long a word that ends in "ed" is a verb: "typed 512-44-9087"
_VERB = 5


@functools.cache
def things() -> frozenset[str]:
    """The single words of our lists that are things."""
    words = (word for kind, _, words in KEYWORDS if kind in ("other:thing", "other:order") for word in words)
    return frozenset(word for word in words if word.isalpha() and len(word) > 2) | _OBJECTS


@functools.cache
def _surnames() -> frozenset[str]:
    """Common family names that are words too."""
    return frozenset(word for line in lists.read("names")["surnames"] for word in line.split())


def head(look: Look, start: int) -> Head:
    """What the words right before the number at `start` call it."""
    start = _series(look, start)
    floor = max(0, start - _REACH)
    end = look.text[max(floor, start - _MARKS) : start]
    if (":" in end or "=" in end) and (keyed := _KEYED.search(look.text, floor, start)):
        return Head(Of.THING, keyed[1].lower(), keyed.start(1))
    place, numbered = start, False
    while found := _WORD.search(look.text, _near(look.text, floor, place), place):
        word = found[1].lower().strip("'-/&")
        begin = found.start(1)
        if (found[0].endswith(". ") and len(word) > _SHORT) or (word in _SAYS and found[1].istitle()):
            # Another sentence began
            return NOTHING
        if (begin and look.text[begin - 1].isdigit()) or (word in _SAYS and _SUBJECT.search(look.low, floor, begin)):
            return NOTHING
        if word not in _NUMBERED:
            told = _of(look, found[1], word, begin, floor)
            # "employee number" is no employee
            return Head(Of.THING, word, begin) if numbered and word in _PEOPLE else told
        numbered = numbered or word not in _SAYS
        place = begin
    return NOTHING


def _near(text: str, floor: int, place: int) -> int:
    """Where the word before `place` can begin at the earliest: white space parts it only from what follows it."""
    last = max(floor, place - _TAIL)
    floor = max(floor, place - _LONGEST)
    return max(floor, text.rfind(" ", floor, last) + 1, text.rfind("\n", floor, last) + 1)


def _series(look: Look, start: int) -> int:
    """Where the first of a row of numbers alike begins: "lots 4N87A39XW54 and ..."."""
    mine = _TOKEN.match(look.text, start)
    for _ in range(_ROW):
        if not mine or not look.text.endswith(_JOINING, max(0, start - _REACH), start):
            break
        before = _BEFORE.search(look.text, max(0, start - _REACH), start)
        if not before or _digits(mine[0]) != _digits(before[1]) or _digits(before[1]) < _FEW:
            break
        start = before.start(1)
    return start


def _digits(token: str) -> int:
    return sum(map(str.isdigit, token))


def noun(look: Look, keys: Keys, start: int, mine: Iterable[str]) -> Head | None:
    """The noun that the number at `start` is of, None where none touches it or it is a keyword of one's own kind."""
    found = head(look, start)
    if found.of is not Of.THING:
        return None
    if keys.in_name and look.text[found.start].isupper() and found.word not in things():
        return None
    if "_" in found.word or look.text[start - 2 : start].strip(" \"'=:") == "":
        words = _GLUED.get(next(iter(mine)), ())
        if any(word in found.word for word in words):
            return None
    for kind in mine:
        if (label := keys.before(kind, start, start - found.start)) and label[1] > found.start:
            return None
    return found


def elsewhere(look: Look, keys: Keys, start: int, kind: str, within: int, noun: Head | None) -> bool:
    """Whether a noun calls the number at `start`, and the label it seems to have is said elsewhere: "Send no SSN. Your
    locker is 512-44-9087". Under a label in the same paragraph a capitalised word may be a name."""
    if noun is None:
        return False
    place = keys.before(kind, start, within)
    if place is None or place[1] - place[0] <= _TWO:
        return True
    if look.text[noun.start].isupper():
        return "\n\n" in look.text[place[1] : noun.start]
    if noun.word in things() and not _OF_WHICH.match(look.low, place[1]):
        return True
    return apart(look, place[1], noun.start) or bool(_TURNS.match(look.low, place[1], noun.start))


def follows(look: Look, keys: Keys, kind: str, end: int, within: int) -> str:
    """The label of a keyword of this kind right after `end`, in its paragraph: "474-67-7040 (SSN)"."""
    near = (hit for hit in keys.around(kind, end, end, within) if hit.start >= end)
    return next((hit.entry.term for hit in near if "\n\n" not in look.text[end : hit.start]), "")


def paragraph(look: Look, start: int, end: int, within: int) -> tuple[int, int]:
    """Where the paragraph around a number begins and ends, so far around it. One of a number alone is of the one
    above."""
    floor = max(0, start - within)
    begin = look.text.rfind("\n\n", floor, start)
    if begin >= 0 and start - begin <= _ABOVE and not _LETTER.search(look.text, begin, start):
        begin = look.text.rfind("\n\n", floor, begin)
    stop = look.text.find("\n\n", end, end + within)
    return begin if begin >= 0 else floor, stop if stop >= 0 else end + within


def apart(look: Look, start: int, end: int) -> bool:
    """Whether what stands at `end` is said in another sentence, or on another line, than what stands at `start`."""
    return bool(_END.search(look.text, start, end))


def _of(look: Look, written: str, word: str, begin: int, floor: int) -> Head:
    if not word or word in LINKS or word.removesuffix("'s") in LINKS or len(word) < 2:
        return NOTHING
    if word in _PEOPLE:
        return Head(Of.PERSON, word, begin)
    if written[0].islower():
        if look.text[begin - 1 : begin] == "\n" and word in lists.given_names():
            # Who speaks, in a chat
            return NOTHING
        if len(word) >= _VERB and word.endswith("ed"):
            return NOTHING
        return Head(Of.THING, word, begin)
    if _TITLED.search(look.low, max(0, begin - 6), begin):
        return Head(Of.PERSON, word, begin)
    if word in lists.given_names() or word in _surnames() or "'" in written:
        return Head(Of.PERSON, word, begin)
    if len(word) > _VERB and word.endswith("ed"):
        return NOTHING
    if look.text[max(0, begin - 2) : begin] in (": ", ", ", "- ") and word not in things():
        return Head(Of.PERSON, word, begin)
    short = (written.isupper() and len(word) <= _SHORT) or (
        begin > 1 and look.text[begin - 1] == "\n" != look.text[begin - 2]
    )
    thing = word in things() or (word in lists.valued("meaning") and not short and not _named(look, begin, floor))
    return Head(Of.THING if thing else Of.PERSON, word, begin)


_FIRST = re.compile(r"(?<![A-Za-z])([A-Z][a-z'-]{1,24}|[A-Z]{2,20})(?:, ?| (?:[A-Z]\.? )?)$")


def _named(look: Look, begin: int, floor: int) -> bool:
    """Whether a capitalised word is the second of a name."""
    before = _FIRST.search(look.text, floor, begin)
    if not before:
        return False
    return before[1].lower() not in things()
