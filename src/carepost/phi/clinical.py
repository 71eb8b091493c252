"""Health in a text: codes with their titles, drugs with doses, results with values, and words that only add up.

Strong: a valid ICD-10-CM code beside its title or a word such as "Dx"; a procedure, product or revenue code beside its
keyword; a drug with a dose; an analyte with a value. Weak: everything else of the vocabulary.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from carepost.phi import codes
from carepost.phi.fold import Look
from carepost.phi.lists import Weight
from carepost.phi.marks import Keys, Mark
from carepost.phi.types import Score, Strength
from carepost.phi.vocabulary import Hit, Vocabulary

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
#: analytes whose bare number cannot be anything else
_SURE = frozenset((
    "a1c", "hba1c", "tsh", "bnp", "inr", "ldl", "hdl", "wbc", "psa", "egfr", "troponin", "creatinine",
    "triglycerides", "hemoglobin", "hgb", "hematocrit", "platelets", "bilirubin", "ferritin", "lipase",
))  # fmt: skip
_TEST = frozenset(("test", "analyte", "procedure"))
#: how far a code may stand from its keyword (phi-dlp 4)
_CONTEXT = 60


def clinical(look: Look, hits: Sequence[Hit], keys: Keys, vocabulary: Vocabulary) -> Iterator[Mark]:
    yield from codes.codes(look, hits, keys, vocabulary)
    yield from _products(look, keys)
    yield from _words(look, hits)
    pressures: Iterable[re.Match[str]] = look.around(_PRESSURE) if _PRESSED.search(look.text) else ()
    for found in (*look.begins(_UNIT, look.of(1, 4), low=True), *pressures):
        yield _strong(*found.span(), "lab-result")


def _strong(start: int, end: int, kind: str, near: str = "", term: str = "") -> Mark:
    return Mark(start, end, Score.HEALTH, kind, Strength.STRONG, near, term, value=hash((kind, term)))


def _products(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.begins(_NDC, look.of(4, 5)):
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
