"""Weak evidence, added up: the share of stretches of text like this one that speak of a person's health.

The rules of `weigh` need a word of the vocabulary and a statement; much of what is written to patients has neither.
Here a stretch of about 700 characters is described by some seventy counts (words of each class of
`words/evidence.txt`, marks, statements, genre, length) and by which of those words it holds, and a logistic combination
with the measured weights of `words/weights.txt` says whether it speaks of one person's care. The weights are made by
`bench/phi/train.py` and can be read: each says what its count adds.
"""

import functools
import math
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from carepost.phi import lists, phrases
from carepost.phi.fold import Look
from carepost.phi.marks import Mark
from carepost.phi.person import Statement
from carepost.phi.types import Genre, Score, Strength

#: characters of a block; a stretch is so many of them, and the next begins so many later
BLOCK, WIDE, STEP = 175, 4, 2
#: where health is spoken of, a narrow stretch too, so that what stands around a note does not thin it out
NARROW = 1
#: names this early in a text name whom all of it is about
_HEADER = 400
#: how far a block's end is moved to the end of a word
_EDGE = 40
_MOST = 8
#: so many different words of health make weak health (phi-dlp 4); more of them than this say no more
_TWO, _TERMS = 2, 12
#: what evidence must add up to, by how many different words of health there are; chosen where sets were left out
TO_PERSON = (1.5, 1.0, 0.5, 0.25, 0.25, 0.0)
TO_DESK = (0.0, -0.75)
#: and how much more where somebody only could be named
SURE = 0.75
#: how much less where the rules say the same
AGREED = 0.5
#: so many words of health are looked at apart from what stands around them
THICK = 3
#: fewer words and pairs of words are no sentence
FEW = 7
_ILL, _CARED = "illness", "care"
#: classes of which one stray word says nothing
_AGAINST = frozenset(("crowd", "learning", "selling", "working", "computing", "elsewhere"))
#: classes of words that are said to or of one
SINGLE = frozenset(("directly", "myself", "him or her", "family"))
_HEALTHY = ("illness", "care", "carer", "body")
_OF_HEALTH = frozenset(("illness", "care", "carer", "body"))
_OF_HEALTH_OR_SHORT = _OF_HEALTH | {"shorthand"}
#: where a name would stand: after a sign or a word in small letters, or alone in a line
_PAIR = re.compile(r"(?:(?<=[a-z:>,*-] )|(?<![^\n]))([A-Z][a-z'-]{1,24}) ([A-Z][A-Za-z'-]{1,24})(?![\w'-]| [A-Z])")
_LONE = re.compile(r"(?:(?<=[a-z,;:(-] )|(?<=(?<!\n)[(-]))[A-Z][a-z'-]{2,24}(?![\w'])")
_CALENDAR = frozenset((
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "jan", "feb", "mar",
    "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mon", "tue", "wed", "thu", "fri", "sat", "sun",
))  # fmt: skip
#: whose something is, and what: "your left knee", "her appeal"
_WHOSE = re.compile(r"(?<!\w)(your|ur|su|sus|tu|tus|my|mi|his|her|their|\w{2,20}'s) (\w+)(?: (\w+))?(?: (\w+))?")
_OWNERS = {
    **dict.fromkeys(("your", "ur", "su", "sus", "tu", "tus"), "yours"), "my": "mine", "mi": "mine",
    **dict.fromkeys(("his", "her", "their"), "theirs"),
}  # fmt: skip
#: weak identifiers that tell one person from others, a little
TELLING = frozenset(("name", "greeting", "phone", "address", "account", "age"))
_LINKS = re.compile(r"https?://|www\.")
_MARKS = {
    "name": "name", "greeting": "greeting", "phone": "contact", "address": "contact", "age": "age", "date": "date",
    "account": "account", "e-mail": "e-mail", "npi": "provider", "dea": "provider",
}  # fmt: skip


class Source(msgspec.Struct):
    """One part as read. `head`: a subject or the name of a file, which goes with every stretch."""

    look: Look
    marks: Sequence[Mark]
    said: Sequence[Statement]
    head: bool


class Block(msgspec.Struct):
    """What stands in some characters of text."""

    #: two capitalised words that could be a name
    pair: bool = False
    #: one capitalised word in a sentence that could be a name
    lone: bool = False
    words: set[str] = msgspec.field(default_factory=set)
    #: words of health that the vocabulary knows
    terms: set[str] = msgspec.field(default_factory=set)
    #: words and pairs of words
    phrases: set[str] = msgspec.field(default_factory=set)
    marks: list[Mark] = msgspec.field(default_factory=list)
    said: list[Statement] = msgspec.field(default_factory=list)
    #: whose, what sort of thing, its name
    whose: set[tuple[str, str, str]] = msgspec.field(default_factory=set)
    length: int = 0
    links: int = 0
    #: a few words of a longer text
    narrow: bool = False
    #: what its phrases add, once it is known
    said_by_phrases: float | None = None


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(lists.classes())


def health_words(look: Look) -> bool:
    """Whether a text holds two words of illness or care: enough to look who it speaks of."""
    classes = lists.classes()
    hits = _known().intersection(look.flat.split())
    return sum(_ILL in classes[word] or _CARED in classes[word] for word in hits) >= 2


def stretches(sources: Iterable[Source]) -> Iterator[Block]:
    """The stretches of texts that belong together, each with the subject and with whom the text begins with."""
    head, blocks, begins = Block(), list[Block](), list[Mark]()
    for source in sources:
        if source.head:
            _gather(head, source, 0, len(source.look.flat))
            head.marks.extend(source.marks)
            head.said.extend(source.said)
            continue
        begins.extend(m for m in source.marks if m.start < _HEADER and m.score is Score.IDENTIFIER)
        blocks.extend(_blocks(source))
    if not blocks:
        yield head
        return
    head.marks.extend(begins)
    for first in range(0, max(1, len(blocks) - WIDE + STEP), STEP):
        yield _join([head, *blocks[first : first + WIDE]])
    if len(blocks) > WIDE:
        for first in range(len(blocks) - NARROW + 1):
            if sum(_of_health(block) for block in blocks[first : first + NARROW]) >= THICK:
                stretch = _join([head, *blocks[first : first + NARROW]])
                stretch.narrow = True
                yield stretch


def _blocks(source: Source) -> list[Block]:
    flat = source.look.flat
    count = len(flat) // BLOCK + 1
    found = [Block() for _ in range(count)]
    begin = 0
    for number, block in enumerate(found):
        end = (number + 1) * BLOCK
        edge = flat.find(" ", end, end + _EDGE) if end < len(flat) else len(flat)
        end = end if edge < 0 else edge
        _gather(block, source, begin, end)
        begin = end
    for mark in source.marks:
        block = found[min(mark.start // BLOCK, count - 1)]
        block.marks.append(mark)
        if mark.score is Score.HEALTH:
            block.terms.update(flat[mark.start : mark.end].split())
    for statement in source.said:
        found[min(statement.start // BLOCK, count - 1)].said.append(statement)
    return found


def _gather(block: Block, source: Source, begin: int, end: int) -> None:
    flat = source.look.flat[begin:end]
    block.words.update(_known().intersection(flat.split()))
    block.phrases.update(phrases.phrases(phrases.tokens(flat)))
    block.length += end - begin
    block.pair = block.pair or _paired(source.look, begin, end)
    block.lone = block.lone or _lone(source.look, begin, end)
    block.whose.update(_owned(found) for found in _WHOSE.finditer(source.look.low, begin, end))
    block.links += sum(1 for _ in _LINKS.finditer(source.look.low, begin, end))


def _paired(look: Look, begin: int, end: int) -> bool:
    no_name = lists.not_surnames()
    return any(
        found[1].lower() not in no_name and found[2].lower() not in no_name
        for found in _PAIR.finditer(look.text, begin, end)
    )


def _lone(look: Look, begin: int, end: int) -> bool:
    no_name, classes = lists.not_surnames(), lists.classes()
    return any(
        (word := found[0].lower()) not in no_name and word not in classes and word not in _CALENDAR
        for found in _LONE.finditer(look.text, begin, end)
    )


def _owned(found: re.Match[str]) -> tuple[str, str, str]:
    """Whose a thing is, whether it is of health, of a visit or of neither, and its name."""
    classes = lists.classes()
    sorts = {name for word in found.groups()[1:] if word for name in classes.get(word, ())}
    sort = "health" if sorts & _OF_HEALTH else "visit" if "visit" in sorts else "else"
    return _OWNERS.get(found[1], "theirs"), sort, found[2]


def _join(blocks: Sequence[Block]) -> Block:
    joined = Block()
    for block in blocks:
        joined.whose |= block.whose
        joined.pair |= block.pair
        joined.lone |= block.lone
        joined.terms |= block.terms
        joined.words |= block.words
        joined.phrases |= block.phrases
        joined.marks += block.marks
        joined.said += block.said
        joined.length += block.length
        joined.links += block.links
    return joined


def _of_health(block: Block) -> int:
    """How many words of health stand in a stretch."""
    classes = lists.classes()
    return sum(not _OF_HEALTH.isdisjoint(classes[word]) for word in block.words)


def speaks_of_health(block: Block) -> bool:
    """Whether any word of health at all stands in a stretch: without one no letter is about health."""
    classes = lists.classes()
    return any(
        mark.score is Score.HEALTH and (mark.weight >= 1.0 or mark.strength is Strength.STRONG) for mark in block.marks
    ) or any(not _OF_HEALTH_OR_SHORT.isdisjoint(classes[word]) for word in block.words)


def counts(block: Block, genre: Genre | None, individual: bool) -> dict[str, float]:
    """A stretch in numbers, by the names of `words/weights.txt`; `individual` as for `weigh.level`."""
    classes = lists.classes()
    by_class: dict[str, int] = {}
    for word in block.words:
        for name in classes[word]:
            by_class[name] = by_class.get(name, 0) + 1
    found = {f"words of {name}": math.log1p(min(n, _MOST) - (name in _AGAINST)) for name, n in by_class.items()}
    found.pop("words of said", None)
    if not speaks_of_health(block):
        found["no word of health"] = 1.0
    if _of_a_crowd(block):
        found["of a crowd"] = 1.0
    if not _somebody(block):
        found["nobody told" if individual else "nobody named"] = 1.0
    health_words = sum(by_class.get(name, 0) for name in _HEALTHY)
    found["thick with health"] = min(1.0, 12 * health_words / (block.length + 60))
    found.update(_marked(block.marks))
    found.update(_literal(block, by_class, individual))
    owned: dict[str, int] = {}
    for whose, sort, _ in block.whose:
        owned[f"{whose}, of {sort}"] = owned.get(f"{whose}, of {sort}", 0) + 1
    found.update((name, math.log1p(min(n, _MOST))) for name, n in owned.items())
    for statement in block.said:
        name = f"statement {'to' if statement.to else 'of'}, {'firm' if statement.firm else 'soft'}"
        found[name] = min(3.0, found.get(name, 0.0) + 1)
    if genre:
        found[f"genre {genre.value}"] = 1.0
    if block.narrow:
        found["narrow"] = 1.0
    found["links"] = math.log1p(min(block.links, _MOST))
    found["length"] = min(block.length, BLOCK * WIDE) / (BLOCK * WIDE)
    found["always"] = 1.0
    _pairs(found, individual)
    return {name: value for name, value in found.items() if value}


def _marked(marks: Iterable[Mark]) -> dict[str, float]:
    found: dict[str, float] = {}
    clinical, care, strong = set[int](), dict[int, float](), set[int]()
    for mark in marks:
        if mark.score is Score.HEALTH:
            if mark.strength is Strength.STRONG:
                strong.add(mark.value)
            elif mark.weight >= 1.0:
                clinical.add(mark.value)
            else:
                care[mark.value] = mark.weight
        elif mark.score is Score.PERSON:
            found["recorded"] = 1.0
        elif mark.strength is Strength.STRONG:
            found["strong identifier"] = 1.0
        elif name := _MARKS.get(mark.kind):
            found[name] = 1.0
    found["clinical"] = math.log1p(min(len(clinical), _MOST))
    found["of care"] = math.log1p(min(sum(care.values()), _MOST))
    found["values and doses"] = math.log1p(min(len(strong), _MOST))
    return found


def _literal(block: Block, by_class: dict[str, int], individual: bool) -> dict[str, float]:
    """Whether what phi-dlp 4 asks for stands in a stretch: somebody, two different words of health or one that is
    strong, and words said to or of one person."""
    terms = _terms(block)
    health = len(terms) >= _TWO or any(m.score is Score.HEALTH and m.strength is Strength.STRONG for m in block.marks)
    found = {"terms": math.log1p(min(len(terms), _TERMS))}
    if health:
        known, spoken = _somebody(block), not SINGLE.isdisjoint(by_class)
        found["two terms"] = 1.0
        if individual:
            found["two terms, you" if "directly" in by_class else "two terms, not you"] = 1.0
            found["two terms, greeted"] = float(known)
        elif known:
            found["two terms, named"] = 1.0
            found["two terms, named, told of"] = float(spoken or bool(block.said))
    return found


def _pairs(found: dict[str, float], individual: bool) -> None:
    """What says something only together: who is spoken to with who receives the copy, health with a person."""
    get = found.get
    to = min(1.0, get("statement to, firm", 0.0) + 0.5 * get("statement to, soft", 0.0))
    if individual:
        found["to an individual"] = 1.0
        found["to an individual, you"] = get("words of directly", 0.0)
        found["to an individual, statement"] = to
    else:
        found["named"] = max(get("name", 0.0), get("strong identifier", 0.0))
        found["named, him or her"] = found["named"] * get("words of him or her", 0.0)
        found["named, patient"] = found["named"] * get("words of patient", 0.0)
    health = (
        get("clinical", 0.0) + get("values and doses", 0.0) + get("words of illness", 0.0) + get("words of care", 0.0)
    )  # fmt: skip
    person = max(
        to,
        get("name", 0.0),
        get("greeting", 0.0),
        get("strong identifier", 0.0),
        min(1.0, get("yours, of health", 0.0) + get("yours, of visit", 0.0)),
        min(1.0, get("statement of, firm", 0.0)),
        0.5 * min(2.0, get("words of directly", 0.0)),
    )
    found["health and person"] = min(health, 3.0) * person
    health = min(health + 0.5 * get("words of body", 0.0) + 0.5 * get("words of carer", 0.0), 3.0)
    found["identified, health"] = get("strong identifier", 0.0) * min(health, 2.0)
    found["shorthand, health"] = get("words of shorthand", 0.0) * min(health, 2.0)
    for name in ("directly", "myself", "him or her", "family", "crowd", "learning", "selling", "working"):
        found[f"health, {name}"] = health * min(1.0, get(f"words of {name}", 0.0))


def _somebody(block: Block) -> bool:
    """Whether anything in a stretch tells who it is about."""
    return block.pair or any(
        mark.score is Score.PERSON
        or (mark.score is Score.IDENTIFIER and (mark.strength is Strength.STRONG or mark.kind in TELLING))
        for mark in block.marks
    )


def _of_a_crowd(block: Block) -> bool:
    """Whether a stretch names patients, adults, people, and speaks to and of no single one."""
    spoken = {name for word in block.words for name in lists.classes()[word]}
    return "crowd" in spoken and spoken.isdisjoint(SINGLE) and not _somebody(block)


def _hinted(block: Block) -> bool:
    """Whether anything in a stretch could be a name: a capitalised word, or one that is no common word."""
    return block.lone or any(
        len(word) > 3 and word.isalpha() and word not in block.terms
        for word in phrases.strange(block.phrases) - block.words
    )


def _wanted(block: Block, individual: bool) -> float:
    """What evidence must add up to: less where more words of health stand (phi-dlp 4 asks for two different ones)."""
    table = TO_PERSON if individual else TO_DESK
    return table[min(len(_terms(block)), len(table) - 1)]


def _terms(block: Block) -> set[str]:
    """The different words of health of a stretch."""
    classes = lists.classes()
    return block.terms.union(word for word in block.words if not _OF_HEALTH_OR_SHORT.isdisjoint(classes[word]))


def likely(block: Block, genre: Genre | None, individual: bool, agreed: bool = False) -> bool:
    """Whether a stretch speaks of one person's health, more likely than not. `agreed`: the rules say so too.

    Where the recipient's address says nobody (phi-dlp 4), somebody must be named or known by a number in the text; what
    only could be a name must be surer.
    """
    if len(block.phrases) < FEW or genre is Genre.BULLETIN:  # which tells of nobody (`inspect`)
        return False
    wanted = _wanted(block, individual) - (AGREED if agreed else 0.0)
    if (not individual or genre in (Genre.NOTICE, Genre.FORM)) and not _somebody(block):
        # A notice or a form says "your health" to whoever reads it
        if individual or not _hinted(block):
            return False
        wanted += SURE
    return score(block, genre, individual) > wanted


def score(block: Block, genre: Genre | None, individual: bool) -> float:
    """The logarithm of the odds that a stretch speaks of a person's health."""
    weights = lists.weights()
    found = counts(block, genre, individual)
    if block.said_by_phrases is None:
        block.said_by_phrases = phrases.score(block.phrases)
    return math.fsum(weights.get(name, 0.0) * value for name, value in found.items()) + block.said_by_phrases
