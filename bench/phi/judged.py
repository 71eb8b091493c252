"""Messages that verdicts on identifiers are learned from: sets whose first look is over, and development texts.

One `Told` a message: who wrote it, its template, its parts, which kinds of structured identifiers it holds by
`run.py`'s counting, which kinds are left out of counting, and the values that were put in where they are known.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import contexts
import people
import run
import sentences
import templates

from carepost.phi.types import Part

#: sets that were looked at and may teach; a set that is to be looked at for the first time is never here
SEEN = tuple(f"heldout-{n}" if n > 1 else "heldout" for n in range(1, 29))
#: who wrote a set: sets of one author are left out together
AUTHORS = {
    **dict.fromkeys(SEEN[:9], "author 1"), "heldout-10": "author 2", "heldout-11": "author 2",
    "heldout-12": "author 4", "heldout-13": "author 4",
}  # fmt: skip
#: messages of a template of the sets that have templates alone, and of one line, one layout
EACH, LINES = 4, 3


class Told(NamedTuple):
    set: str
    author: str
    template: str
    parts: tuple[Part, ...]
    holds: frozenset[str]
    #: kinds that are neither counted as found nor as wrong
    free: frozenset[str]


def messages(ham: Path | None) -> Iterator[Told]:
    """Every message, in an order that stays."""
    for folder in SEEN:
        taken: Counter[str] = Counter()
        ready = (run.HERE / folder / "cases.jsonl").exists()
        for message in run.messages(folder):
            taken[message.template.id] += 1
            if not ready and taken[message.template.id] > EACH:
                continue
            holds = frozenset(kind for name, kind in run.STRUCTURED.items() if name in message.values)
            free = {"icd10"} - holds if run.CODED.search(message.template.body) else set()
            yield Told(
                folder, AUTHORS.get(folder, folder), f"{folder}/{message.template.id}", message.parts, holds,
                frozenset(free),
            )  # fmt: skip
    for case in (c for n, c in enumerate(sentences.cases(sentences.FILES)) if n % sentences.EACH < LINES):
        yield Told("sentences", "dev-5", case.family, case.parts, case.holds, case.free)
    for kind in contexts.KINDS:
        for number, (name, part) in enumerate(contexts.positives(kind, random.Random(f"7-{kind}"))):
            if number % 4 == 0:
                # What else a layout holds is not told
                yield Told(
                    "contexts", "dev-5", f"{kind} {name}", (part,), frozenset((kind,)),
                    frozenset(contexts.KINDS) - {kind},
                )  # fmt: skip
    for number, (name, part) in enumerate(contexts.negatives(random.Random(7))):
        if number % 4 == 0:
            yield Told("contexts", "dev-5", name, (part,), frozenset(), frozenset())
    for folder in ("dev-2", "dev-3", "dev-4"):
        for path in sorted((run.HERE / folder).glob("*.txt")):
            for template in templates.read(path):
                person = people.person(run.hash_of(template.id, 0), held=True)
                message = templates.fill(template, person)
                holds = frozenset(kind for name, kind in run.STRUCTURED.items() if name in message.values)
                # Their authors wrote numbers of their own into them, which nobody marked
                free = frozenset(contexts.KINDS) - holds if template.level.value else frozenset()
                yield Told(folder, folder, f"{folder}/{path.stem}/{template.id}", message.parts, holds, free)
    if ham:
        files = [f for f in sorted(ham.rglob("*")) if "ham" in f.parent.name and f.suffix == ".txt"]
        for path in files[0::2]:
            yield Told("ham", "ham", path.name, tuple(run.mail(path)), frozenset(), frozenset())


_BLANK = re.compile(r"\s+")


def shape(text: str) -> str:
    """A value as it is compared between two readings of a message."""
    return _BLANK.sub("", text).upper()
