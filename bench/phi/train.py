"""Makes the weights of weak evidence: `.venv/bin/python bench/phi/train.py --ham FOLDER [--leave SET] [--write]`.

Needs `numpy` beside the extra `phi`. A logistic regression with a quadratic penalty over what `carepost.phi.evidence`
counts, on the development families (`dev/`), on sets whose first look is over, and on the first half of the ordinary
mail (see run.py; the second half measures). A long message is its likeliest stretch, found anew in each round. `--leave
SET` leaves a set out and scores it: how well weights do on templates they were not made with. `--write` writes
`words/weights.txt`.
"""

import argparse
import pathlib
import sys
from collections import Counter, defaultdict
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import families
import numpy
import run

from carepost.phi.inspect import described
from carepost.phi.level import individual
from carepost.phi.types import Level

WEIGHTS = pathlib.Path(__file__).parents[2] / "src/carepost/phi/words/weights.txt"
#: sets that were looked at and may make weights; a set that is to be looked at for the first time is never here
SEEN = ("heldout", "heldout-2", "heldout-3", "heldout-4", "heldout-5", "heldout-6", "heldout-7", "heldout-8")
EACH, PER_TEMPLATE = 12, 3
PENALTY, WORD, ROUNDS = 2.0, 5.0, 3
#: a word must stand in so many templates to have a weight of its own
FEWEST = 4
#: added to every score: what is missed costs more than what is protected in vain
LENIENT = 0.6
#: how much a template weighs, by its set; statements were made with the first six and look better there than they are
WEIGHT = {"dev": 2.0, "documents": 3.0, "heldout-7": 3.0, "heldout-8": 3.0, "ham": 0.5}
SEEN_WEIGHT = 1.8
HEAD = """\
# What each count of `phi/evidence.py` adds to the logarithm of the odds that a text speaks of a person's health.
# Made by bench/phi/train.py from development messages and ordinary mail; words count as log(1 + number, at most 8).
"""


class Example(NamedTuple):
    set: str
    template: str
    positive: bool
    stretches: list[dict[str, float]]
    weight: float


def ordinary(folder: pathlib.Path, half: int) -> list[Example]:
    found = []
    files = [f for f in sorted(folder.rglob("*")) if "ham" in f.parent.name and f.suffix == ".txt"]
    for path in files[half::2]:
        stretches = described(run.mail(path), True)
        found.append(Example("ham", path.name, False, stretches, WEIGHT["ham"]))
    return found


def examples() -> list[Example]:
    found = []
    made = []
    for message in families.messages(EACH):
        written = message.template.id.startswith("documents")
        made.append(("dev", message, WEIGHT["documents" if written else "dev"] / EACH))
    for folder in SEEN:
        taken: Counter[str] = Counter()
        for message in run.messages(folder):
            taken[message.template.id] += 1
            if taken[message.template.id] <= PER_TEMPLATE:
                made.append((folder, message, WEIGHT.get(folder, SEEN_WEIGHT) / PER_TEMPLATE))
    for folder, message, weight in made:
        truth = message.template.level >= Level.PHI_LIKELY
        alone = individual(message.template.recipient)
        found.append(Example(folder, message.template.id, truth, described(message.parts, alone), weight))
        # What is about nobody is so for every recipient; what is about a named person is so for a person too
        if not truth or not alone:
            other = described(message.parts, not alone)
            found.append(Example(f"{folder}, other recipient", message.template.id, truth, other, weight / 2))
    return [e for e in found if e.stretches]


def matrix(found: list[Example], names: list[str]) -> tuple[numpy.ndarray, numpy.ndarray]:
    """One row a stretch, and of which example it is."""
    place = {name: n for n, name in enumerate(names)}
    rows = numpy.zeros((sum(len(e.stretches) for e in found), len(names)))
    of = numpy.zeros(len(rows), dtype=int)
    row = 0
    for number, example in enumerate(found):
        for stretch in example.stretches:
            for name, value in stretch.items():
                if name in place:
                    rows[row, place[name]] = value
            of[row] = number
            row += 1
    return rows, of


def likeliest(rows: numpy.ndarray, of: numpy.ndarray, weights: numpy.ndarray, count: int) -> numpy.ndarray:
    """The row of each example that scores highest."""
    scores = rows @ weights
    best = numpy.full(count, -1)
    for row in numpy.argsort(scores):
        best[of[row]] = row
    return best


def named(found: list[Example]) -> list[str]:
    """What is counted, without words that too few templates hold."""
    holders: defaultdict[str, set[str]] = defaultdict(set)
    for example in found:
        for stretch in example.stretches:
            for name in stretch:
                holders[name].add(example.template)
    return sorted(n for n, of in holders.items() if len(of) >= FEWEST or not n.startswith("word "))


def penalty_of(name: str) -> float:
    """A word's own weight corrects that of its class, and must earn it."""
    return 0.01 if name == "always" else WORD if name.startswith("word ") else PENALTY


def fit(found: list[Example], names: list[str]) -> numpy.ndarray:
    rows, of = matrix(found, names)
    truth = numpy.array([e.positive for e in found], dtype=float)
    weight = numpy.array([e.weight for e in found])
    penalty = numpy.array([penalty_of(name) for name in names])
    weights = numpy.zeros(len(names))
    for _ in range(ROUNDS):
        chosen = rows[likeliest(rows, of, weights, len(found))]
        for _ in range(8):
            p = 1 / (1 + numpy.exp(-numpy.clip(chosen @ weights, -30, 30)))
            gradient = chosen.T @ (weight * (p - truth)) + penalty * weights
            curvature = (chosen * (weight * p * (1 - p))[:, None]).T @ chosen + numpy.diag(penalty)
            weights = weights - numpy.linalg.solve(curvature, gradient)
    weights[names.index("always")] += LENIENT
    return weights


def scored(found: list[Example], names: list[str], weights: numpy.ndarray) -> numpy.ndarray:
    rows, of = matrix(found, names)
    return (rows @ weights)[likeliest(rows, of, weights, len(found))]


def report(found: list[Example], scores: numpy.ndarray, title: str, misses: bool) -> None:
    truth = numpy.array([e.positive for e in found])
    said = scores > 0
    line = f"{title:<12} of those not settled: recall {said[truth].mean() if truth.any() else 1:.3f}"
    print(f"{line} of {truth.sum()}, false positives {said[~truth].mean():.3f} of {(~truth).sum()}")
    if misses:
        wrong: dict[str, list[float]] = {}
        for example, score in zip(found, scores, strict=True):
            if example.positive != (score > 0):
                wrong.setdefault(example.template, []).append(float(score))
        print("  " + ", ".join(f"{t} {sum(s) / len(s):.1f}" for t, s in sorted(wrong.items())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ham", type=pathlib.Path, required=True)
    parser.add_argument("--leave", action="append", default=[], help="a set, or `dev`")
    parser.add_argument("--each", action="store_true", help="leave each set out in turn")
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    found = [*examples(), *ordinary(given.ham, 0)]
    names = named(found)
    for leave in [[one] for one in ("dev", *SEEN)] if given.each else [given.leave]:
        made = [e for e in found if e.set.partition(",")[0] not in leave]
        weights = fit(made, names)
        for one in leave or ("dev", *SEEN, "ham"):
            mine = [e for e in found if e.set == one]
            report(mine, scored(mine, names, weights), one, given.misses)
    if given.write:
        lines = [
            f"{name} = {weight:.3f}\n"
            for name, weight in sorted(zip(names, weights, strict=True))
            if abs(weight) >= 0.005
        ]
        WEIGHTS.write_text(HEAD + "".join(lines), "utf-8")


if __name__ == "__main__":
    main()
