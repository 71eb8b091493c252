"""What one endpoint is to be told next: in order, one event of a message at a time, nothing twice at once."""

from typing import Final

from carepost.audit.store import Store
from carepost.webhooks import checking
from carepost.webhooks.calls import rows
from carepost.webhooks.calls.rows import Pending, State
from carepost.webhooks.schedule import OVERTAKE
from carepost.webhooks.targets import Target

#: calls of one endpoint at once; in SendGrid's format one, of so many events
WIDE, BATCH = 8, 500
#: rows kept at hand
BUFFER: Final = 600
_RETRIED: Final = 500
#: never, in UTC microseconds
NEVER: Final = 1 << 62


class Lane:
    def __init__(self, target: Target, state: State) -> None:
        self.target = target
        self.state = state
        #: told now, or told and not on record yet
        self.held: dict[tuple[bytes, int, int, str], Pending] = {}
        self.flying = 0
        self.buffer: list[Pending] = []
        #: there may be rows that are not at hand
        self.more = True
        #: UTC microseconds: nothing to do before
        self.next_look = 0

    @property
    def batches(self) -> bool:
        return self.target.format == checking.SENDGRID

    def renew(self, target: Target, state: State) -> None:
        self.target, self.state = target, state
        self.buffer, self.more, self.next_look = [], True, 0

    def touch(self) -> None:
        self.more, self.next_look = True, 0

    def room(self, share: int) -> int:
        """How many calls may begin."""
        most = 1 if self.batches or self.state.failures else max(1, min(WIDE, share))
        return most - self.flying

    def resting(self, now: int) -> bool:
        """It is told nothing now but what is told in any case."""
        return not self.target.live or self.state.not_before > now

    def refill(self, store: Store, now: int) -> None:
        """Inside `store.reading`."""
        if self.more and self.resting(now):
            have = self.held.keys() | {row.key for row in self.buffer}
            forced = rows.fresh(store, self.target.org, self.target.endpoint, WIDE + len(have), forced=True)
            self.buffer += [row for row in forced if row.key not in have]
        if not self.more or len(self.buffer) > BUFFER // 2:
            return
        org, endpoint = self.target.org, self.target.endpoint
        have = self.held.keys() | {row.key for row in self.buffer}
        limit = BUFFER + len(have)
        retried = rows.again(store, org, endpoint, _RETRIED + len(have))
        fresh = rows.fresh(store, org, endpoint, limit)
        self.buffer += [row for row in (*retried, *fresh) if row.key not in have]
        self.more = len(fresh) >= limit or len(retried) >= _RETRIED + len(have)
        self.sort()

    def sort(self) -> None:
        self.buffer.sort(key=lambda row: row.key)

    def choose(self, room: int, now: int) -> list[Pending]:
        """Takes what is told now from the buffer; sets when there is something to do again."""
        blocked = {row.message for row in self.held.values()} - {b""}
        resting = self.resting(now)
        chosen: list[Pending] = []
        kept: list[Pending] = []
        soonest = self.state.not_before if resting and self.target.live else NEVER
        for row in self.buffer:
            late = row.due_at > now or (resting and not row.forced)
            if late or len(chosen) >= room or (row.message in blocked and not row.forced):
                kept.append(row)
                if late and not resting:
                    soonest = min(soonest, row.due_at)
                if row.message and not (late and row.tries >= OVERTAKE):
                    blocked.add(row.message)
                continue
            chosen.append(row)
            if row.message and not self.batches:
                blocked.add(row.message)
        self.buffer = kept
        self.next_look = 0 if self.more and chosen else soonest
        return chosen
