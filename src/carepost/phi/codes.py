"""Codes of ICD-10-CM in a text: a valid code beside its label, its title, an illness, a record or a claim.

Rooms, parts, seats and versions are numbered as codes are: what names a code otherwise (a place, a noun that touches
it, the head of its column) makes it none.
"""

import bisect
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from carepost.phi import beside, heads
from carepost.phi.fold import Look
from carepost.phi.lists import Weight
from carepost.phi.marks import QUIET, WINDOW, Keys, Mark
from carepost.phi.types import Score, Strength
from carepost.phi.vocabulary import Hit, Vocabulary

_CODE = re.compile(
    r"(?:(?<![\w.-])|(?<=[\s(]\d\.)|(?<=^\d\.)|(?<=\.\.))([A-Z]\d[0-9AB])(?:\.([0-9A-Z]{1,4})|([0-9A-Z]{1,4}))?(?![\w-]|\.\d)"
)
#: the shape of a code of HCPCS or of dental procedures, which some codes of ICD-10-CM without their point have too
_SERVICE = re.compile(r"[A-V]\d{4}")
#: what stands between the codes of a list
_LISTED = re.compile(r"[\s,;/&|+()\[\]:*-]{1,4}(?:and |y |or |\d[.)] )?")
_CODED = re.compile(r"\bcod(?:es?|ed|ing|igos?)(?: (?:is|of|as|was|for|under|to|says|de|es))?[\s:#\"'(=]{1,3}$")
#: places and things that are numbered as codes are
_PLACE = re.compile(
    r"(?<![a-z])(?:room|rm|bed|bay|suite|ste|gate|building|bldg|floor|apt|unit|ward|zone|locker|seat|flight|exit|route|"
    r"model|highway|hwy|part|item|invoice|lot|vitamin|coenzyme|channel|row|aisle|bin|shelf|version|page|form|section|sec|"
    r"block|panel|grid|table|figure|fig|appendix|chapter|rule|error|promo|coupon|door|access|product|fault|color|colour|"
    r"paper|size|exhibit|cell|column|tier|line|firmware|release|build|sku|slot|stall|space|level|schedule|article|"
    r"annex|attachment|bus|train|platform|terminal|pod|rack|drawer|cabinet|station|parking|spot|habitacion|cuarto|"
    r"line|lane|road|rd|avenue|street|motorway|autobahn|autoroute|carretera|interstate|junction|grade|steel|bolt|screw|"
    r"session|webinar|exhibit|badge|nut|washer|bearing|hose|belt|filter|fuse|relay|sensor|connector|socket|plug|bulb|lamp|battery|cable|wire|pin|port|"
    r"camera|lens|printer|toner|cartridge|drill|bit|blade|ink|paint|shade|serum|cream|lipstick|foundation|tile|fabric|"
    r"yarn|thread|hook|chord|track|song|kit|course|lesson|module|unit|quiz|lecture|hall|theater|"
    r"theatre|booth|desk|house|plot|lodge|cabin|tent|pitch|court|hole|mile|marker|peak|sheet|map|square|"
    r"opening|defen[cs]e|gambit|variation|game|round|match|team|division|league|stock|wing|jet|fighter|"
    r"aircraft|plane|tank|ship|boat|engine|motor|tractor|mower|gpu|cpu|chip|board|galaxy|iphone|pixel|canon|nikon|"
    r"parada|autobus|ruta|linea|aula|sala|puerta|asiento|vuelo|tren|calle|sku|code word|password|serie|modelo|pieza|"
    r"coach|carriage|berth|deck|dock|pier|hangar|runway|taxiway|stand|counter|kiosk|checkpoint|bay no|cart|"
    r"zip|permit|plate|tag|meter|valve|pump|circuit|breaker|hex|byte|opcode)s?"
    r"(?: codes?| numbers?| no| id)?[\s.:#]{1,3}(?<![a-z]{5}\. )$"
)
#: where one may go: "parks in Z79", "use T20", "E10 to E13"
_WHERE = re.compile(r"(?<![a-z])(?:in|at|into|near|behind|outside|use|to|from|through) $")
#: what a code is of that stands before it: "E10 fuel", "M25 motorway"
_OF_THING = re.compile(
    r"[ -]{1,2}(?:fuel|petrol|gas|gasoline|ethanol|blend|paper|envelopes?|motorway|highway|freeway|bus|buses|tram|"
    r"train|line|exit|road|summit|leaders?|nations|countries|cricket|match|game|world cup|league|series|tournament|"
    r"jets?|fighters?|aircraft|planes?|vitamin|shots?|injections?|supplements?|drops|serum|cream|level|unit|dog|puppy|steel|"
    r"screws?|bolts?|nuts?|bulbs?|lamps?|batter(?:y|ies)|printers?|toner|cartridges?|engine|motor|transmission|chip|"
    r"processor|phone|camera|lens|tablet|keyboard|connectors?|plugs?|sockets?|cables?|seats?|room|gate|permit|zone|grid|"
    r"opening|defen[cs]e|gambit|variation|at checkout|checkout|coupon|promo|off|concrete|bar|rebar|thread|hex|sedan|"
    r"suv|coupe|truck|bike|tent|drill|saw|mower)(?![a-z])"
)
#: a code that is only an example of one
_EXAMPLE = re.compile(
    r"(?:such as|e\.? ?g\.?|for (?:example|instance)|like|ejemplo|examples?(?: is| are|:)?|looks? like|"
    r"sample|in the form)[,:]? [\"'(]?(?:the )?(?:codes? )?$"
)
_CAR = re.compile(
    r"(?<![a-z])(?:obd|obdii|dtcs?|engine|transmission|vehicle|misfire|dashboard|mechanic|odometer|coolant)"
)
#: a thing that fits another is not ill
_FITS = re.compile(
    r"fits? (?:the|this|that|these|those|in|into|on|all|any|your|our|most|both|every|same|it|a|an)(?![a-z])"
)
#: words that teach or sell: a code of three signs among them is nobody's
_TAUGHT = re.compile(
    r"(?<![a-z])(?:students?|leaflet|webinar|course|textbook|glossary|handbook|cheat sheet|at checkout|half price|"
    r"stands? for|what the numbers mean|discount|coupon|ceus?|exam prep|tutorial)(?![a-z])"
)
#: a code as a scanner or a hurried hand writes it, right after its label
_SMUDGED = re.compile(
    r"(?<![\w.-])([A-Za-z1]) ?([\dOolI]) ?([\dOolIABab])(?: ?[.,] ?([\dOolIA-Za-z]{1,4})|\d{1,4})?(?![\w-]|\.\d)"
)
_FLAT = re.compile(r"[a-z]\d[0-9ab]\d{0,3}[a-z]?")
_DIGIT_LIKE = str.maketrans("OolI", "0011")
_LABELLED = 12
_WORD = re.compile(r"[a-z]{4,}")
#: how far a code may stand from its title or keyword (phi-dlp 4)
_CONTEXT = 60
#: kinds of keywords that are nouns and may stand before a code
_OWN = ("icd", "cpt", "name", "provider", "dob", "mrn")
#: an event of HL7, and what follows the first half of a British postal code
_EVENT, _POSTAL = (
    re.compile(r"(?<![a-z])(?:[a-z]{3}\^|(?:id|ref|href|v|key|slot|pos|q)[\"']?[:=][\"']?)$"),
    re.compile(r" \d[A-Z]{2}(?![A-Za-z0-9])"),
)
#: things of a list before the code that is looked at: "events A01, A03 and "
_LIST = re.compile(r"(?:(?<![\w.-])[A-Z]{1,3}-?\d[\w.-]{0,7}(?:,? and |,? or |, ?|; ?|/| & | ))+$")
#: nouns of care that a code follows as its illness would
_CARED = heads.words("of care")
_LETTERS = re.compile(r"[a-z]{3}")
#: a code of something: "fire code", "Wi-Fi code"
_NOT_DX = re.compile(r"(?<![a-z])([a-z-]{2,20}) codes?[\s:#\"'(=]{1,3}$")
_OF_DX = heads.words("of diagnosis")
#: the middle of a Medicare number, and how much stands before it
_MIDDLE = 8
_BEFORE_MIDDLE = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]{0,3}\d)[A-Za-z0-9]{4}(?:[-./_ ]| - )$")
_AFTER_MIDDLE = re.compile(r"(?:[-./_ ]| - )[A-Za-z]{2}(?=[A-Za-z]?\d)[A-Za-z0-9]{2}(?![A-Za-z0-9])")
#: stems of words that an illness is told with
_ILL = re.compile(
    r"(?<![a-z])(?:perinat|neonat|prenat|transplant|vaccin|reaction|surg|fractur|injur|biops|infus|radiol|oncol|cardi|neuro|"
    r"ortho|psych|derm|urolog|indicator)"
)
#: somebody by name, right before a code
_PATIENT = re.compile(r"(?<![A-Za-z])[A-Z][a-z'-]{2,20} [A-Z][A-Za-z'-]{2,20}(?:,| -|:)? $")
_DEPARTMENT = re.compile(
    r"(?<![A-Za-z])(?:OT|PT|ED|ER|SUD|SNF|ICU|NICU|PICU|OB|ENT|PCP|CDI|POA|EKG|ECG|MRI|CT|CMN|LMN|DME|EOB|HCC|RAF|OASIS|MDS|M10\d\d|I0020B?|I8000[A-J]?|"
    r"OR|ASA|f/u|F/U|[Ff]ollow[- ]up|[Ii]ntake|[Pp]re-?op|[Pp]ost-?op|[Dd]ischarge|[Ss]uperbill|[Ee]ncounter|"
    r"DOS|[Vv]isit)(?![A-Za-z])"
)
#: stems of words of medicine that a vocabulary of illnesses lacks
_MEDICAL = re.compile(
    r"(?<![a-z])(?:path(?:ol|o\b| report)|radiol|oncol|cardi|neuro|urolog|gyn|perinat|neonat|prenat|postpart|"
    r"obstet|derm|ortho|psych|surg|vaccin|transplant|registr(?:y|ies)|reaction|injur|fractur|therap|nurs|hospi|"
    r"patient|rx\b|diagnos|symptom|acute|chronic|stage [iv1-4]|trimester|\d{1,2} (?:weeks|wks)|bilateral|infus|"
    r"inject|biops|tumou?r|lesion|ulcer|wound|disab|impair|disorder|syndrome|infect|[a-z]{3,}(?:itis|osis|emia|"
    r"oma|opathy|ectomy|oscopy|plasty|ology|ologist)\b|[a-z]?\d{4}\b(?= x\d)|ultrasound|dental|medical|apnea|echo|"
    r"lap chole|clinical|coder|hcc|comorbid|clinic visit|preg)"
)
#: keywords that say a number is about a person: a code with its point beside one is a code
_OF_PATIENTS = ("ssn", "mbi", "member", "mrn", "dob", "cpt", "npi", "provider")
#: a code of a visit, and how far from a code it may stand
_VISIT = re.compile(r"(?<![\d$.-])9(?:9[1-4]\d\d|0[78]\d\d|8[49][46]\d|[23567]\d{3})(?![\d.]|-\d{3})")
_BILLED = 30
#: what is written before an illness
_SHORTHAND = re.compile(
    r"(?<![a-z])(?:[rhc]/o|s/p|c/w|f/u|hx|reason|problem|complaint|info|findings?|"
    r"(?:seen|treated|referred|here|in|eval|treatment|visit) for)[:#]? ?(?:of )?$"
)
#: words of titles that say nothing
_TITLES = frozenset(
    "with without other unspecified hours greater than level initial encounter return time some part these".split()  # noqa: SIM905
)
#: what is said of a claim
_CLAIMED = re.compile(
    r"(?<![a-z])(?:denied|denial|payer|superbill|medical(?:ly)? necess(?:ary|ity)|claim for|adjudicated)(?![a-z])"
)
_OF_RECORDS = ("mbi", "ssn", "dob", "npi", "member")
_NAMES = QUIET | {"name", "drug"}


class _Code(NamedTuple):
    """A valid code in a text: where, what follows its third sign, whether it has its point, and its title."""

    start: int
    end: int
    written: str
    rest: str
    dotted: bool
    title: str
    #: what stands before it, in small letters
    before: str


class _Told(NamedTuple):
    """The words of health of a text: where illnesses touch, where they begin, and where any word of care does."""

    touching: frozenset[int]
    ills: list[int]
    care: list[int]


def codes(look: Look, hits: Sequence[Hit], keys: Keys, vocabulary: Vocabulary) -> Iterator[Mark]:
    """Every code of diagnosis: as a strong mark with its term."""
    told: _Told | None = None
    last = denied = -1
    for found in look.begins(_CODE, look.lettered, back=1):
        rest = found[2] or found[3] or ""
        term = found[1] + (f".{rest}" if rest else "")
        title = vocabulary.title(term)
        if title is None:
            continue
        start, end = found.span()
        code = _Code(start, end, found[0], rest, bool(found[2]), title, look.low[max(0, start - _BILLED) : start])
        if _listed(look, denied, start) or _denied(look, keys, hits, code):
            denied = end
            continue
        head, kinds = keys.headed(start), keys.under(start)[1]
        if (head and head[0].startswith("other")) or (not code.dotted and _of_something(look, start, end, rest)):
            continue
        told = told or _words_of(look, hits)
        begin, stop = heads.paragraph(look, start, end, _CONTEXT)
        near = keys.near("icd", start, end, WINDOW) if code.dotted else keys.near("icd", begin, stop, 0)
        if (
            near
            or "icd" in kinds
            or (code.dotted and "icd" in keys.topic)
            or _listed(look, last, start)
            or _evident(look, keys, told, code)
        ):
            last = end
            yield _mark(start, end, near or "its title", term)
    yield from _smudged(look, keys, vocabulary)


def _mark(start: int, end: int, near: str, term: str) -> Mark:
    return Mark(start, end, Score.HEALTH, "icd10", Strength.STRONG, near, term, value=hash(("icd10", term)))


def _listed(look: Look, last: int, start: int) -> bool:
    """Whether a code is the next of a list after the one that ends at `last`."""
    return 0 <= last <= start and start - last < _LABELLED and bool(_LISTED.fullmatch(look.low, last, start))


def _words_of(look: Look, hits: Sequence[Hit]) -> _Told:
    told = [hit for hit in hits if hit.entry.weight is not Weight.NONE and not _FITS.match(look.low, hit.start)]
    ill = [hit for hit in told if hit.entry.weight in (Weight.FULL, Weight.DRUG)]
    care = sorted(hit.start for hit in told if hit.entry.weight.value >= Weight.CARE.value)
    touching = frozenset((*(hit.end for hit in ill), *(-hit.start for hit in ill)))
    return _Told(touching, sorted(hit.start for hit in ill), care)


def _denied(look: Look, keys: Keys, hits: Sequence[Hit], code: _Code) -> bool:
    """Whether a code is called something else, or is a part of something."""
    start, end = code.start, code.end
    titled = _named(look, start, code.title)
    if not code.rest and _WHERE.search(code.before) and not keys.near("icd", start - _CONTEXT, end, 0):
        return True
    if (_PLACE.search(code.before) and not titled) or _EVENT.search(code.before) or _other_code(code.before):
        return True
    if _BEFORE_MIDDLE.search(look.text, max(0, start - _MIDDLE), start) and _AFTER_MIDDLE.match(look.text, end):
        return True
    if (_SERVICE.fullmatch(code.written) and _of_service(keys, start)) or _POSTAL.match(look.text, end):
        return True
    noun = _noun(look, keys, start)
    if noun is None or titled or noun.word in _CARED or noun.word in _OF_DX or _of_health(hits, noun):
        return False
    if code.dotted and _ILL.search(code.before):
        return False
    if code.dotted and noun.word not in heads.things():
        # A noun of no list beside somebody's name or number may be one of medicine: "DVT R popliteal I82.431"
        begin, stop = heads.paragraph(look, start, end, _CONTEXT)
        dashed = look.text[max(0, start - 2) : start] == "- " and beside.somebody(look, begin, stop)
        if dashed or beside.patient(look, keys, (begin, stop)) or keys.cared(begin, stop):
            return False
    return heads.elsewhere(look, keys, start, "icd", _CONTEXT, noun)


def _noun(look: Look, keys: Keys, start: int) -> heads.Head | None:
    """The noun that a code is of, or the list it is in: "events A01, A03"."""
    first = _LIST.search(look.text, max(0, start - _CONTEXT), start)
    return heads.noun(look, keys, first.start() if first else start, _OWN)


def _evident(look: Look, keys: Keys, told: _Told, code: _Code) -> bool:
    """Whether what stands around a code says that it is one of an illness."""
    start, end, text = code.start, code.end, look.text
    paragraph = heads.paragraph(look, start, end, WINDOW)
    if (
        # "asthma (J45.40)", "J45.40 asthma"
        (not told.touching.isdisjoint(range(start - 4, start)) and "\n\n" not in text[start - 4 : start])
        or (not told.touching.isdisjoint(range(-end - 4, -end)) and "\n\n" not in text[end : end + 4])
        or _titled(look, start, end, code.title)
        or _VISIT.search(text, max(0, start - _BILLED), end + _BILLED)
        or _CLAIMED.search(look.low, max(0, start - _CONTEXT), end + _CONTEXT)
        or _near_care(told.ills, start, _BILLED, *paragraph)
        or any(keys.near(kind, *_line(look, start, end), 0) for kind in _OF_RECORDS)
    ):
        return True
    coded = bool(_CODED.search(code.before))
    care = told.care if code.rest else told.ills
    if coded and not _SERVICE.fullmatch(code.written) and _near_care(care, start, WINDOW, *paragraph):
        return True
    begin, stop = _line(look, start, end)
    alone = not coded and not _LETTERS.search(look.low, begin, start) and not _LETTERS.search(look.low, end, stop)
    return code.dotted and _pointed(look, keys, told, code, (0, 1 << 60) if alone else paragraph)


def _pointed(look: Look, keys: Keys, told: _Told, code: _Code, bounds: tuple[int, int]) -> bool:
    """What is enough for a code with its point. What another paragraph says is nothing, but of a line
    of codes alone."""
    start, end = code.start, code.end
    around = (max(bounds[0], start - _CONTEXT), min(bounds[1], end + _CONTEXT))
    return (
        _near_care(told.ills, start, WINDOW, *bounds)
        or _near_care(told.care, start, _CONTEXT, *bounds)
        or (not _OF_THING.match(look.low, end) and any(keys.near(kind, *around, 0) for kind in _OF_PATIENTS))
        or any(hit.end - hit.start > len("id") for hit in keys.around("account", start, end, _CONTEXT))
        or (not _OF_THING.match(look.low, end) and beside.name(look, keys, start, end, around))
        or _medical(look, keys, code)
    )


def _near_care(care: Sequence[int], start: int, within: int, floor: int = 0, ceiling: int = 1 << 60) -> bool:
    """Whether any word of health care stands around a code; "code M54.5" may be of a printer."""
    index = bisect.bisect_left(care, max(floor, start - within))
    return index < len(care) and care[index] <= min(ceiling, start + within)


def _line(look: Look, start: int, end: int) -> tuple[int, int]:
    """The line of a code, as far as `_CONTEXT` around it."""
    begin = max(look.text.rfind("\n", 0, start) + 1, start - _CONTEXT)
    stop = look.text.find("\n", end, end + _CONTEXT)
    return begin, stop if stop >= 0 else end + _CONTEXT


def _of_health(hits: Sequence[Hit], noun: heads.Head) -> bool:
    """Whether a noun is a word of the vocabulary of health."""
    index = bisect.bisect_left(hits, noun.start - _BILLED, key=lambda hit: hit.start)
    while index < len(hits) and hits[index].start <= noun.start:
        if hits[index].end >= noun.start - 1 and not hits[index].entry.kind.startswith("key:"):
            return True
        index += 1
    return False


def _medical(look: Look, keys: Keys, code: _Code) -> bool:
    """Whether a code with its point stands after a name or among words of medicine, and not of a school."""
    start, end = code.start, code.end
    if _TAUGHT.search(look.low, end, end + _CONTEXT):
        return False
    noun = _noun(look, keys, start)
    if (noun and (noun.word in _CARED or noun.word in _OF_DX)) or _SHORTHAND.search(code.before):
        return True
    begin, stop = _line(look, start, end)
    return bool(
        _PATIENT.search(look.text, max(0, start - _CONTEXT), start)
        or _DEPARTMENT.search(look.text, begin, min(stop, end + _BILLED))
        or _MEDICAL.search(look.low, begin, stop)
    )


def _other_code(before: str) -> bool:
    """Whether a code is said to be of something that is no illness."""
    kind = _NOT_DX.search(before)
    return kind is not None and kind[1].strip("-") not in _OF_DX and kind[1] not in heads.LINKS


def _named(look: Look, start: int, title: str) -> bool:
    """Whether the words right before a code are those of its title: "tendon at forearm level S56.116"."""
    words = set(_WORD.findall(title.lower())) - _TITLES
    begin = max(0, start - _CONTEXT, look.text.rfind("\n\n", 0, start))
    return len(words & set(_WORD.findall(look.low[begin:start]))) >= 2


def _of_something(look: Look, start: int, end: int, rest: str | None) -> bool:
    """Whether a code without its point is of a thing that the words beside it name, or an example in a lesson."""
    if _OF_THING.match(look.low, end) or (not rest and _EXAMPLE.search(look.low, max(0, start - 30), start)):
        return True
    begin, stop = max(0, start - 2 * _CONTEXT), end + 2 * _CONTEXT
    return bool((_CAR if rest else _TAUGHT).search(look.low, begin, stop))


def _of_service(keys: Keys, start: int) -> bool:
    """Whether a code is called one of a procedure."""
    called = keys.label(start, _CONTEXT, _NAMES)
    return called is not None and called[0] == "cpt"


def _smudged(look: Look, keys: Keys, vocabulary: Vocabulary) -> Iterator[Mark]:
    """Codes in small letters, or with letters for digits, right after their label."""
    for hit in keys.of("icd"):
        found = _SMUDGED.search(look.text, hit.end, hit.end + 2 * _LABELLED)
        if not found or found.start() - hit.end > _LABELLED or _CODE.fullmatch(found[0]):
            continue
        if not any(char.isdigit() for char in found[0]) or not (found[4] or found[1].isupper()):
            if not (_FLAT.fullmatch(found[0]) and vocabulary.title(found[0].upper())):
                continue
            yield _mark(*found.span(), hit.entry.term, found[0].upper())
            continue
        for first in "IL" if found[1] == "l" else "I" if found[1] == "1" else found[1].upper():
            bare = first + (found[2] + found[3]).translate(_DIGIT_LIKE).upper()
            code = f"{bare}.{found[4].translate(_DIGIT_LIKE).upper()}" if found[4] else bare
            if vocabulary.title(code):
                yield _mark(*found.span(), hit.entry.term, code)
                break


def _titled(look: Look, start: int, end: int, title: str) -> bool:
    """Whether the words of the code's title stand around it."""
    words = set(_WORD.findall(title.lower())) - {"unspecified", "other", "with", "without", "initial", "encounter"}
    around = set(_WORD.findall(look.low[max(0, start - 2 * _CONTEXT) : end + 2 * _CONTEXT]))
    return bool(words) and len(words & around) >= min(2, len(words))
