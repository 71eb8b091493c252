"""Time, the only place it comes from. UTC in integer microseconds; tests replace the source."""

import time
from collections.abc import Callable

_time_ns = time.time_ns


def _system() -> int:
    return _time_ns() // 1000


#: UTC microseconds since 1970. Called by this module's name, never imported by its own: a message asks a dozen times,
#: and tests put another source here
now: Callable[[], int] = _system

#: seconds, for time-outs only
monotonic: Callable[[], float] = time.monotonic


def set_source(source: Callable[[], int] | None) -> None:
    """Tests only: another source of `now`; None puts the system's back."""
    global now
    now = source or _system


def rfc3339(us: int) -> str:
    """`2026-11-21T18:48:23.123456Z`."""
    seconds, micro = divmod(us, 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{micro:06d}Z"
