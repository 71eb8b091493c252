"""When a delivery is tried again, and for how long (RFC 5321 4.5.4.1). Pure. Times: UTC microseconds; waits: s."""

import msgspec

SECOND = 1_000_000


class Schedule(msgspec.Struct, frozen=True):
    """From the settings `retry_first`, `retry_longest` and `give_up`: with the defaults two tries in the first hour,
    then every two to three hours, for four days."""

    first: float = 1800.0
    longest: float = 10_800.0
    give_up: float = 345_600.0

    def next(self, attempt: int, now: int, jitter: float = 0.0) -> int:
        """When attempt number `attempt` + 1 is due. `jitter` 0..1 lengthens the wait by up to a tenth, so that what
        failed together does not come back together; never shortens it."""
        wait = self.first
        for _ in range(min(attempt - 1, 32)):
            wait = min(wait * 2, self.longest)
        return now + int(min(wait, self.longest) * (1 + 0.1 * jitter) * SECOND)

    def ends(self, first_due: int, expires_at: int = 0) -> int:
        """After this nothing is tried any more. `expires_at`: the message's own limit, or 0."""
        end = first_due + int(self.give_up * SECOND)
        return min(end, expires_at) if expires_at else end

    def tell_delay(self, first_due: int) -> int:
        """When the sender is told, once, that it takes longer: a 24th of the whole time, four hours as a rule."""
        return first_due + int(self.give_up / 24 * SECOND)
