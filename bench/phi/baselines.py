"""What simpler detectors answer for the same messages: rows to compare with.

Each takes the text of a message and says whether it would be treated as PHI.
"""

import importlib.util
import re
from collections.abc import Callable
from typing import Any

from carepost.phi import checks, vocabulary
from carepost.phi.fold import look
from carepost.phi.inspect import inspect
from carepost.phi.marks import Keys
from carepost.phi.types import Part, Score, Strength, Where

Detector = Callable[[str], bool]
_SSN = re.compile(r"(?<!\d)\d{3}-?\d{2}-?\d{4}(?!\d)")
_DEA = re.compile(r"(?<!\w)[A-Z][A-Z9]\d{7}(?!\w)")
_SSN_WORDS = re.compile(r"\b(?:ssa number|social security|soc sec|ssns?|ss#|ssid)\b", re.IGNORECASE)
_PRESIDIO = (
    "US_SSN",
    "US_MBI",
    "US_NPI",
    "MEDICAL_LICENSE",
    "CREDIT_CARD",
    "US_ITIN",
    "US_DRIVER_LICENSE",
    "US_PASSPORT",
)


def identifier_only(text: str) -> bool:
    """Any strong identifier of ours, whatever the text is about."""
    found = inspect([Part(Where.TEXT, text)]).found
    return any(f.score is Score.IDENTIFIER and f.strength is Strength.STRONG for f in found)


def dictionary_only(text: str) -> bool:
    """Two different clinical words anywhere: a dictionary with an activation score, as gateways offer it."""
    hits = vocabulary.load().hits(look(text))
    return len({hit.entry.term for hit in hits if hit.entry.weight.value >= 1.0}) >= 2


def template(text: str) -> bool:
    """The template "U.S. Health Insurance Act" re-made from its public description: (SSN near a keyword, or DEA) and an
    ICD-10-CM term."""
    ready = look(text)
    hits = list(vocabulary.load().hits(ready))
    keyword = _SSN_WORDS.search(ready.text)
    number = any(
        checks.ssn(m[0].replace("-", "")) and keyword and abs(m.start() - keyword.start()) <= 300
        for m in _SSN.finditer(ready.text)
    )
    number = number or any(checks.dea(m[0]) for m in _DEA.finditer(ready.text))
    return bool(number) and (any(h.entry.kind == "condition" for h in hits) or bool(Keys(hits, ready).of("icd")))


def presidio() -> Detector | None:
    """Presidio's pattern recognisers (no language model), any of its US identifiers at 0.4 or more; None where the
    package is not installed."""
    if importlib.util.find_spec("presidio_analyzer") is None:
        return None
    analyzer = _presidio()
    return lambda text: bool(analyzer.analyze(text=text, language="en", entities=list(_PRESIDIO), score_threshold=0.4))


def _presidio() -> Any:
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Blank(SpacyNlpEngine):
        """Tokens alone: enough for the context words of pattern recognisers."""

        def __init__(self) -> None:
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}

    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"])
    return AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
