"""How long held mail waits for a person, and what happens then. Pure.

A rule says it (`held_hours`, `held_then`); where none does it is a week, and then the message goes back to its sender.
What a person must see whatever the time (damaged, restored, a report nobody could read) waits without end."""

from typing import Final

from carepost.policy.types import Hold

#: at the end of its time the sender is told that it was not sent; it is sent as the rules then say; it goes on waiting
REFUSE: Final = "refuse"
RELEASE: Final = "release"
KEEP: Final = "keep"
THEN: Final = (REFUSE, RELEASE, KEEP)

#: hours, where no rule says otherwise; the longest a rule may say
DEFAULT_HOURS: Final = 168
MOST_HOURS: Final = 24 * 366
_HOUR_US: Final = 3_600_000_000

#: how what was held ends without being sent: code -> what its sender is told
BY_REVIEWER: Final = "refused-by-reviewer"
TOO_LONG: Final = "held-too-long"
ENDS: Final = {
    BY_REVIEWER: "A person of the organisation looked at this message and decided that it is not sent.",
    TOO_LONG: "It waited for a person of the organisation to release it, and nobody did in the time allowed. "
    "It was not sent.",
}

#: only what a rule holds may leave by the clock: everything else waits for what only a person can know or mend
_RELEASABLE: Final = frozenset({"rule-holds", "not-known-enough"})
#: reasons without an end
_ENDLESS: Final = frozenset({"dsn-waits", "held-by-person", "restored", "damaged", "cannot-be-opened"})


def until(hold: Hold, since: int) -> int:
    """UTC microseconds at which it has waited long enough; 0: never."""
    if hold.reason in _ENDLESS or hold.then == KEEP:
        return 0
    return since + (hold.hours or DEFAULT_HOURS) * _HOUR_US


def then(hold: Hold) -> str:
    """refuse | release; "" where it waits without end."""
    if hold.reason in _ENDLESS or hold.then == KEEP:
        return ""
    if hold.then == RELEASE and hold.reason in _RELEASABLE and not hold.approvals:
        return RELEASE
    return REFUSE


def ends(why: str, note: str) -> str:
    """What the sender of a message that is not sent is told; `note`: in a person's words."""
    return f"{ENDS[why]} They write: {note}" if note else ENDS[why]
