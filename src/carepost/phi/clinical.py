"""Health in a text: codes with their titles, drugs with doses, results with values, and words that only add up.

Strong: a valid ICD-10-CM code beside its title or a word such as "Dx"; a procedure, product or revenue code beside its
keyword; a drug with a dose; an analyte with a value. Weak: everything else of the vocabulary.
"""

import bisect
import re
from collections.abc import Iterable, Iterator, Sequence

from carepost.phi.fold import Look
from carepost.phi.lists import Weight
from carepost.phi.marks import QUIET, WINDOW, Keys, Mark
from carepost.phi.types import Score, Strength
from carepost.phi.vocabulary import Hit, Vocabulary

_CODE = re.compile(r"(?<![\w.-])([A-Z]\d[0-9AB])(?:\.([0-9A-Z]{1,4})|([0-9A-Z]{1,4}))?(?![\w-]|\.\d)")
#: the shape of a code of HCPCS or of dental procedures, which some codes of ICD-10-CM without their point have too
_SERVICE = re.compile(r"[A-V]\d{4}")
#: what stands between the codes of a list
_LISTED = re.compile(r"[\s,;/&|+()\[\]:*-]{1,4}(?:and |y |or |\d[.)] )?")
_CODED = re.compile(r"\bcod(?:es?|ed|ing|igos?)(?: (?:is|of|as|was|for|under|to|says|de|es))?[\s:#\"'(=]{1,3}$")
#: places and things that are numbered as codes are
_PLACE = re.compile(
    r"(?<![a-z])(?:room|rm|bed|bay|suite|ste|gate|building|bldg|floor|apt|unit|ward|zone|locker|seat|flight|exit|route|"
    r"model|highway|hwy|part|item|invoice|lot|vitamin|coenzyme|channel|row|aisle|bin|shelf|version|page|form|section|sec|"
    r"block|grid|table|figure|fig|appendix|chapter|rule|error|promo|coupon|door|access|product|fault|color|colour|"
    r"paper|size|exhibit|cell|column|tier|line|firmware|release|build|sku|slot|stall|space|level|schedule|article|"
    r"annex|attachment|bus|train|platform|terminal|pod|rack|drawer|cabinet|station|parking|spot|habitacion|cuarto|"
    r"line|lane|road|rd|avenue|street|motorway|autobahn|autoroute|carretera|interstate|junction|grade|steel|bolt|screw|"
    r"nut|washer|bearing|hose|belt|filter|fuse|relay|sensor|connector|socket|plug|bulb|lamp|battery|cable|wire|pin|port|"
    r"camera|lens|printer|toner|cartridge|drill|bit|blade|ink|paint|shade|serum|cream|lipstick|foundation|tile|fabric|"
    r"yarn|thread|hook|chord|track|song|kit|course|lesson|module|unit|quiz|exam|lecture|hall|theater|"
    r"theatre|booth|desk|house|plot|lodge|cabin|tent|pitch|court|hole|mile|marker|peak|sheet|map|square|"
    r"opening|defen[cs]e|gambit|variation|game|round|match|team|division|league|stock|wing|jet|fighter|"
    r"aircraft|plane|tank|ship|boat|engine|motor|tractor|mower|gpu|cpu|chip|board|galaxy|iphone|pixel|canon|nikon|"
    r"parada|autobus|ruta|linea|aula|sala|puerta|asiento|vuelo|tren|calle|sku|code word|password|serie|modelo|pieza|"
    r"coach|carriage|berth|deck|dock|pier|hangar|runway|taxiway|stand|counter|kiosk|checkpoint|bay no|cart|"
    r"zip|permit|plate|tag|meter|valve|pump|circuit|breaker|hex|byte|opcode)s?"
    r"(?: codes?| numbers?| no| id)?[\s.:#]{1,3}$"
)
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
_DOSE = re.compile(
    r"[^\n.;]{0,24}?(?<![\w.$])\d{1,5}(?:[.,]\d{1,3})?(?:[-/]\d{1,5}(?:\.\d+)?)? ?-?"
    r"(?:mg|mcg|ug|micrograms?|milligrams?|miligramos|g|gm|grams?|ml|cc|units?|iu|u|meq|mmol|tabs?|tablets?|caps?|"
    r"capsules?|pills?|puffs?|sprays?|drops|patch(?:es)?|%)(?![\w/]|/(?:dl|l)\b)"
)
_DIRECTIONS = re.compile(
    r"[^\n.;]{0,24}?\b(?:bid|tid|qid|qhs|qd|q\d{1,2}h|po|prn|daily|nightly|at bedtime|taper|#\d{1,3}|refills? ?:?\d|"
    r"(?:once|twice|three times) (?:a|per) (?:day|week)|"
    r"every (?:\d{1,2}|other|six|eight|four|twelve) (?:hours|day))(?!\w)"
)
_VALUE = re.compile(
    r"(?: ?\([^)\n]{1,20}\))?(?:[\s:=|,^]|(?:is|was|of|at|level|result|up to|down to|came back|now|reading|critical|"
    r"high|low|today|came in|remains|around|about|has|risen|dropped|to)\b){1,8}"
    r"(?:[<>~=] ?)?(\d{1,4}(?:[.,]\d{1,3})?(?: ?/ ?\d{2,3})?)(?![\w/-]|[.,]\d|:\d)(?: ?"
    r"(%|mg/dl|g/dl|ng/ml|ng/dl|pg/ml|mcg/dl|ug/dl|miu/l|miu/ml|uiu/ml|iu/l|u/l|mmol/l|umol/l|meq/l|mm ?hg|mmol|bpm|"
    r"k/ul|x ?10|cells/|copies/|kg|lbs?|ml/min|sec|degrees|[fc]\b|fl))?"
)
_WORDED = re.compile(
    r"[^\n.;]{0,30}?\b(?:positive|negative|abnormal|elevated|detected|not detected|reactive|non-?reactive|inconclusive|"
    r"normal|high|low|critical|positivo|negativo|anormal)(?!\w)"
)
_CPT = re.compile(r"(?<![\w.$,-])(?:\d{5}|\d{4}[FT]|[A-V]\d{4})(?:-[A-Z0-9]{2})?(?![\w.]|-\d)")
_NDC = re.compile(r"(?<![\w-])(?:\d{5}-\d{4}-\d{1,2}|\d{5}-\d{3}-\d{2}|\d{4}-\d{4}-\d{2})(?![\w-])")
_UNIT = re.compile(r"(?<![\w.])\d{1,4}(?:\.\d{1,2})? ?(?:mg/dl|mmol/l|meq/l|ng/ml|pg/ml|miu/l|mm ?hg)(?!\w)")
_PRESSURE = re.compile(r"(?<!\w)(?:BP|HR|RR|SpO2)[: ]{1,2}(?:is |was )?\d{2,3}(?:/\d{2,3})?(?![\w/.])")
_PRESSED = re.compile(r"(?:BP|HR|RR|SpO2)[: ]")
_WORD = re.compile(r"[a-z]{4,}")
#: analytes whose bare number cannot be anything else
_SURE = frozenset((
    "a1c", "hba1c", "tsh", "bnp", "inr", "ldl", "hdl", "wbc", "psa", "egfr", "troponin", "creatinine",
    "triglycerides", "hemoglobin", "hgb", "hematocrit", "platelets", "bilirubin", "ferritin", "lipase",
))  # fmt: skip
_TEST = frozenset(("test", "analyte", "procedure"))
#: how far a code may stand from its title or keyword (phi-dlp 4)
_CONTEXT = 60
#: keywords that say a number is about a person: a code with its point beside one is a code
_OF_PATIENTS = ("ssn", "mbi", "member", "mrn", "dob", "cpt", "npi", "account", "provider")
#: a code of a visit, and how far from a code it may stand
_VISIT = re.compile(r"(?<![\d$.-])99[2-4]\d\d(?![\d.-])")
_BILLED = 30
#: what is written before an illness
_SHORTHAND = re.compile(r"(?<![a-z])(?:[rhc]/o|s/p|c/w|hx|reason|problem|complaint|info|findings?)[:#]? ?(?:of )?$")
#: what is said of a claim
_CLAIMED = re.compile(
    r"(?<![a-z])(?:denied|denial|payer|superbill|medical(?:ly)? necess(?:ary|ity)|claim for|adjudicated)(?![a-z])"
)
_OF_RECORDS = ("mbi", "dob", "npi", "member")
_NAMES = QUIET | {"name", "drug"}


def clinical(look: Look, hits: Sequence[Hit], keys: Keys, vocabulary: Vocabulary) -> Iterator[Mark]:
    yield from _codes(look, hits, keys, vocabulary)
    yield from _products(look, keys)
    yield from _words(look, hits)
    pressures: Iterable[re.Match[str]] = look.around(_PRESSURE) if _PRESSED.search(look.text) else ()
    for found in (*look.begins(_UNIT, low=True), *pressures):
        yield _strong(*found.span(), "lab-result")


def _strong(start: int, end: int, kind: str, near: str = "", term: str = "") -> Mark:
    return Mark(start, end, Score.HEALTH, kind, Strength.STRONG, near, term, value=hash((kind, term)))


def _codes(look: Look, hits: Sequence[Hit], keys: Keys, vocabulary: Vocabulary) -> Iterator[Mark]:
    illnesses: set[int] | None = None
    care: list[int] = []
    ills: list[int] = []
    last = denied = -1
    for found in look.begins(_CODE, back=1):
        rest = found[2] or found[3]
        code = found[1] + (f".{rest}" if rest else "")
        title = vocabulary.title(code)
        if title is None:
            continue
        start, end = found.span()
        before = look.low[max(0, start - 30) : start]
        beside = 0 <= denied <= start and start - denied < _LABELLED and _LISTED.fullmatch(look.low, denied, start)
        if beside or _PLACE.search(before) or (_SERVICE.fullmatch(found[0]) and _of_service(keys, start)):
            denied = end
            continue
        head, kinds = keys.headed(start), keys.under(start)[1]
        if (head and head[0].startswith("other")) or (not found[2] and _of_something(look, start, end, rest)):
            continue
        if illnesses is None:
            told = [hit for hit in hits if hit.entry.weight is not Weight.NONE and not _FITS.match(look.low, hit.start)]
            ill = [hit for hit in told if hit.entry.weight in (Weight.FULL, Weight.DRUG)]
            illnesses = {hit.end for hit in ill} | {-hit.start for hit in ill}
            ills = sorted(hit.start for hit in ill)
            care = sorted(hit.start for hit in told if hit.entry.weight.value >= Weight.CARE.value)
        near = keys.near("icd", start, end, WINDOW if found[2] else _CONTEXT)
        if (
            near
            or "icd" in kinds
            # "asthma (J45.40)", "J45.40 asthma", "codes E11.9, I10", or the words of the title around it
            or not illnesses.isdisjoint(range(start - 4, start))
            or not illnesses.isdisjoint(range(-end - 4, -end))
            or (last >= 0 and start - last < _LABELLED and _LISTED.fullmatch(look.low, last, start))
            or (
                not _SERVICE.fullmatch(found[0])
                and _CODED.search(before)
                and _near_care(care if rest else ills, start, WINDOW)
            )
            or (found[2] and (_near_care(ills, start, WINDOW) or _near_care(care, start, _CONTEXT)))
            or (found[2] and _SHORTHAND.search(before))
            or _titled(look, start, end, title)
            or (found[2] and any(keys.near(kind, start, end, _CONTEXT) for kind in _OF_PATIENTS))
            or _VISIT.search(look.text, max(0, start - _BILLED), end + _BILLED)
            or any(keys.near(kind, start, end, _CONTEXT) for kind in _OF_RECORDS)
            or _near_care(ills, start, _BILLED)
            or _CLAIMED.search(look.low, max(0, start - _CONTEXT), end + _CONTEXT)
        ):
            last = end
            yield _strong(start, end, "icd10", near or "its title", code)
    yield from _smudged(look, keys, vocabulary)


def _near_care(care: Sequence[int], start: int, within: int) -> bool:
    """Whether any word of health care stands around a code; "code M54.5" may be of a printer."""
    index = bisect.bisect_left(care, start - within)
    return index < len(care) and care[index] <= start + within


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
            yield _strong(*found.span(), "icd10", hit.entry.term, found[0].upper())
            continue
        first = "I" if found[1] in "l1" else found[1].upper()
        bare = first + (found[2] + found[3]).translate(_DIGIT_LIKE).upper()
        code = f"{bare}.{found[4].translate(_DIGIT_LIKE).upper()}" if found[4] else bare
        if vocabulary.title(code):
            yield _strong(*found.span(), "icd10", hit.entry.term, code)


def _titled(look: Look, start: int, end: int, title: str) -> bool:
    """Whether the words of the code's title stand around it."""
    words = set(_WORD.findall(title.lower())) - {"unspecified", "other", "with", "without", "initial", "encounter"}
    around = set(_WORD.findall(look.low[max(0, start - 2 * _CONTEXT) : end + 2 * _CONTEXT]))
    return bool(words) and len(words & around) >= min(2, len(words))


def _products(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.begins(_NDC, long=True):
        if near := keys.near("ndc", *found.span()):
            yield _strong(*found.span(), "ndc", near)
    for hit in keys.of("cpt"):
        # "CPT 99213, 99214" and "Procedure: 27447": a code right after its keyword, and those listed after it
        place = hit.end
        for found in _CPT.finditer(look.text, hit.end, min(len(look.text), hit.end + _CONTEXT)):
            if found.start() - place > 12:
                break
            place = found.end()
            yield _strong(*found.span(), "procedure-code", hit.entry.term)


def _words(look: Look, hits: Iterable[Hit]) -> Iterator[Mark]:
    for hit in hits:
        entry = hit.entry
        if entry.kind.startswith("key:"):
            continue
        if entry.kind == "drug":
            # A dose within the sentence, or directions as a prescriber writes them
            if _DOSE.match(look.low, hit.end) or _DIRECTIONS.match(look.low, hit.end):
                yield _strong(hit.start, hit.end, "drug-dose", term="")
                yield _weak(hit)
                continue
        elif entry.kind in _TEST and (kind := _result(look, hit)):
            yield _strong(hit.start, hit.end, kind)
        if entry.weight is not Weight.NONE:
            yield _weak(hit)


def _result(look: Look, hit: Hit) -> str:
    """`lab-result` where an analyte has its value; "" where it is only named."""
    found = _VALUE.match(look.low, hit.end)
    if found and (found[2] or "/" in found[1] or hit.entry.term in _SURE):
        return "lab-result" if hit.entry.kind != "procedure" else ""
    if hit.entry.kind == "test" and hit.entry.term.endswith("test") and _WORDED.match(look.low, hit.end):
        return "lab-result"
    return ""


def _weak(hit: Hit) -> Mark:
    entry = hit.entry
    kind = "condition" if entry.kind in ("spanish", "abbreviation", "misspelt") else entry.kind
    return Mark(
        hit.start, hit.end, Score.HEALTH, kind, Strength.WEAK, weight=entry.weight.value, value=hash(entry.term)
    )
