"""The words a message is read with, compiled once a process into one automaton.

Own lists and names of drugs (`words/`), conditions and codes of ICD-10-CM (`simple-icd-10-cm`, of the extra `phi`: only
its data file is read, its code is not run). Every worker that looks into messages reads all of it when it starts.
"""

import functools
import importlib.util
import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from carepost.ground.errors import ConfigError
from carepost.phi import keywords, lists
from carepost.phi.fold import Look, flatten, fold
from carepost.phi.lists import Weight

try:
    from ahocorasick_rs import AhoCorasick
except ImportError:  # the extra `phi` is not installed: said by `load`
    INSTALLED = False
else:
    INSTALLED = True

MISSING = (
    "Reading messages for health information needs the extra `phi`: install it with `pip install 'carepost[phi]'`, "
    "or remove the rules that ask for the content of messages."
)


class Entry(NamedTuple):
    """What one phrase means. `kind` is a section of the lists, `drug`, `icd`, or `key:<identifier>`."""

    kind: str
    term: str
    weight: Weight
    #: the phrase as it must be written, where capitals matter
    cased: str = ""


class Hit(msgspec.Struct, frozen=True, gc=False):
    """A phrase of the vocabulary in a text: where, and what it means."""

    start: int
    end: int
    entry: Entry


class Vocabulary:
    """Phrases in one automaton, and the codes of ICD-10-CM with their titles."""

    def __init__(self, phrases: Iterable[tuple[str, Entry]], codes: dict[str, str]) -> None:
        entries: dict[str, list[Entry]] = {}
        for phrase, entry in phrases:
            written = phrase.lower() if _as_written(phrase) else flatten(fold(phrase).lower())
            entries.setdefault(f" {written.strip()} ", []).append(entry)
        self._entries = tuple(tuple(meanings) for meanings in entries.values())
        self._automaton = AhoCorasick(list(entries), store_patterns=False)
        self.codes = codes

    def __len__(self) -> int:
        return len(self._entries)

    def hits(self, look: Look) -> Iterator[Hit]:
        """Every whole-word phrase of the text, in order of its end, those inside others too."""
        # Both ends of the text count as spaces; phrases carry a space at each end, so places shift by one and back
        for index, start, end in self._automaton.find_matches_as_indexes(f" {look.flat} ", overlapping=True):
            for entry in self._entries[index]:
                if not entry.cased or look.text.startswith(entry.cased, start):
                    yield Hit(start, end - 2, entry)

    def title(self, code: str) -> str | None:
        """The title of a code of ICD-10-CM as people write it (`E11.9`), or None where there is no such code.

        A seventh character has the title of the code it extends (ICD-10-CM Official Guidelines I.A.4).
        """
        bare = code.replace(".", "")
        found = self.codes.get(bare)
        if found is None and len(bare) == 7:
            found = self.codes.get(bare[:6].rstrip("X")) or self.codes.get(bare[:6])
        return found


def _as_written(phrase: str) -> bool:
    """Whether folding and flattening would leave a phrase as it is: most are words and single spaces."""
    return phrase.isascii() and "  " not in phrase and phrase.replace(" ", "").isalnum()


def _flat(phrase: str) -> str:
    return phrase if _as_written(phrase) else flatten(phrase)


_DIAGNOSIS = re.compile(r"<name>([A-Z]\d[0-9A-Z.]*)</name>\s*<desc>([^<]*)</desc>")
_ASIDE = re.compile(r"\s*\([^)]*\)|\s*\[[^\]]*\]|,? (?:unspecified|not elsewhere classified|nec|nos)\b.*|,.*|;.*")
_GENERIC = re.compile(
    r"^(?:other|unspecified|certain|personal|family|encounter|problem|problems|presence|acquired|abnormal|disorders?|"
    r"diseases?|conditions?|complications?|effects?|sequelae|symptoms?|signs?|care|examination|contact|adverse|need|"
    r"person|persons|dependence|findings?|exposure|infection|injury|burn|open|superficial|reduced|inadequate)\b"
)
_LOOSE = frozenset(("in", "of", "to", "by", "from", "for", "at", "on", "type", "site", "the", "a"))
#: one word alone is an illness when it is built like one
_ILLNESS = re.compile(
    r"[a-z]{3,20}(?:itis|osis|emia|oma|pathy|algia|uria|plegia|rrhea|rrhage|penia|plasia|phobia|pnea|iasis|cardia|ysis|"
    r"trophy|megaly|ectasis|stenosis|lepsy|mnesia|phasia|kinesia|paresis|edema|measles|malaria|cholera)"
)


def _package(name: str) -> pathlib.Path:
    """Where an installed package lies. Found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(MISSING)
    return pathlib.Path(spec.submodule_search_locations[0])


def _icd() -> tuple[dict[str, str], list[tuple[str, Entry]]]:
    table = next(_package("simple_icd_10_cm").glob("data/*.xml"))
    codes = {code.replace(".", ""): title for code, title in _DIAGNOSIS.findall(table.read_text("utf-8"))}
    phrases = []
    for code, title in codes.items():
        if len(code) <= 5 and code[0] in "ABCDEFGHIJKLMNOPQ":
            short = _ASIDE.sub("", title.lower()).strip()
            short = re.split(r" (?:with|without|due to|in diseases|of unspecified|and|or)\b", short)[0]
            words = short.split()
            if (1 < len(words) <= 4 and not _GENERIC.match(short) and words[-1] not in _LOOSE) or _ILLNESS.fullmatch(
                short
            ):
                phrases.append((short, Entry("condition", short, Weight.FULL)))
    return codes, phrases


def _drugs() -> Iterator[tuple[str, Entry]]:
    return ((name, Entry("drug", substance, Weight.DRUG)) for name, substance in lists.drugs())


def _own() -> Iterator[tuple[str, Entry]]:
    for name, section in lists.health().items():
        kind = name.removesuffix("-plain").removesuffix("-cased")
        for word in section.words:
            # "PSA", "INR" mean something else as often, until a value follows
            short = name == "test" and len(word) <= 4
            weight = Weight.PLAIN if short else section.weight
            if name == "misspelt":
                yield from ((slip, Entry("misspelt", word, section.weight)) for slip in lists.misspellings(word))
            else:
                yield word, Entry(kind, word.lower(), weight, word if section.cased else "")
                if not (section.cased or short) and word[-1] not in "s0123456789":
                    yield f"{word}s", Entry(kind, word.lower(), weight)
    for kind, label, words in keywords.KEYWORDS:
        yield from ((word, Entry(f"key:{kind}", label, Weight.NONE)) for word in words)


@functools.cache
def load() -> Vocabulary:
    """The vocabulary of this process; the first call takes a fifth of a second. ConfigError without the extra `phi`."""
    if not INSTALLED:
        raise ConfigError(MISSING)
    try:
        codes, conditions = _icd()
    except (OSError, StopIteration) as missing:
        raise ConfigError(MISSING) from missing
    own = list(_own())
    written = {_flat(phrase) for phrase, entry in own if entry.kind != "misspelt"}
    taken = [(phrase, entry) for phrase, entry in own if entry.kind != "misspelt" or phrase not in written]
    more = [(phrase, entry) for phrase, entry in (*conditions, *_drugs()) if _flat(phrase) not in written]
    return Vocabulary((*taken, *more), codes)
