"""This project's own word lists, and how much each of their sections weighs.

Files of `words/`: `[section]` lines, phrases between commas, `#` comments. They ship with the package.
"""

import enum
import functools
import importlib.resources
import re
from collections.abc import Iterable
from typing import Final

import msgspec


class Weight(enum.Enum):
    """How surely a phrase is about health. The value adds up to `weigh.LIKELY`."""

    #: clinical by itself: a disease, a procedure, a drug
    FULL = 1.0
    #: a drug is rarely spoken of to anyone but who takes it
    DRUG = 1.3
    #: of health care, but not of one illness: doctor, pharmacy, prescription
    CARE = 0.6
    #: means something else as often: test, appointment, treatment
    PLAIN = 0.4
    #: the department or the doctor of an illness: "cardiology"
    FIELD = 0.8
    #: only beside something else: an analyte before its value
    NONE = 0.0


#: a letter that stands there exactly once; what says of an expression how deep it is
_LETTER: Final = re.compile(r"[a-z](?![?*+{|])")
_SIGNS: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]")


class Section(msgspec.Struct, frozen=True):
    weight: Weight
    words: tuple[str, ...]
    #: written in capitals or not at all
    cased: bool = False


_WEIGHTS = {
    "condition": Weight.FULL,
    "procedure": Weight.FULL,
    "test": Weight.FULL,
    "specialty": Weight.FIELD,
    "medicine": Weight.FULL,
    "care": Weight.CARE,
    "plain": Weight.PLAIN,
    "care-cased": Weight.CARE,
    "event": Weight.FULL,
    "spanish": Weight.FULL,
    "spanish-plain": Weight.PLAIN,
    "abbreviation": Weight.FULL,
    "abbreviation-plain": Weight.PLAIN,
    "analyte": Weight.NONE,
    "misspelt": Weight.FULL,
}
#: files of expressions of which every line begins with a letter or digit
WORDED = frozenset(("statements",))
_VOWELS = "aeiou"
_CASED = frozenset(("abbreviation", "abbreviation-plain", "care-cased"))
_PHRASE = re.compile(r"\s*,\s*")
_SET = re.compile(r"<[a-z]+>")


def read(name: str) -> dict[str, tuple[str, ...]]:
    """The sections of one file of `words/`."""
    sections: dict[str, list[str]] = {}
    current: list[str] = sections.setdefault("", [])
    for line in source(name).splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[] "), [])
        elif line and not line.startswith("#"):
            current.extend(word for word in _PHRASE.split(line.strip()) if word)
    return {section: tuple(dict.fromkeys(words)) for section, words in sections.items()}


@functools.cache
def health() -> dict[str, Section]:
    return {
        name: Section(_WEIGHTS[name], words, cased=name in _CASED) for name, words in read("health").items() if words
    }


@functools.cache
def given_names() -> frozenset[str]:
    return frozenset(name for line in read("names")["given"] for name in line.split())


@functools.cache
def not_surnames() -> frozenset[str]:
    """Capitalised words that stand where a surname could and are none."""
    return frozenset(word for line in read("names")["not a surname"] for word in line.split())


@functools.cache
def desks() -> frozenset[str]:
    """Local parts of addresses that are no person's."""
    return frozenset(read("desks")[""])


@functools.cache
def classes() -> dict[str, tuple[str, ...]]:
    """The words of `evidence.txt` and `terms.txt`, and the classes each is in."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys(rare(), ("illness",))
    for section, lines in read("evidence").items():
        for word in dict.fromkeys(word for line in lines for word in line.split()):
            found[word] = (*found.get(word, ()), section)
    return found


@functools.cache
def rare() -> frozenset[str]:
    """The words of `terms.txt`: of illness, and hardly used by anybody who does not treat it."""
    return frozenset(word for line in read("terms")["illness"] for word in line.split())


@functools.cache
def weights() -> dict[str, float]:
    """What each count of `evidence` adds, by its name."""
    rows = (line.partition(" = ") for line in source("weights").splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


@functools.cache
def expressions(name: str) -> dict[str, re.Pattern[str]]:
    """The sections of a file of expressions, each as one: any of its lines, between the edges of words."""
    sections: dict[str, list[str]] = {}
    sets: dict[str, str] = {}
    current = ""
    for line in source(name).splitlines():
        if line.startswith("["):
            current = line.strip("[] ")
        elif current == "sets" and " = " in line:
            key, _, value = line.partition(" = ")
            sets[f"<{key}>"] = value
        elif line and not line.startswith("#"):
            sections.setdefault(current, []).append(_SET.sub(lambda found: sets[found[0]], line))
    # where nothing but a word can begin, none of a hundred lines is tried between words
    edge = r"(?<!\w)(?=\w)" if name in WORDED else r"(?<!\w)"
    return {section: re.compile(rf"{edge}(?:{by_letter(lines)})(?!\w)") for section, lines in sections.items()}


def by_letter(lines: Iterable[str]) -> str:
    """Alternatives as one expression, those that begin with the same letter together: of a hundred lines a word is
    tried against the few that begin as it does."""
    groups: dict[str, list[str]] = {}
    others = []
    for line in lines:
        if _LETTER.match(line) and not _either(line):
            groups.setdefault(line[0], []).append(line[1:])
        else:
            others.append(line)
    return "|".join((*(f"{letter}(?:{'|'.join(rest)})" for letter, rest in groups.items()), *others))


def _either(line: str) -> bool:
    """Whether an expression is several alternatives itself."""
    depth = 0
    for sign in _SIGNS.finditer(line):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        if sign[0] == "|" and not depth:
            return True
    return False


@functools.cache
def valued(name: str) -> dict[str, float]:
    """A file of `value: entry|entry` lines, as the value of each entry."""
    rows = (line.partition(": ") for line in source(name).splitlines() if line and not line.startswith("#"))
    return {entry: float(value) for value, _, entries in rows for entry in entries.split("|")}


def drugs() -> list[tuple[str, str]]:
    """Names of medicines, each with the substance it is of."""
    refused = frozenset(read("notdrugs")[""])
    rows = (line.rpartition(": ") for line in source("drugs").splitlines() if line and not line.startswith("#"))
    return [(name, substance) for substance, _, names in rows for name in names.split("|") if name not in refused]


def source(name: str) -> str:
    """The text of one file of `words/`."""
    return importlib.resources.files("carepost.phi").joinpath("words", f"{name}.txt").read_text("utf-8")


def misspellings(word: str) -> set[str]:
    """One slip of a typist: a letter left out, doubled, or changed with its neighbour. The first letter stands."""
    found = set()
    for place in range(1, len(word)):
        found.add(word[:place] + word[place + 1 :])
        found.add(word[:place] + word[place] + word[place:])
        found.add(word[:place] + "i" + word[place:])
        if place + 1 < len(word):
            found.add(word[:place] + word[place + 1] + word[place] + word[place + 2 :])
        if word[place] in _VOWELS:
            found |= {word[:place] + vowel + word[place + 1 :] for vowel in _VOWELS}
    if word.startswith("ph"):
        found.add("f" + word[2:])
    if word.startswith("pre"):
        found.add("per" + word[3:])
    found.discard(word)
    return found
