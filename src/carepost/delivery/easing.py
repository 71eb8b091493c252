"""Deliveries put off while new mail of the same organisation presses in and the processor is the limit.

Taking a message and delivering it cost the same processor. A program that sends a thousand at once asked the queue to
keep them: it is answered sooner when its own deliveries wait a little. Others' deliveries never wait for it, its own
go on at a low pace, none waits longer than `LONGEST` in here, and they begin in the order in which they came."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

Work = TypeVar("Work")

#: seconds between looks, deliveries begun at each while they are pressed, and seconds one is put off at most
EVERY: Final = 0.02
BEGUN: Final = 4
LONGEST: Final = 5.0


def never(org: bytes) -> bool:
    return False


class Easing(Generic[Work]):
    """On the loop only. `begin` is called with each work put off, sooner or later."""

    def __init__(self, pressed: Callable[[bytes], bool], begin: Callable[[Work], None]) -> None:
        self._pressed = pressed
        self._begin = begin
        #: until when, whose, what
        self._waiting: deque[tuple[float, bytes, Work]] = deque()
        self._orgs: Counter[bytes] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def put_off(self, org: bytes, work: Work) -> bool:
        """False: it is begun now, by the caller."""
        if org not in self._orgs and not self._pressed(org):
            return False
        loop = asyncio.get_running_loop()
        self._orgs[org] += 1
        self._waiting.append((loop.time() + LONGEST, org, work))
        if self._timer is None:
            self._timer = loop.call_later(EVERY, self._look)
        return True

    def close(self) -> list[Work]:
        """What waits is not begun any more; whose it is says the caller."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        left = [work for _, _, work in self._waiting]
        self._waiting.clear()
        self._orgs.clear()
        return left

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now, left = loop.time(), BEGUN
        while self._waiting:
            until, org, work = self._waiting[0]
            if left <= 0 and until > now and self._pressed(org):
                break
            self._waiting.popleft()
            self._orgs[org] -= 1
            if not self._orgs[org]:
                del self._orgs[org]
            left -= 1
            self._begin(work)
        self._timer = loop.call_later(EVERY, self._look) if self._waiting else None
