"""When it is told that something runs out: 30, 7 and 0 days before, each step once."""

from typing import Final

DAY_US: Final = 86_400_000_000
#: days before the end at which is warned
STEPS: Final = (30, 7, 0)


def step(ends_at: int, now: int, warned: int) -> tuple[int, int] | None:
    """(whole days left, the step that is due), or None. `warned`: the last step that was told, in days; more than
    STEPS[0] where none was. Times in UTC microseconds."""
    left = max(0, (ends_at - now) // DAY_US)
    due = min((days for days in STEPS if left <= days), default=None)
    return None if due is None or due >= warned else (left, due)
