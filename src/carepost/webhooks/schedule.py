"""When a call that failed is made again, and what kind of failure it was."""

import random
from typing import Final

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
#: seconds before the next try, the last repeated until a day is over
WAITS: Final = (5, 30, 120, 300, 900, 1_800, 3_600, 7_200, 10_800)
#: in a sandbox home, where nobody waits for hours
QUICK: Final = (1, 2, 5, 10, 30, 60)
#: a receiver may ask for a pause of at most so many seconds
LONGEST_ASKED: Final = 3_600
#: a later event of a message waits for an earlier one until that was tried so often
OVERTAKE: Final = 3

SENT, GONE, ENDPOINT, EVENT = "sent", "gone", "endpoint", "event"
#: answers that speak of the receiver, not of what it was told
_RECEIVER: Final = frozenset({401, 403, 404, 405, 407, 408, 421, 425, 429})
_random = random.SystemRandom()


def judged(status: int) -> str:
    """What an answer says: sent | gone | endpoint (it takes nothing now) | event (it does not take this one). A 3xx is
    the receiver's failure: it is never followed."""
    if 200 <= status < 300:
        return SENT
    if status == 410:
        return GONE
    return EVENT if 400 <= status < 500 and status not in _RECEIVER else ENDPOINT


def wait(times: int, *, quick: bool = False, asked: int = 0) -> int:
    """Microseconds after the `times`-th failure in a row (from 1), a fifth more or less; at least what was `asked`
    (seconds)."""
    waits = QUICK if quick else WAITS
    base = waits[min(max(times, 1), len(waits)) - 1] * _random.uniform(0.8, 1.2)
    return int(max(base, min(asked, LONGEST_ASKED)) * SECOND)
