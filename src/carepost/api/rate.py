"""How often one key may ask the office (BI-084): a minute's worth at once, filled again evenly. Counts of this process,
which alone answers for the office. Sends are the engines' and are counted there."""

import math
import threading
from typing import Final

import msgspec

from carepost.ground import clock

#: requests of one key in a minute, where it has no smaller limit of its own
PER_MINUTE: Final = 3_000
#: keys that are remembered; the one that was quiet for longest goes first, and has a full minute again
MOST: Final = 10_000


class Allowed(msgspec.Struct, frozen=True):
    #: seconds after which to come again; 0: go on
    wait: int
    most: int
    left: int
    #: seconds until a whole minute's worth is there again
    full: int

    def fields(self) -> dict[str, str]:
        """The RateLimit fields of an answer (draft-ietf-httpapi-ratelimit-headers)."""
        policy, state = f'"office";q={self.most};w=60', f'"office";r={self.left};t={self.full}'
        told = {"RateLimit-Policy": policy, "RateLimit": state}
        return told | ({"Retry-After": str(self.wait)} if self.wait else {})


class Rate:
    """Safe to ask from several threads."""

    def __init__(self, per_minute: int = PER_MINUTE) -> None:
        self._per_minute = per_minute
        #: key -> (what is left, at); the longest quiet first
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def ask(self, key: str, own: int = 0) -> Allowed:
        """One request. `own`: the key's own limit; 0: none."""
        most = min(own, self._per_minute) if own else self._per_minute
        per_second = most / 60
        now = clock.monotonic()
        with self._lock:
            left, at = self._left.pop(key, (float(most), now))
            left = min(most, left + (now - at) * per_second)
            wait = 0 if left >= 1 else math.ceil((1 - left) / per_second)
            left -= not wait
            self._left[key] = left, now
            while len(self._left) > MOST:
                del self._left[next(iter(self._left))]
        return Allowed(wait, most, int(left), math.ceil((most - left) / per_second))
