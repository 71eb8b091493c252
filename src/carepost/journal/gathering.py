"""How long the events of a shard gather before the journal takes them: shortly for one message, longer where many come,
and while a burst lasts at most five seconds, so that taking and delivering mail has the processor and the disk."""

from typing import Final

#: seconds events gather after a batch that was not full: each commit writes the same inner pages of the log's trees
#: again, encrypted, however few rows it brings
SHORT: Final = 0.25
#: and where many come: a batch of 1,400 costs a tenth less than four of 350 (bench/journal_bench.py)
LONG: Final = 1.0
#: events of one batch that are many; a message has three
MANY: Final = 100
#: events a second of one shard that are a burst: some 170 messages
BURST: Final = 500
#: seconds a burst is made way for (as `delivery.easing` does); a program that presses on is treated as before after
#: them, until it was quiet
WAY: Final = 5.0
#: events that wait, above which the journal goes on all the same: less than a shard keeps at hand (`spool.shard.TAIL`)
MOST: Final = 8_000


class Gathering:
    """Of one shard, on its drainer's thread. Times are seconds of one monotonic clock."""

    def __init__(self, full: int) -> None:
        """`full`: events of a full batch, after which there is no rest."""
        self._full = full
        #: when the burst under way began to be made way for; None: there is none
        self._since: float | None = None

    def rest(self, brought: int) -> float:
        """Seconds after a batch of so many; none after a full one, nor where the wait was at the engine."""
        if brought < MANY:
            self._since = None
            return SHORT if brought else 0.0
        return LONG if brought < self._full else 0.0

    def longer(self, came: int, waiting: int, over: float, now: float) -> bool:
        """Whether to rest `LONG` once more: `came` events in the last `over` seconds, `waiting` in all."""
        if came < BURST * over:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        return waiting < MOST and now - self._since < WAY
