"""Whether what could be an identifier is one: the weight of everything around it, and of what the rules say.

`words/verdicts.txt` holds what each fact of `witness` adds to the log odds, a line a weight under the kind it is for;
it is made by `bench/phi/verdicts.py`. The rules' own answer adds `RULES`. So a number that nothing names is found where
letters that hold such numbers are written so, and what a rule takes too hastily is let go.
"""

import bisect
import functools
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from carepost.phi import heads, lists
from carepost.phi.candidates import KINDS, Candidate, candidates
from carepost.phi.fold import Look
from carepost.phi.lists import Weight
from carepost.phi.marks import Keys, Mark, weak
from carepost.phi.types import Score, Strength
from carepost.phi.vocabulary import Hit, Vocabulary
from carepost.phi.witness import Scene, facts, in_segment, invented, mocked, spoken, stems

#: what the rules answer adds, and above what a candidate is an identifier: by leaving out authors, wordings, layouts
#: (0074)
RULES = 1.5
ABOVE = {"ssn": 0.25, "mbi": 0.5, "npi": 0.0, "dea": 0.0, "card": 1.0, "icd10": 0.6}
#: what a kind adds to a level where no label names it
_WEIGHTS = {"ssn": 1.0, "mbi": 0.5, "card": 0.5, "npi": 0.0, "dea": 0.0}
#: so many candidates of a part are looked at; and weighed, with one more for so many characters: of the rest the
#: rules' answer stands
MOST, FEW, EACH = 1_500, 6, 5_000
#: a longer text is an export or a book: the rules' answer stands for all of it
LONGEST = 30_000
#: a mark as wide is of a whole line, and no number
_LINE = 60
#: what is said of an identifier that no label names
BY_WORDS, BY_COLUMN, BY_SUBJECT = "the words around it", "the name of its column", "the subject"
#: of what its own label names from so close, and the rules take
SURE: set[str] = {"sure"}
_OWN = 24
#: numbers of a person of other kinds: where the rules are sure of one, it is no other
_TAKEN = frozenset(("mrn", "member-id", "driver-licence", "passport", "itin", "dob", *KINDS))
EVIDENCE = frozenset((BY_WORDS, BY_COLUMN, BY_SUBJECT))
_LABELS = {"icd10": "icd"}
#: area and exchange of a number of North America: neither begins with 0 or 1, nor is one of services (N11); the second
#: digit of an area is no 9 (NANPA)
_TELEPHONE = re.compile(r"2(?!11)[0-8]\d(?!.11)[2-9]\d{6}")
#: so many that begin before a place may reach into it
_BESIDE = 4


@functools.cache
def weights() -> dict[str, dict[str, float]]:
    """What each fact adds, by kind."""
    found: dict[str, dict[str, float]] = {kind: {} for kind in KINDS}
    kind = KINDS[0]
    for line in lists.source("verdicts").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif line and not line.startswith("# "):
            value, _, names = line.partition(": ")
            found[kind].update(dict.fromkeys(names.split("\t"), float(value)))
    return found


def judged(
    look: Look, keys: Keys, hits: Sequence[Hit], marks: Sequence[Mark], vocabulary: Vocabulary, subject: str
) -> list[Mark]:
    """Marks, without the identifiers that what is around them speaks against, and with those it speaks for."""
    if len(look.text) > LONGEST:
        return list(marks)
    found = witnessed(look, keys, hits, marks, vocabulary, subject, quick=True)
    if not found:
        return list(marks)
    known = weights()
    yes: list[Candidate] = []
    no: list[Candidate] = []
    for one, said, ruled in found:
        mine = known[one.kind]
        if invented(look, one):
            no.append(one)
            continue
        if said is SURE:
            yes.append(one)
            continue
        # exactly, whatever order a set has in this process: a preview and the attempt are two
        total = math.fsum(mine[name] for name in said if name in mine) + (RULES if ruled else 0.0)
        (yes if total > ABOVE[one.kind] else no).append(one)
    if not no and len(yes) == sum(ruled for *_, ruled in found):
        return list(marks)
    spans = _spans((one.kind, one.start, one.end) for one in yes)
    against = _spans((one.kind, one.start, one.end) for one in no)
    kept = [
        mark
        for mark in marks
        if mark.kind not in KINDS
        or mark.end - mark.start >= _LINE
        or _over(spans[mark.kind], mark.start, mark.end)
        or not _over(against[mark.kind], mark.start, mark.end)
    ]
    known_already = _spans((mark.kind, mark.start, mark.end) for mark in kept)
    kept.extend(_mark(keys, one) for one in yes if not _over(known_already[one.kind], one.start, one.end))
    return kept


def witnessed(
    look: Look,
    keys: Keys,
    hits: Iterable[Hit],
    marks: Sequence[Mark],
    vocabulary: Vocabulary,
    subject: str,
    quick: bool = False,
) -> list[tuple[Candidate, set[str], bool]]:
    """Every candidate, the facts about it, and whether the rules take it for an identifier. `quick`: where the rules do
    and its own label stands right before it, nothing more is asked (`SURE`)."""
    failed: Counter[str] = Counter()
    all_ = sorted(candidates(look, vocabulary, failed), key=lambda one: one.start)[:MOST]
    if not all_:
        return []
    ruled = _spans((mark.kind, mark.start, mark.end) for mark in marks if mark.kind in KINDS)
    taken = sorted((m.start, m.end) for m in marks if m.strength is Strength.STRONG and m.kind in _TAKEN)
    said: list[tuple[Candidate, set[str], bool]] = []
    scene: Scene | None = None
    weighed, most = 0, FEW + len(look.text) // EACH
    for number, one in enumerate(all_):
        yes = _over(ruled[one.kind], one.start, one.end)
        if yes and quick and _labelled(look, keys, one) and not mocked(look, one):
            said.append((one, SURE, yes))
            continue
        if quick and not yes and (_over(taken, one.start, one.end) or _other_form(one) or _of_papers(keys, one)):
            continue
        if quick and (weighed := weighed + 1) > most:
            # A text full of numbers is a list or an export, which the rules read: time is bounded
            break
        scene = scene or _scene(look, keys, hits, marks, all_, subject, failed)
        also = {
            other.kind
            for other in all_[max(0, number - _BESIDE) : number + _BESIDE]
            if other.kind != one.kind and other.start < one.end and one.start < other.end
        }
        said.append((one, facts(scene, one, also), yes))
    return said


def _scene(
    look: Look,
    keys: Keys,
    hits: Iterable[Hit],
    marks: Sequence[Mark],
    all_: Sequence[Candidate],
    subject: str,
    failed: Counter[str],
) -> Scene:
    """What is asked of a part once."""
    ills = sorted(hit.start for hit in hits if hit.entry.weight in (Weight.FULL, Weight.DRUG))
    places = sorted((mark.start, mark.end, mark.kind) for mark in marks if mark.end - mark.start < _LINE)
    labels = [(hit.start, hit.end, hit.entry.kind[4:]) for hit in keys.all]
    words = stems(look.low, subject) if any(one.title for one in all_) else frozenset()
    return Scene(look, keys, labels, ills, places, words, spoken(subject), Counter(one.kind for one in all_), failed)


def _labelled(look: Look, keys: Keys, one: Candidate) -> bool:
    """Whether its own label stands right before a candidate, or in the name of the field that it is the value of
    ("creditCardNumber="), or its place in a segment of HL7 or X12 says what it is."""
    label = _LABELS.get(one.kind, one.kind)
    if keys.before(label, one.start, _OWN) or (one.kind != "card" and in_segment(look, one)):
        return True
    head = heads.head(look, one.start)
    return head.of is heads.Of.THING and heads.noun(look, keys, one.start, (label,)) is None


def _other_form(one: Candidate) -> bool:
    """Whether a candidate has the form of a telephone or of a code of a service: only the rules may take it for an
    identifier."""
    return (one.kind == "npi" and bool(_TELEPHONE.fullmatch(one.value))) or (one.kind == "icd10" and one.service)


def _of_papers(keys: Keys, one: Candidate) -> bool:
    """Whether nine digits stand in a column of claims, cases or references: only the rules may take them for a number
    of a person."""
    head = keys.headed(one.start) if one.kind == "ssn" else None
    return head is not None and head[0].startswith("other")


def _spans(places: Iterable[tuple[str, int, int]]) -> dict[str, list[tuple[int, int]]]:
    """Places by kind, in order."""
    found: dict[str, list[tuple[int, int]]] = {kind: [] for kind in KINDS}
    for kind, start, end in places:
        if kind in found:
            found[kind].append((start, end))
    for spans in found.values():
        spans.sort()
    return found


def _over(spans: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether one of the spans, which are in order, shares a place with this one."""
    index = bisect.bisect_left(spans, (end, 0))
    return any(stop > start for _, stop in spans[max(0, index - _BESIDE) : index])


def _mark(keys: Keys, one: Candidate) -> Mark:
    """What no rule found: an identifier that adds little to a level, and what it is known by."""
    label = _LABELS.get(one.kind, one.kind)
    near = keys.near(label, one.start, one.end)
    if not near:
        head = keys.headed(one.start)
        near = BY_COLUMN if head and head[0] == label else BY_SUBJECT if label in keys.topic else BY_WORDS
    if one.kind == "icd10":
        value = hash(("icd10", one.value))
        return Mark(one.start, one.end, Score.HEALTH, "icd10", Strength.STRONG, near, one.value, value=value)
    return weak(one.start, one.end, one.kind, _WEIGHTS[one.kind], near)
