"""Makes the weights of verdicts on identifiers: `python bench/phi/verdicts.py [--ham FOLDER] [--leave] [--write]`.

Needs `numpy` beside the extra `phi`, in an environment of its own; `--ham` as in run.py (its first half teaches, its
second measures). One penalised logistic regression a kind, over the facts of `carepost.phi.witness` about every
candidate of every message of `judged.py`. What a message holds is known, not where: of several candidates the likeliest
is taken for it, found anew in each round. `--leave` leaves out one author after the other and prints, by `run.py`'s
counting, what is found there by the words around a number alone and with the rules' answer added. The rules know the
sets up to heldout-17, so there the second is too good. `--write` writes `words/verdicts.txt`.
"""

import argparse
import functools
import pathlib
import pickle
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import judged
import numpy
import run
from fitted import Rows, minimise

from carepost.phi import inspect, verdict, vocabulary
from carepost.phi.marks import Mark

WORDS = pathlib.Path(__file__).parents[2] / "src/carepost/phi/words"
#: a fact must stand in so many templates; the penalty of a weight; rounds; and the least weight that is written
FEWEST, PENALTY, ROUNDS, LEAST = 3, 0.5, 3, 0.02
#: how much a template weighs, by its set
WEIGHT = {"ham": 0.5, "contexts": 0.3, "dev-2": 0.5, "dev-3": 0.5, "dev-4": 0.5}


class Message(NamedTuple):
    told: judged.Told
    #: kind, facts, and whether the rules agree, of each candidate
    candidates: list[tuple[str, frozenset[str], bool]]


def described(ham: pathlib.Path | None) -> list[Message]:
    """Every message with its candidates: `inspect` runs, and its judge listens."""
    known = vocabulary.load()
    heard: list[tuple[str, frozenset[str], bool]] = []

    def listen(*given: object) -> list[Mark]:
        heard.extend((one.kind, frozenset(said), ruled) for one, said, ruled in verdict.witnessed(*given))  # type: ignore[arg-type]
        return list(given[3])  # type: ignore[call-overload]

    verdict.judged, judge = listen, verdict.judged
    found = []
    for told in judged.messages(ham):
        heard.clear()
        inspect.inspect(told.parts, words=known)
        found.append(Message(told, list(heard)))
    verdict.judged = judge
    return found


def loss(
    rows: Rows, truth: numpy.ndarray, weight: numpy.ndarray, penalty: numpy.ndarray, at: numpy.ndarray
) -> tuple[float, numpy.ndarray]:
    """What is wrong with the weights `at`, and which way is down."""
    z = rows.times(at)
    p = 1 / (1 + numpy.exp(-numpy.clip(z, -30, 30)))
    value = weight @ (numpy.logaddexp(0, z) - truth * z) + 0.5 * penalty @ (at * at)
    return float(value), rows.back(weight * (p - truth)) + penalty * at


def fit(messages: Sequence[Message], kind: str) -> dict[str, float]:
    """The weights of one kind."""
    those = [(m.told, said) for m in messages for k, said, _ in m.candidates if k == kind and kind not in m.told.free]
    holders: defaultdict[str, set[str]] = defaultdict(set)
    for told, said in those:
        for fact in said:
            holders[fact].add(told.template)
    place = {fact: n for n, fact in enumerate(sorted(f for f, of in holders.items() if len(of) >= FEWEST))}
    rows = [numpy.array(sorted(place[f] for f in said if f in place), dtype=int) for _, said in those]
    of_template: defaultdict[str, set[int]] = defaultdict(set)
    each: Counter[int] = Counter()
    for told, _ in those:
        of_template[told.template].add(id(told))
        each[id(told)] += 1
    made = {name: len(ids) for name, ids in of_template.items()}
    truth = numpy.array([kind in told.holds for told, _ in those])
    weight = numpy.array([WEIGHT.get(told.set, 1.0) / made[told.template] for told, _ in those])
    weight /= numpy.array([1.0 if kind in told.holds else each[id(told)] ** 0.5 for told, _ in those])
    penalty = numpy.full(len(place), PENALTY)
    penalty[place["always"]] = 0.001
    everything, weights = Rows(rows, len(place)), numpy.zeros(len(place))
    for _ in range(ROUNDS):
        scores = everything.times(weights)
        best: dict[int, int] = {}
        for number in numpy.nonzero(truth)[0]:
            mine = id(those[number][0])
            if mine not in best or scores[number] > scores[best[mine]]:
                best[mine] = number
        taken = numpy.array(sorted((*numpy.nonzero(~truth)[0], *best.values())))
        chosen, y, w = Rows([rows[n] for n in taken], len(place)), truth[taken].astype(float), weight[taken]

        weights = minimise(functools.partial(loss, chosen, y, w, penalty), weights)
    return {fact: float(weights[n]) for fact, n in place.items()}


def left_out(messages: Sequence[Message]) -> None:
    """One author after the other left out."""
    for kind in verdict.KINDS:
        for author in sorted({m.told.author for m in messages}):
            mine = [m for m in messages if m.told.author == author]
            if not any(kind in m.told.holds for m in mine) and author != "ham":
                continue
            weights = fit([m for m in messages if m.told.author != author], kind)
            for name, added in (("words alone", 0.0), ("with rules", verdict.RULES)):
                found, wrong, total = 0, 0, 0
                for message in mine:
                    said = any(
                        sum(weights.get(fact, 0.0) for fact in facts) + added * ruled > verdict.ABOVE[kind]
                        for k, facts, ruled in message.candidates
                        if k == kind
                    )
                    total += kind in message.told.holds
                    found += said and kind in message.told.holds
                    wrong += said and kind not in message.told.holds | message.told.free
                recall, precision = run.share(found, total), run.share(found, found + wrong)
                print(f"{kind:<6} {author:<12} {name:<12} recall {recall}  precision {precision}", flush=True)


def write(messages: Sequence[Message]) -> None:
    lines = ["# What each fact of `phi/witness.py` adds to the log odds that a number is an identifier of its kind;",
             "# made by bench/phi/verdicts.py; a weight, then the facts that have it, with tabs between"]  # fmt: skip
    for kind in verdict.KINDS:
        lines.append(f"[{kind}]")
        grouped: defaultdict[float, list[str]] = defaultdict(list)
        for fact, value in fit(messages, kind).items():
            if abs(value) >= LEAST:
                grouped[round(value, 2)].append(fact)
        lines.extend(f"{value:g}: " + "\t".join(sorted(grouped[value])) for value in sorted(grouped))
    (WORDS / "verdicts.txt").write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ham", type=pathlib.Path)
    parser.add_argument("--leave", action="store_true", help="leave out one author after the other")
    parser.add_argument("--keep", type=pathlib.Path, help="a file for the messages' facts, read where it exists")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.keep and given.keep.exists():
        messages = pickle.loads(given.keep.read_bytes())
    else:
        messages = described(given.ham)
        if given.keep:
            given.keep.write_bytes(pickle.dumps(messages))
    print(len(messages), "messages,", sum(len(m.candidates) for m in messages), "candidates")
    for kind in verdict.KINDS:
        those = [m for m in messages if kind in m.told.holds]
        none = Counter(m.told.set for m in those if all(k != kind for k, _, _ in m.candidates))
        print(f"{kind}: in {len(those)} messages, no candidate in {sum(none.values())}", dict(none))
    if given.leave:
        left_out(messages)
    if given.write:
        write(messages)


if __name__ == "__main__":
    main()
