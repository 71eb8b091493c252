"""The fit itself: a penalised logistic regression over counts, phrases and senses, with plain numpy.

An example is the likeliest of its stretches: which that is, is found anew in each round. What the rules settle (an
example without stretches) is not learned from and scores as found.
"""

import pathlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy
import pyarrow.parquet
from fitted import minimise

from carepost.phi import lists
from carepost.phi.phrases import scale

#: a phrase must stand in so many templates to have a weight of its own
FEWEST = 3
ROUNDS = 3
#: penalties of counts, phrases, senses
PENALTY = {"count": 1.5, "phrase": 0.5, "sense": 0.15}
#: common words that get a sense, beside all of the examples and all of our own lists
COMMON = 30_000


class Senses:
    """Vectors of words, by word."""

    def __init__(self, folder: pathlib.Path) -> None:
        names = pyarrow.parquet.read_table(folder / "glove_6B_index.parquet").column("index").to_pylist()
        vectors = numpy.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
        words = [n for n, word in enumerate(names[:200_000]) if word.isascii() and word.isalpha()]
        self.vectors = numpy.asarray(vectors[words], dtype=float)
        self.place = {names[n]: row for row, n in enumerate(words)}
        self.common = [names[n] for n in words[:COMMON]]

    def mean(self, said: set[str]) -> numpy.ndarray:
        rows = [self.place[word] for word in said if word in self.place]
        return self.vectors[rows].mean(0) if rows else numpy.zeros(self.vectors.shape[1])


class Model:
    """Weights by name."""

    def __init__(self, weights: numpy.ndarray, columns: "Columns") -> None:
        self.weights, self.columns = weights, columns
        self.counts = {n: float(weights[at]) for n, at in columns.counts.items()}
        self.phrases = {n: float(weights[at]) for n, at in columns.phrases.items()}
        sense = weights[columns.sense : columns.total]
        words = {*columns.senses.common, *(p for p in columns.said if " " not in p and p in columns.senses.place)}
        words |= lists.classes().keys() & columns.senses.place.keys()
        self.senses = {w: float(columns.senses.vectors[columns.senses.place[w]] @ sense) for w in sorted(words)}

    def scores(self, found: Sequence[Any]) -> numpy.ndarray:
        """The score of each example's likeliest stretch; of what the rules settle, 99."""
        rows, of = self.columns.rows(found)
        scores = numpy.full(len(found), 99.0)
        said = rows.times(self.weights)
        for example in range(len(found)):
            mine = said[of == example] if len(found) < 50 else None
            if mine is not None and len(mine):
                scores[example] = mine.max()
        if len(found) >= 50:
            best = numpy.full(len(found), -numpy.inf)
            numpy.maximum.at(best, of, said)
            scores = numpy.where(numpy.isinf(best), 99.0, best)
        return scores


class Rows:
    """A sparse matrix by rows."""

    def __init__(self, columns: list[numpy.ndarray], values: list[numpy.ndarray], width: int) -> None:
        self.width = width
        self.lengths = numpy.array([len(c) for c in columns])
        self.columns = numpy.concatenate(columns) if columns else numpy.zeros(0, dtype=int)
        self.values = numpy.concatenate(values) if values else numpy.zeros(0)
        self.of = numpy.repeat(numpy.arange(len(columns)), self.lengths)

    def times(self, weights: numpy.ndarray) -> numpy.ndarray:
        return numpy.bincount(self.of, self.values * weights[self.columns], minlength=len(self.lengths))

    def back(self, of_rows: numpy.ndarray) -> numpy.ndarray:
        return numpy.bincount(self.columns, self.values * of_rows[self.of], minlength=self.width)

    def taken(self, rows: numpy.ndarray) -> "Rows":
        starts = numpy.concatenate([[0], numpy.cumsum(self.lengths)])
        spans = [slice(starts[r], starts[r + 1]) for r in rows]
        return Rows([self.columns[s] for s in spans], [self.values[s] for s in spans], self.width)


class Columns:
    """Which column is what."""

    def __init__(self, found: Sequence[Any], senses: Senses) -> None:
        holders: defaultdict[str, set[str]] = defaultdict(set)
        counts = set[str]()
        for example in found:
            for numbers, said in example.stretches:
                counts.update(numbers)
                for phrase in said:
                    holders[phrase].add(example.template)
        self.said = holders
        self.senses = senses
        self.counts = {name: n for n, name in enumerate(sorted(counts))}
        kept = sorted(p for p, of in holders.items() if len(of) >= FEWEST)
        self.phrases = {phrase: len(self.counts) + n for n, phrase in enumerate(kept)}
        self.sense = len(self.counts) + len(self.phrases)
        self.total = self.sense + senses.vectors.shape[1]
        self.penalty = numpy.full(self.total, PENALTY["phrase"])
        self.penalty[: len(self.counts)] = PENALTY["count"]
        self.penalty[self.sense :] = PENALTY["sense"]
        self.penalty[self.counts["always"]] = 0.01

    def rows(self, found: Sequence[Any]) -> tuple[Rows, numpy.ndarray]:
        columns, values, of = [], [], []
        senses = numpy.arange(self.sense, self.total)
        for number, example in enumerate(found):
            for numbers, said in example.stretches:
                counted = [(self.counts[n], v) for n, v in numbers.items() if n in self.counts]
                mine = [self.phrases[p] for p in said if p in self.phrases]
                columns.append(numpy.concatenate([[c for c, _ in counted], mine, senses]).astype(int))
                weighed = numpy.full(len(mine), scale(len(mine)))
                values.append(numpy.concatenate([[v for _, v in counted], weighed, self.senses.mean(said)]))
                of.append(number)
        return Rows(columns, values, self.total), numpy.array(of, dtype=int)


def fit(found: Sequence[Any], senses: Senses) -> Model:
    found = [e for e in found if e.stretches]
    columns = Columns(found, senses)
    rows, of = columns.rows(found)
    truth = numpy.array([e.positive for e in found], dtype=float)
    weight = numpy.array([e.weight for e in found])
    weights = numpy.zeros(columns.total)
    for _ in range(ROUNDS):
        best = numpy.full(len(found), -1)
        order = numpy.argsort(rows.times(weights), kind="stable")
        best[of[order]] = order
        chosen = rows.taken(best)

        def loss(w: numpy.ndarray, chosen: Rows = chosen) -> tuple[float, numpy.ndarray]:
            z = chosen.times(w)
            p = 1 / (1 + numpy.exp(-numpy.clip(z, -30, 30)))
            value = weight @ (numpy.logaddexp(0, z) - truth * z) + 0.5 * columns.penalty @ (w * w)
            return float(value), chosen.back(weight * (p - truth)) + columns.penalty * w

        weights = minimise(loss, weights)
    return Model(weights, columns)
