"""Dates of header fields (RFC 5322 3.3), always in UTC."""

import time
from functools import lru_cache

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: RFC 5322 knows four digits of year
_MAX_US = 253_402_300_799_000_000


def text(us: int) -> str:
    """`Fri, 21 Nov 2026 18:48:00 +0000` for UTC microseconds; `time.strftime` would speak the locale's language."""
    return _text(max(0, min(us, _MAX_US)) // 1_000_000)


@lru_cache(maxsize=64)
def _text(seconds: int) -> str:
    """A busy second says it a thousand times."""
    t = time.gmtime(seconds)
    day, month = _DAYS[t.tm_wday], _MONTHS[t.tm_mon - 1]
    return f"{day}, {t.tm_mday:02d} {month} {t.tm_year:04d} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} +0000"
