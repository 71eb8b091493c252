"""Time, the only place it comes from. UTC in integer microseconds; tests replace the source."""

import time
from collections.abc import Callable


def _system() -> int:
    return time.time_ns() // 1000


_source: Callable[[], int] = _system


def now() -> int:
    """UTC microseconds since 1970."""
    return _source()


def monotonic() -> float:
    """Seconds, for time-outs only."""
    return time.monotonic()


def set_source(source: Callable[[], int] | None) -> None:
    """Tests only: another source of `now`; None puts the system's back."""
    global _source
    _source = source or _system


def rfc3339(us: int) -> str:
    """`2026-11-21T18:48:23.123456Z`."""
    seconds, micro = divmod(us, 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{micro:06d}Z"
