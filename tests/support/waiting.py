"""Waiting for what another process does: always with a deadline, never for a fixed time."""

import os
import select
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
#: seconds between looks where the system has no event to wait for
LOOK = 0.02


def until(look: Callable[[], T], *, within: float, what: str, told: Callable[[], str] | None = None) -> T:
    """The first answer of `look` that is true. Fails naming `what` and the last answer, or what `told` says then."""
    deadline = time.monotonic() + within
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            last = told() if told else str(found)
            raise AssertionError(f"not within {within:.0f} s: {what} (last: {last[:1000]})")
        time.sleep(LOOK)


def gone(pid: int, within: float) -> bool:
    """True when the process ended within so many seconds (a zombie counts as ended)."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ready, _, _ = select.select([fd], [], [], within)
        return bool(ready)
    finally:
        os.close(fd)
