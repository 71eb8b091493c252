"""Whether the kernel holds the clock to be synchronised (adjtimex(2)): stated in events, never acted upon."""

import ctypes
import sys
from typing import Final

SYNCHRONISED: Final = "synchronised"
UNSYNCHRONISED: Final = "unsynchronised"
UNKNOWN: Final = "unknown"

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


class _Timex(ctypes.Structure):
    """The beginning of struct timex on 64-bit Linux; the rest is room for what the kernel writes."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_byte * 256),
    ]


def state() -> tuple[str, int]:
    """(SYNCHRONISED | UNSYNCHRONISED | UNKNOWN, greatest error in microseconds the kernel admits, 0 when unknown)."""
    if sys.platform != "linux":
        return UNKNOWN, 0
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return UNKNOWN, 0
    # modes 0 only reads: no privilege is needed
    timex = _Timex()
    answer = adjtimex(ctypes.byref(timex))
    if answer < 0:
        return UNKNOWN, 0
    bad = answer == _TIME_ERROR or timex.status & _STA_UNSYNC
    return (UNSYNCHRONISED if bad else SYNCHRONISED), int(timex.maxerror)
