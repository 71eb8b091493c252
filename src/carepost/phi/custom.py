"""An organisation's own words, patterns and exemptions, checked at entry and compiled once."""

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from carepost.ground.errors import ConfigError
from carepost.phi.fold import Look, flatten, fold
from carepost.phi.lists import Weight
from carepost.phi.marks import Mark
from carepost.phi.pattern import compile_pattern, ways
from carepost.phi.types import Custom, Known, Pattern, Score, Strength
from carepost.phi.vocabulary import Entry, Vocabulary

WORDS, PATTERNS, EXEMPTIONS = 2000, 50, 200
#: values an organisation may have found harmless
KNOWN = 2000
#: ways in which all patterns together may try one place of a text
WAYS = 300
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,62}")
_EXEMPT = "exempt"
_TOO_MANY_WAYS = (
    "The patterns together can match in too many ways, which would make reading slow: "
    "use fewer patterns, or fixed numbers of characters such as {8} instead of {2,8}."
)
#: what no pattern may find, and no exception hide, much of: more than this share of its characters
_LETTER = (
    "Dear Ms. Roe,\nthank you for your call on Monday 4 May at 10:30. Dr. Gray will see you in room 214 of our clinic, "
    "1 Elm Street, Riverton. Please bring your card with member ID W123456789, a list of what you take, such as "
    "metformin 500 mg, and the letter of your family doctor. Your last A1c was 8.4%. We can be reached at "
    "(555) 010-0199 or desk@clinic.test.\nKind regards\nNora Sample, RN"
)
_MOST = 0.08


class Compiled(NamedTuple):
    """What `check` accepted, ready to read with."""

    phrases: Vocabulary | None
    patterns: tuple[tuple[Pattern, re.Pattern[str], re.Pattern[str] | None], ...]
    exempt: tuple[re.Pattern[str], ...]
    #: kinds this organisation never counts
    kinds: frozenset[str]
    scores: dict[str, tuple[Score, Strength]]
    known: Known | None = None
    #: tokens of values that count no more
    tokens: frozenset[bytes] = frozenset()


def check(custom: Custom) -> None:
    """ConfigError, in a sentence that names the word, pattern or exemption by its id and says what to write instead.

    It asks more than `compile_custom`, which reads what was told before too: that all expressions together stay quick,
    that keywords have letters or digits, and that no expression finds, or hides, an ordinary letter."""
    compiled = compile_custom(custom)
    hiding = [exemption for exemption in custom.exemptions if exemption.pattern]
    written = [(pattern.id, pattern.pattern) for pattern in custom.patterns]
    written += [(exemption.id, exemption.pattern) for exemption in hiding]
    if sum(ways(*one) for one in written) > WAYS:
        raise ConfigError(_TOO_MANY_WAYS)
    for pattern, expression, _ in compiled.patterns:
        if any(not _plain(word) for word in pattern.keywords):
            raise ConfigError(f"Pattern '{pattern.id}': each keyword needs a letter or a digit.")
        _narrow(pattern.id, expression)
    for exemption, hides in zip(hiding, compiled.exempt, strict=True):
        _narrow(exemption.id, hides)


def _narrow(identity: str, expression: re.Pattern[str]) -> None:
    if sum(found.end() - found.start() for found in expression.finditer(_LETTER)) > len(_LETTER) * _MOST:
        raise ConfigError(
            f"Pattern '{identity}' would match much of an ordinary letter: say letters, digits or signs that only what "
            "is meant has, such as HX-\\d{6}."
        )


@functools.lru_cache(maxsize=256)
def compile_custom(custom: Custom) -> Compiled:
    """The compiled form; ConfigError as `check`."""
    _counted(custom)
    phrases: list[tuple[str, Entry]] = []
    for word in custom.words:
        _named("Word", word.id)
        phrases.append((_phrase(f"Word '{word.id}'", word.text), Entry("word", word.id, Weight.FULL)))
    exempt = []
    for exemption in custom.exemptions:
        _named("Exemption", exemption.id)
        if not (exemption.phrase or exemption.pattern or exemption.kind):
            raise ConfigError(f"Exemption '{exemption.id}' is empty: give a phrase, a pattern or a kind of finding.")
        if exemption.phrase:
            phrase = _phrase(f"Exemption '{exemption.id}'", exemption.phrase)
            phrases.append((phrase, Entry(_EXEMPT, exemption.id, Weight.NONE)))
        if exemption.pattern:
            exempt.append(compile_pattern(exemption.id, exemption.pattern))
    return Compiled(
        phrases=Vocabulary(phrases, {}) if phrases else None,
        patterns=tuple(_pattern(pattern) for pattern in custom.patterns),
        exempt=tuple(exempt),
        kinds=frozenset(exemption.kind for exemption in custom.exemptions if exemption.kind),
        scores={word.id: (word.score, word.strength) for word in custom.words},
        known=custom.known,
        tokens=frozenset(custom.known.tokens) if custom.known is not None else frozenset(),
    )


def _counted(custom: Custom) -> None:
    for what, given, most in (
        ("words", custom.words, WORDS),
        ("patterns", custom.patterns, PATTERNS),
        ("exemptions", custom.exemptions, EXEMPTIONS),
    ):
        if len(given) > most:
            raise ConfigError(f"At most {most} {what} of an organisation's own are read: remove {len(given) - most}.")

    if custom.known is not None and len(custom.known.tokens) > KNOWN:
        raise ConfigError(f"At most {KNOWN} single values can be excepted: except the kind, or a phrase around them.")
    tried = sum(ways(pattern.id, pattern.pattern) for pattern in custom.patterns)
    if tried > WAYS:
        raise ConfigError(_TOO_MANY_WAYS)


def _named(what: str, identity: str) -> None:
    if not _ID.fullmatch(identity):
        raise ConfigError(f"{what}: an id has 1 to 63 letters, digits, spaces, points, dashes or underscores.")


def _plain(text: str) -> str:
    """As phrases and keywords are compared."""
    return flatten(fold(text).lower()).strip()


def _phrase(what: str, text: str) -> str:
    if not 2 <= len(_plain(text)) <= 2000:
        raise ConfigError(f"{what} must have at least two letters or digits and at most 2,000 characters.")
    return text


def _pattern(pattern: Pattern) -> tuple[Pattern, re.Pattern[str], re.Pattern[str] | None]:
    _named("Pattern", pattern.id)
    if pattern.score is Score.PERSON:
        raise ConfigError(f"Pattern '{pattern.id}' must find an identifier or a health word: choose one of the two.")
    if not 1 <= pattern.window <= 2000:
        raise ConfigError(f"Pattern '{pattern.id}': the window of its keywords is 1 to 2,000 characters.")
    if len(pattern.keywords) > 50 or any(not 1 <= len(word) <= 100 for word in pattern.keywords):
        raise ConfigError(f"Pattern '{pattern.id}': at most 50 keywords of 1 to 100 characters.")
    words = "|".join(re.escape(_plain(word)) for word in pattern.keywords)
    near = re.compile(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])") if words else None
    return pattern, compile_pattern(pattern.id, pattern.pattern), near


def marks(look: Look, compiled: Compiled) -> Iterator[Mark]:
    """What the organisation's own words and patterns find."""
    if compiled.phrases:
        for hit in compiled.phrases.hits(look):
            if hit.entry.kind == "word":
                score, strength = compiled.scores[hit.entry.term]
                kind = f"word:{hit.entry.term}"
                yield Mark(hit.start, hit.end, score, kind, strength, value=hash(kind))
    for pattern, expression, near in compiled.patterns:
        for found in expression.finditer(look.text):
            start, end = found.span()
            if near is None or near.search(look.flat, max(0, start - pattern.window), end + pattern.window):
                kind = f"pattern:{pattern.id}"
                value = hash((kind, found[0].upper() if pattern.score is Score.IDENTIFIER else ""))
                yield Mark(start, end, pattern.score, kind, pattern.strength, value=value)


def exempted(look: Look, compiled: Compiled) -> list[tuple[int, int]]:
    """Spans of the text that are not to count."""
    spans = [found.span() for expression in compiled.exempt for found in expression.finditer(look.text)]
    if compiled.phrases:
        spans.extend((hit.start, hit.end) for hit in compiled.phrases.hits(look) if hit.entry.kind == _EXEMPT)
    return sorted(spans)
