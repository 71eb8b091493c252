"""Which processors this process may use, and keeping to one of them.

What a message touches stays in the caches of one processor if the kernel does not move its engine about: measured on
two cores, 7 to 17 % more messages a second at 20 sessions (docs/decisions/0053). Only threads that move mail keep to
their own; what counts long and lets go of the interpreter's lock (a slow hash, a large body) roams."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: cgroup v2: microseconds of processor time within a period, or `max`; a container sees its own group here
_BOUND: Final = Path("/sys/fs/cgroup/cpu.max")


def _given() -> frozenset[int]:
    if sys.platform != "linux":
        return frozenset(range(os.cpu_count() or 1))
    return frozenset(os.sched_getaffinity(0))


#: given to this process by whoever started it, a container's or an operator's bound included
_ALL = _given()


def count(bound: Path = _BOUND) -> int:
    """How many this process may keep busy: less than the machine has where a container or an operator says so."""
    try:
        time, period = bound.read_text().split()
        return max(1, min(len(_ALL), -(-int(time) // int(period))))
    except (OSError, ValueError):
        return len(_ALL)


def own(index: int, of: int) -> int | None:
    """The processor of engine `index` of `of`, counted from 0: each its own where they come out even, otherwise None.
    With fewer engines than processors, or an uneven number, keeping to one would only leave another idle."""
    if len(_ALL) < 2 or of % len(_ALL):
        return None
    return sorted(_ALL)[index % len(_ALL)]


def keep(processor: int) -> bool:
    """The calling thread, and what threads and processes it starts, keep to it. Whether the kernel took it."""
    return _set(frozenset({processor}))


def roam() -> None:
    """The calling thread may run wherever this process was allowed to."""
    _set(_ALL)


@contextmanager
def roaming() -> Iterator[None]:
    """What is started within roams; the calling thread afterwards keeps to what it kept to."""
    kept = _given()
    if kept == _ALL:
        yield
        return
    roam()
    try:
        yield
    finally:
        _set(kept)


def _set(processors: frozenset[int]) -> bool:
    if sys.platform != "linux":
        return False
    try:
        # 0 is the calling thread alone, sched_setaffinity(2)
        os.sched_setaffinity(0, processors)
    except OSError:
        return False
    return True
