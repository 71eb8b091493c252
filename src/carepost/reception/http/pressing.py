"""Which organisations' programs hand over more at the same moment than one by one: whoever delivers asks (`now`)."""

from collections import Counter
from typing import Final

import msgspec

from carepost.ground import clock

#: messages of one organisation in hand at the same moment, and seconds for which that counts
MANY: Final = 4
RECENT: Final = 0.2
#: seconds a burst is made way for, and seconds of quiet before the next one is
BURST: Final = 5.0
QUIET: Final = 5.0


class _Burst(msgspec.Struct):
    began: float
    last: float


class Pressing:
    """On the loop only; one for an engine."""

    def __init__(self) -> None:
        self._running: Counter[bytes] = Counter()
        self._bursts: dict[bytes, _Burst] = {}

    def begin(self, org: bytes, messages: int = 1) -> None:
        self._running[org] += messages
        if self._running[org] >= MANY:
            now = clock.monotonic()
            burst = self._bursts.get(org)
            if burst is None or now - burst.last > QUIET:
                self._bursts[org] = _Burst(now, now)
            else:
                burst.last = now

    def end(self, org: bytes, messages: int = 1) -> None:
        self._running[org] -= messages
        if not self._running[org]:
            del self._running[org]

    def now(self, org: bytes) -> bool:
        """A burst of this organisation's mail comes in, and has not lasted too long."""
        burst = self._bursts.get(org)
        if burst is None:
            return False
        now = clock.monotonic()
        if now - burst.last > QUIET:
            del self._bursts[org]
        return now - burst.last <= RECENT and now - burst.began < BURST
