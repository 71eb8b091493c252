"""How often and how many at once one key may ask (BI-084): a bucket of one minute, and a count of what runs."""

import math

from carepost.ground import clock
from carepost.reception.http.limits import HttpLimits

#: a key not seen for this long has a full bucket again and is forgotten
_FORGET = 120.0


class _Bucket:
    __slots__ = ("at", "left", "most", "running")

    def __init__(self, most: int, at: float) -> None:
        #: a minute's worth
        self.most = most
        self.left = float(most)
        self.at = at
        self.running = 0


class Rate:
    """Counts of this process. A limit of the server holds for each engine; one that was given to a key is shared out
    among the engines of the home."""

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._buckets: dict[str, _Bucket] = {}
        self._swept = clock.monotonic()

    def enter(self, key: str, own: int = 0) -> float:
        """0: go on, and call `leave` after. Else the seconds after which to come again. `own`: what the key itself may
        ask in a minute (0: what the server allows)."""
        now = clock.monotonic()
        most = min(self._limits.per_minute, self._part(own)) if own else self._limits.per_minute
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(most, now)
            self._sweep(now)
        bucket.most = most
        per_second = most / 60
        bucket.left = min(most, bucket.left + (now - bucket.at) * per_second)
        bucket.at = now
        if bucket.running >= self._limits.at_once:
            return 1.0
        if bucket.left < 1:
            return math.ceil((1 - bucket.left) / per_second)
        bucket.left -= 1
        bucket.running += 1
        return 0.0

    def _part(self, own: int) -> int:
        """Of a key's own limit, this engine's; each has one a minute at least, or it could answer nothing."""
        each, over = divmod(own, self._limits.engines)
        return max(1, each + (self._limits.engine < over))

    def charge(self, key: str, more: int) -> None:
        """A batch counts as many as it carries; what it overdraws is waited for before the next request."""
        self._buckets[key].left -= more

    def leave(self, key: str) -> None:
        self._buckets[key].running -= 1

    def state(self, key: str) -> bytes:
        """The value of the RateLimit field: what is left, and when it is full again."""
        bucket = self._buckets[key]
        missing = bucket.most - bucket.left
        return b'"send";r=%d;t=%d' % (max(0, bucket.left), math.ceil(missing * 60 / bucket.most))

    def policy(self, key: str) -> bytes:
        """The value of the RateLimit-Policy field."""
        return b'"send";q=%d;w=60' % self._buckets[key].most

    def _sweep(self, now: float) -> None:
        if now - self._swept < _FORGET:
            return
        self._swept = now
        gone = [key for key, bucket in self._buckets.items() if not bucket.running and now - bucket.at > _FORGET]
        for key in gone:
            del self._buckets[key]
