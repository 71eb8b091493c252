"""Two trees of the project by turns, each as a process of its own that says what processor time it has used.

A bench's file is also what runs in the process (`serve`): it tells a line of words when it is ready, then answers every
line it reads with two numbers: microseconds of processor, and how many messages. A busy machine disturbs both alike."""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class Tree:
    """`path`: of the tree whose code runs. `program`: this bench's file and the words that make it serve."""

    def __init__(self, path: Path, program: Sequence[str]) -> None:
        # as the supervisor sets the allocator
        environ = {**os.environ, "PYTHONPATH": f"{path / 'src'}:{HERE}", "MALLOC_TRIM_THRESHOLD_": "8388608",
                   "MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_TOP_PAD_": "1048576"}  # fmt: skip
        self.path = path
        self._process = subprocess.Popen(
            [sys.executable, *program], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid
        #: what it told when it was ready
        self.told = self._line().split()

    def spent(self, load: Callable[[list[str]], None]) -> float:
        """Microseconds of processor a message, of what `load` (given what the tree told) brings."""
        before = self._figures()
        load(self.told)
        after = self._figures()
        return (after[0] - before[0]) / (after[1] - before[1])

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)

    def _figures(self) -> tuple[int, int]:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        spent, count = self._line().split()
        return int(spent), int(count)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def by_turns(running: Sequence[Tree], turns: int, load: Callable[[list[str]], None], name: str) -> None:
    """Prints median, least and every turn of each; the first turn warms up."""
    found: dict[Path, list[Any]] = {tree.path: [] for tree in running}
    for turn in range(turns + 1):
        for tree in reversed(running) if turn % 2 else running:
            spent = tree.spent(load)
            if turn:
                found[tree.path].append(spent)
    for path, values in found.items():
        print(
            f"{name:12} {statistics.median(values):5.0f} µs a message (least {min(values):.0f})  {path}  "
            f"{' '.join(f'{value:.0f}' for value in values)}",
            flush=True,
        )
