"""What stands around a number that could be an identifier, as facts with names: `verdict` weighs them.

Words near it by how far they stand, labels of ours, the noun that touches it, how it is written, what is around it and
what the rules say of it. Linear: each candidate is looked at within a fixed reach.
"""

import bisect
import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from carepost.phi import heads, lists
from carepost.phi.beside import somebody
from carepost.phi.candidates import Candidate
from carepost.phi.fold import Look
from carepost.phi.marks import Keys

#: how far words are read before and after
_BEFORE, _AFTER, _WIDE = 160, 90, 300
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|[0-9]+|\n|[^\sa-z0-9]")
_WORDS = re.compile(r"[A-Za-z]{2,24}")
#: words before and after by their place: the first, the second, the next two, the next four, the rest
_PLACES = ("1", "2", "3", "3", "4", "4", "4", "4", *("5",) * 12)
_NEAR = ((12, "touching"), (30, "close"), (70, "near"), (160, "far"), (_WIDE + 99, "wide"))
_OF_HEAD = {heads.Of.NOTHING: "head nothing", heads.Of.PERSON: "head person", heads.Of.THING: "head thing"}
#: the kinds whose verdicts ask for words that are used alike; of the others they made none better
_ALIKE = frozenset(("npi", "ssn"))
_STEMS = re.compile(r"(?:'s|s)$")
_SHORT = 4
#: words of titles by their first letters, but what says nothing
_TITLE, _STEM = re.compile(r"[a-z]{4,24}"), 6
_EMPTY = frozenset((
    "unspec", "other", "with", "withou", "initia", "encoun", "right", "left", "type", "due", "site", "part", "speci",
    "diseas", "disord", "person", "histor", "status", "contac", "exposu", "place", "cause", "code", "number", "level",
))  # fmt: skip
#: what calls a number something: "overpayment #", "RQID:"
_CALLED = re.compile(
    r"(?<![a-z'])([a-z][a-z'/-]{0,30})\.?(?:(?: ?(?:#|no\.?|nos\.?|number|num|nbr|id|code)){1,2}[ :#=.(]*|"
    r" ?[:=#][ :=#(]*)$"
)
_REACH = 48
#: how far after a number its label may stand; near words of illness, and of care
_FOLLOWS, _CLOSE, _NEARBY = 14, 30, 90


class Scene(NamedTuple):
    """What is asked of a part once: its look, its labels, where health is spoken of, its marks, and the subject."""

    look: Look
    keys: Keys
    #: start, end, kind of every keyword, in order
    labels: Sequence[tuple[int, int, str]]
    #: where words of illness, and of care, begin
    ills: Sequence[int]
    #: what was found by rules: start, end, kind, in order
    marks: Sequence[tuple[int, int, str]]
    #: the first letters of every long word of the part and of the subject
    stems: frozenset[str]
    #: words of the subject
    topic: frozenset[str]
    #: candidates by kind, and what has their form but not their check digits
    counts: Mapping[str, int]
    failed: Mapping[str, int]


def facts(scene: Scene, one: Candidate, also: Iterable[str]) -> set[str]:
    """The facts about one candidate; `also` are the kinds of other candidates at the same place."""
    found = {"always"}
    found.update(_words(scene, one))
    found.update(_labels(scene, one))
    found.update(_form(scene, one))
    found.update(_marked(scene, one))
    found.update(f"also {kind}" for kind in also)
    found.update(f"s {word}" for word in scene.topic)
    count = scene.counts[one.kind]
    if mocked(scene.look, one):
        found.add("mocked")
    found.add(f"failed {_many(scene.failed[one.kind])}")
    found.add("count 1" if count == 1 else "count few" if count < _SHORT else "count many")
    return found


@functools.cache
def _alike() -> dict[str, int]:
    """Words of `words/alike.txt`, and the number of the set each is in."""
    lines = (line for line in lists.source("alike").splitlines() if not line.startswith("#"))
    return {word: number for number, line in enumerate(lines) for word in line.split()}


@functools.lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A word without its plural; every given name is one word."""
    if word in lists.given_names():
        return "@"
    return _STEMS.sub("", word) if len(word) > _SHORT else word


def _words(scene: Scene, one: Candidate) -> set[str]:
    look, found = scene.look, set[str]()
    begin = max(0, one.start - _BEFORE)
    if (gap := look.text.rfind("\n\n", begin, one.start)) >= 0 and gap + 2 < one.start:
        begin = gap + 2
    if begin and look.low[begin - 1].isalnum():
        # never half a word
        while begin < one.start and look.low[begin].isalnum():
            begin += 1
    before = _TOKEN.findall(look.low, begin, one.start)
    before.reverse()
    after = _TOKEN.findall(look.low, one.end, one.end + _AFTER)
    if before:
        found.add(f"t {_sign(before[0])}")
        found.add("t " + " ".join(_sign(token) for token in before[1::-1]))
    if after:
        found.add(f"n {_sign(after[0])}")
        found.add("n " + " ".join(_sign(token) for token in after[:2]))
    alike = _alike() if one.kind in _ALIKE else None
    said = _told(found, before, "b", alike)
    _told(found, after, "a", alike)
    if len(said) > 1:
        found.add(f"p {said[1]} {said[0]}")
    if len(said) > 2:
        found.add(f"p {said[2]} {said[1]} {said[0]}")
    return found


def _told(found: set[str], tokens: Sequence[str], side: str, alike: Mapping[str, int] | None) -> list[str]:
    """Words with their places, and the sets of words alike; those of another line are told apart."""
    said: list[str] = []
    line = side
    for each in tokens:
        if each == "\n":
            line = side + "l"
        elif each[0].isalpha():
            if len(said) == len(_PLACES):
                break
            word = stem(each)
            found.add(f"{line}{_PLACES[len(said)]} {word}")
            if alike is None:
                pass
            elif (set_ := alike.get(each)) is not None:
                found.add(f"c{line}{_PLACES[len(said)]} {set_}")
                found.add(f"cw {set_}")
                if len(said) < _SHORT * 2:
                    found.add(f"c{side} {set_}")
            elif word != "@":
                found.add(f"{side} strange")
                found.add(f"f{side} {word[:4]}")
                found.add(f"fw {word[:4]}")
            found.add(f"w {word}")
            if len(said) < _SHORT * 2:
                found.add(f"{side} {word}")
            said.append(word)
    return said


def _sign(token: str) -> str:
    if token[0].isdigit():
        return f"0{len(token)}"
    return stem(token) if token[0].isalpha() else _BLANKS.get(token, token)


def _labels(scene: Scene, one: Candidate) -> set[str]:
    look, keys, found = scene.look, scene.keys, set[str]()
    begin, stop = heads.paragraph(look, one.start, one.end, _WIDE)
    away: dict[str, int] = {}
    labels = scene.labels
    for index in range(bisect.bisect_left(labels, (begin, 0)), len(labels)):
        first, last, kind = labels[index]
        if first > stop:
            break
        if last <= one.start:
            away[kind] = one.start - last
        else:
            found.add(f"label {kind} {'after' if one.end <= first <= one.end + _FOLLOWS else 'about'}")
    line = one.start - look.text.rfind("\n", begin, one.start) if away else 0
    for kind, distance in away.items():
        found.add(f"label {kind} {next(name for most, name in _NEAR if distance <= most)}")
        if distance < line:
            found.add(f"label {kind} in line")
    if called := _CALLED.search(look.low, max(0, one.start - _REACH), one.start):
        # No list holds every word that a number can be called by, but that it is called by none of ours says something
        own = {kind for first, last, kind in _reaching(labels, called.start(), one.start)}
        found.update(f"called {kind}" for kind in own or ("what no list holds",))
    found.update(f"label {kind} subject" for kind in keys.topic)
    found.add(f"nearest {min(away, key=away.__getitem__)}" if away else "nearest none")
    if head := keys.headed(one.start):
        found.add(f"column {head[0]}")
    found.update(f"row {kind}" for kind in keys.under(one.start)[1])
    noun = heads.head(look, one.start)
    found.add(_OF_HEAD[noun.of])
    if noun.word:
        found.add(f"h {stem(noun.word)}")
        if noun.of is heads.Of.THING and noun.word in heads.things():
            found.add("head listed thing")
    if somebody(look, begin, stop):
        found.add("somebody")
    for places, name in ((scene.ills, "ill"), (keys.care, "care")):
        first = bisect.bisect_left(places, max(begin, one.start - _WIDE))
        last = bisect.bisect_left(places, min(stop, one.end + _WIDE), first)
        if first < last:
            close = min(abs(place - one.start) for place in places[first:last])
            found.add(f"{name} {'close' if close < _CLOSE else 'near' if close < _NEARBY else 'wide'}")
        found.add(f"{name} {_many(last - first)} about")
        found.add(f"{name} {_many(len(places))} anywhere")
    return found


def _reaching(labels: Sequence[tuple[int, int, str]], start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """The labels that share a place with a stretch before a number."""
    index = bisect.bisect_left(labels, (max(0, start - _REACH), 0))
    while index < len(labels) and labels[index][0] < end:
        if start < labels[index][1] <= end:
            yield labels[index]
        index += 1


def _many(count: int) -> str:
    return "none" if not count else "one" if count == 1 else "few" if count < _SHORT else "many"


#: the first field of a line of X12 or of HL7, and its separator; a month and a year after a number; money
_SEGMENT = re.compile(r"([A-Z][A-Z0-9]{1,2})([*|])")
_EXPIRES = re.compile(r"[\s,;:|/()-]{1,4}(?:exp[a-z.]*:? ?)?(?:0?[1-9]|1[0-2]) ?/? ?(?:20)?(?:2[4-9]|3[0-9])(?![\d/])")
_MONEY = re.compile(r"[$€£] ?\d|\d\.\d\d(?!\d)")
#: what is said to be no real number
_MOCKED = re.compile(
    r"(?<![A-Za-z])(?:[Ff]ake|[Ss]ample|example|[Dd]ummy|[Ss]andbox|[Mm]ade[ -]up|[Pp]laceholder|[Dd]emos?|fictitious|"
    r"[Mm]ock|[Ss]pecimen|[Tt]raining|[Pp]layground|[Tt]esting|"
    r"[Tt]est (?:card|pan|number|region|patient|data|npi|NPI|mbi|MBI|ssn|SSN|dea|DEA|[Vv]isa))(?![a-z])"
)
_SAYS_SO = 60
#: what is said of a number with its label, and of the people of a paragraph
_INVENTED = re.compile(
    r"(?<![A-Za-z])(?:fake|[Dd]ummy|[Mm]ade[ -]up|fictitious|fictional|invented|mock|bogus|sandbox|test|placeholder)"
    r"(?: (?i:medicare|mbi|ssn|social|npi|dea|card|visa|amex|mastercard|pan|number|no\.?|#|is|diagnosis|icd|code)){1,3}"
    r"[ :,#=(]{1,3}$"
)
# No "fake names": who reports a fraud says so beside numbers that are real
_NOBODY = re.compile(
    r"(?<![a-z])(?:(?:fictional|fictitious|imaginary|invented) (?:people|persons?|patients?|numbers?|data|members?)|"
    r"(?:all|were|are|is|was) (?:all )?(?:invented|fictional|fictitious)|all made up|"
    r"not a real (?:person|patient|number))(?![a-z])"
)
_ADJECTIVE = 48
_NAME = re.compile(r"(?<![A-Za-z])[A-Z][a-z'-]{2,24}")
_BLANKS, _LONG = {"\n": "nl", "\t": "tab"}, 20
_SHAPES = str.maketrans({**dict.fromkeys("0123456789", "9"), **_BLANKS})


def _form(scene: Scene, one: Candidate) -> set[str]:
    look, found = scene.look, set[str]()
    written = look.text[one.start : one.end]
    signs = "".join(dict.fromkeys(c for c in written if not c.isalnum()))
    found.add(f"signs {signs!r}")
    if one.kind in ("ssn", "npi", "card"):
        found.add("shape " + (written.translate(_SHAPES) if len(written) < _LONG else "long"))
    if one.kind == "icd10":
        bare = len(one.value)
        found.add(f"shape {bare if bare < 5 else 'long'} {'.' in written} {written[0].islower()}")
        found.add(f"code {one.value[0]}")
        found.add(f"code {one.value[:3]}")
        found.add("code whole " + one.value)
        words = {word[:_STEM] for word in _TITLE.findall(one.title.lower())} - _EMPTY
        said = sum(word in scene.stems for word in words)
        found.add(f"title {_many(said)}")
    elif one.kind == "card":
        found.add(f"brand {one.value[0]} {len(one.value)}")
    elif one.kind == "npi":
        found.add(f"first {one.value[0]}")
    elif one.kind == "ssn":
        found.add(f"suffix {look.text[one.end : one.end + 1].isalpha()}")
        found.add(f"area {'late' if one.value[:3] > '772' else 'early'}")
    elif one.kind == "dea":
        found.add(f"registrant {one.value[0]}")
        begin, stop = max(0, one.start - _BEFORE), one.end + _BEFORE
        # The second letter is the first of a registrant's name (21 CFR 1301; DEA, registration numbers)
        around = (name[0] for name in _NAME.finditer(look.text, begin, stop))
        initials = {name[0] for name in around if name.lower() not in lists.valued("meaning")}
        found.add(f"initial {one.value[1] in initials}")
        found.add(f"lower {written[0].islower()}")
    else:
        found.add(f"lower {any(c.islower() for c in written)}")
    before, after = look.text[max(0, one.start - 1) : one.start], look.text[one.end : one.end + 1]
    found.add(f"left {before!r}")
    found.add(f"right {after!r}")
    if not before or before == "\n":
        found.add("begins its line")
    if not after or after == "\n":
        found.add("ends its line")
    found.add(f"length {min(4, len(look.text).bit_length() // 3)}")
    if scene.keys.in_name:
        found.add("name of a file")
    if _EXPIRES.match(look.low, one.end):
        found.add("expires")
    if _MONEY.search(look.low, max(0, one.start - _NEARBY), one.end + _NEARBY):
        found.add("money")
    line = look.text.rfind("\n", max(0, one.start - _BEFORE), one.start) + 1
    if line and (field := _SEGMENT.match(look.text, line)) and field.end() <= one.start:
        found.add(f"segment {field[1]}")
        place = look.text.rfind(field[2], line, one.start - 1)
        found.add(f"segment {field[1]} {look.text.count(field[2], line, one.start)}")
        if place > line:
            found.add(f"segment {field[1]} after {look.text[place + 1 : one.start][:6].translate(_SHAPES)}")
    return found


def mocked(look: Look, one: Candidate) -> bool:
    """Whether something close by, in the same line, says that a number is a sample."""
    begin = max(look.text.rfind("\n", 0, one.start) + 1, one.start - _SAYS_SO)
    stop = look.text.find("\n", one.end, one.end + _SAYS_SO)
    return bool(_MOCKED.search(look.text, begin, stop if stop >= 0 else one.end + _SAYS_SO))


def invented(look: Look, one: Candidate) -> bool:
    """Whether the very words before a number call it invented ("dummy NPI, 1540809534"), or its paragraph says that who
    it is of is ("all invented by the vendor")."""
    if _INVENTED.search(look.text, max(0, one.start - _ADJECTIVE), one.start):
        return True
    return bool(_NOBODY.search(look.low, *heads.paragraph(look, one.start, one.end, _WIDE)))


def in_segment(look: Look, one: Candidate) -> bool:
    """Whether a candidate is a field of a line of HL7 or of X12."""
    line = look.text.rfind("\n", max(0, one.start - _WIDE), one.start) + 1
    field = _SEGMENT.match(look.text, line)
    return field is not None and look.text[one.start - 1 : one.start] in (field[2], "^", ":")


def _marked(scene: Scene, one: Candidate) -> set[str]:
    """What else the rules found at the place and beside it. What they say of its own kind is weighed apart."""
    found = set[str]()
    index = bisect.bisect_left(scene.marks, (one.start - _WIDE, 0, ""))
    while index < len(scene.marks) and scene.marks[index][0] < one.end + _WIDE:
        start, end, kind = scene.marks[index]
        if kind != one.kind:
            found.add(f"is {kind}" if start < one.end and one.start < end else f"beside {kind}")
        index += 1
    return found


def spoken(low: str) -> frozenset[str]:
    """The words of a subject."""
    return frozenset(stem(word.lower()) for word in _WORDS.findall(low[:_WIDE]))


def stems(*texts: str) -> frozenset[str]:
    """The first letters of every long word, to be compared with titles of codes."""
    return frozenset(word[:_STEM] for low in texts for word in set(_TITLE.findall(low)))
