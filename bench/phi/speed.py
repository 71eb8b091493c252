"""How long reading takes: `.venv/bin/python bench/phi/speed.py`. CPU time of this process, a hundred texts of a size.

Texts are the templates' messages joined, all of them about patients: the densest there is.
"""

import pathlib
import random
import resource
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import run

from carepost.phi import vocabulary
from carepost.phi.inspect import inspect
from carepost.phi.types import Part, Where

TIMES = 100


def texts(size: int, rng: random.Random) -> list[str]:
    bodies = [part.text for folder in run.FOLDERS for message in run.messages(folder) for part in message.parts]
    found = []
    for _ in range(TIMES):
        text = ""
        while len(text) < size:
            text += rng.choice(bodies) + "\n\n"
        found.append(text[:size])
    return found


def main() -> None:
    began = time.process_time()
    vocabulary.load()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"vocabulary: {time.process_time() - began:.2f} CPU s, process at most {memory:.0f} MB")
    for size, limit in ((10_000, 20), (100_000, 150)):
        for where in (Where.TEXT, Where.HTML):
            taken = []
            for text in texts(size, random.Random(1)):
                if where is Where.HTML:
                    text = "".join(f"<p>{line} <b></b></p>\n" for line in text.split("\n"))[:size]
                began = time.process_time()
                inspect([Part(where, text)])
                taken.append((time.process_time() - began) * 1e3)
            p95 = statistics.quantiles(taken, n=20)[18]
            print(f"{size:>7} {where}: median {statistics.median(taken):.1f} ms, p95 {p95:.1f} ms (bar {limit} ms)")


if __name__ == "__main__":
    main()
