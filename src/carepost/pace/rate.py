"""Rates without a counter to reset (the generic cell rate algorithm), and shares of a limit between processes. Pure.

Times are UTC microseconds."""

from typing import Final

MINUTE: Final = 60_000_000


def interval(count: int, per: int = MINUTE, parts: int = 1) -> int:
    """Microseconds between two when `count` may go in `per`, where `parts` processes share it evenly."""
    return per * parts // count


def admit(tat: int, now: int, step: int, burst: int = 1) -> tuple[int, int]:
    """One wants to go. `tat`: when the next would go at an even pace, kept between calls (0 at first); `step` as
    `interval`; `burst`: how many may go at once after a pause.

    -> (now, the new tat) where it may; (when it may, the old tat) where it must wait."""
    earliest = tat - (burst - 1) * step
    if now < earliest:
        return earliest, tat
    return now, max(now, tat) + step


def burst_of(per_minute: int) -> int:
    """A second's worth: steadiness is what receivers ask for."""
    return max(1, per_minute // 60)


def share(limit: int, parts: int, part: int, now: int) -> int:
    """What one of `parts` processes may use of a limit: the remainder goes round by the minute, so that all together
    never use more than the limit, and each has its turn. 0: not in this minute. No limit stays none (0 in, and the
    caller must not ask)."""
    if parts <= 1:
        return limit
    minute = now // MINUTE
    return limit // parts + (1 if (part + minute) % parts < limit % parts else 0)


def next_turn(limit: int, parts: int, part: int, now: int) -> int:
    """When `share` gives something again, at the latest: the beginning of that minute."""
    at = now
    for _ in range(parts):
        at = (at // MINUTE + 1) * MINUTE
        if share(limit, parts, part, at):
            return at
    return at
