"""Counting sessions for TLS-RPT (RFC 8460) and for the history of destinations: dictionary increments on the loop,
written by the store's thread some seconds later. A connection used again is no new session and costs nothing."""

import asyncio
from collections.abc import Callable

import msgspec

from carepost.ground import clock
from carepost.posture.types import Count, Day, Failure, Policy

DAY_US = 86_400_000_000
#: seconds counts may wait for the disk; the first of an organisation with a domain on a day does not
SOON = 10.0
#: what a hostile domain may make us remember in a day: policies, and kinds of failure under one
POLICIES, FAILURES = 20, 100

Key = tuple[bytes, str, int]


class Tallies:
    """`save` takes a finished `Day`: all that was counted so far, which replaces what was saved before."""

    def __init__(self, save: Callable[[Day], None]) -> None:
        self._save = save
        self._days: dict[Key, dict[Policy, tuple[list[int], dict[Failure, int]]]] = {}
        self._dirty: set[Key] = set()
        self._timer: asyncio.TimerHandle | None = None

    def count(self, org: bytes, domain: str, policy: Policy, failure: Failure | None = None) -> None:
        """One session of `org` with `domain`, set up (None) or failed."""
        key = (org, domain, clock.now() // DAY_US)
        day = self._days.get(key)
        first = day is None
        if day is None:
            self._forget(key[2])
            day = self._days[key] = {}
        counted = day.get(policy)
        if counted is None:
            if len(day) >= POLICIES:
                policy = Policy(policy.type, policy.domain)
            counted = day.setdefault(policy, ([0], {}))
        if failure is None:
            counted[0][0] += 1
        else:
            failed = counted[1]
            if failure not in failed and len(failed) >= FAILURES:
                failure = Failure(failure.result)
            failed[failure] = failed.get(failure, 0) + 1
        self._dirty.add(key)
        if first:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SOON, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        dirty, self._dirty = self._dirty, set()
        for key in dirty:
            self._save(self._day(key))

    def _day(self, key: Key) -> Day:
        counts = tuple(
            Count(policy, good[0], list(failed.items())) for policy, (good, failed) in self._days[key].items()
        )
        return Day(*key, counts)

    def _forget(self, today: int) -> None:
        """Days that are over are on disk once they were flushed."""
        over = [key for key in self._days if key[2] < today]
        if over:
            self.flush()
            for key in over:
                del self._days[key]


def add(days: list[Day]) -> Day:
    """What several processes counted of the same day, together. `days`: at least one, of one key."""
    found: dict[Policy, tuple[int, dict[Failure, int]]] = {}
    for day in days:
        for count in day.counts:
            good, failed = found.get(count.policy, (0, {}))
            for failure, times in count.failed:
                failed[failure] = failed.get(failure, 0) + times
            found[count.policy] = (good + count.good, failed)
    counts = tuple(Count(policy, good, list(failed.items())) for policy, (good, failed) in found.items())
    return msgspec.structs.replace(days[0], counts=counts)
