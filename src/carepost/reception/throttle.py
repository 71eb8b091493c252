"""Counting what happens too often: events by key in a window of time, in bounded memory."""

from carepost.ground import clock

#: keys remembered; beyond it the oldest windows are dropped first
MOST = 20_000


class Throttle:
    """At most `limit` hits of one key in `window` seconds; then `over` until the window has passed."""

    def __init__(self, limit: int, window: float) -> None:
        self._limit = limit
        self._window = window
        #: key -> (start of the window, hits); insertion order is age
        self._hits: dict[str, tuple[float, int]] = {}

    def hit(self, key: str) -> None:
        now = clock.monotonic()
        start, count = self._hits.get(key, (now, 0))
        if now - start > self._window:
            del self._hits[key]
            start, count = now, 0
        self._hits[key] = (start, count + 1)
        while len(self._hits) > MOST:
            del self._hits[next(iter(self._hits))]

    def over(self, key: str) -> bool:
        start, count = self._hits.get(key, (0.0, 0))
        return count >= self._limit and clock.monotonic() - start <= self._window
