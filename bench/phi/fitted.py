"""Rows of facts and the way down: what `verdicts.py` needs of numpy, without the packages `fitting.py` needs."""

from collections.abc import Callable

import numpy

STEPS = 120


class Rows:
    """A sparse matrix of ones by rows."""

    def __init__(self, rows: list[numpy.ndarray], width: int) -> None:
        self.width, self.count = width, len(rows)
        self.columns = numpy.concatenate(rows) if rows else numpy.zeros(0, dtype=int)
        self.of = numpy.repeat(numpy.arange(len(rows)), [len(row) for row in rows])

    def times(self, weights: numpy.ndarray) -> numpy.ndarray:
        return numpy.bincount(self.of, weights[self.columns], minlength=self.count)

    def back(self, of_rows: numpy.ndarray) -> numpy.ndarray:
        return numpy.bincount(self.columns, of_rows[self.of], minlength=self.width)


def minimise(loss: Callable[[numpy.ndarray], tuple[float, numpy.ndarray]], start: numpy.ndarray) -> numpy.ndarray:
    """Limited-memory BFGS with a halving step (Nocedal and Wright, algorithm 7.5)."""
    at = start
    value, slope = loss(at)
    pairs: list[tuple[numpy.ndarray, numpy.ndarray]] = []
    for _ in range(STEPS):
        way = slope.copy()
        passed = []
        for moved, turned in reversed(pairs):
            a = moved @ way / (moved @ turned)
            way -= a * turned
            passed.append(a)
        if pairs:
            way *= pairs[-1][0] @ pairs[-1][1] / (pairs[-1][1] @ pairs[-1][1])
        for (moved, turned), a in zip(pairs, reversed(passed), strict=True):
            way += (a - turned @ way / (moved @ turned)) * moved
        step = 1.0 if pairs else 1.0 / max(1.0, float(numpy.abs(slope).sum()))
        while step > 1e-8:
            then, bent = loss(at - step * way)
            if then <= value - 1e-4 * step * float(slope @ way):
                break
            step /= 2
        else:
            return at
        pairs = [*pairs[-9:], (-step * way, bent - slope)]
        if value - then < 1e-6 * abs(value):
            return at - step * way
        at, value, slope = at - step * way, then, bent
    return at
