"""Accepting no faster than we deliver, while the processor is the limit.

Taking mail costs less than delivering it. On a saturated core the accepted pile up, their bodies are written out of
memory's reach, and each is read back later: every message costs a third more, and waits for all before it. So where
the loop lags and many deliveries are under way, an answer that is ready waits a moment (as Postfix's in_flow_delay).
A slow destination does not slow the door: then nothing lags.

For SMTP alone, where a relay stands behind the client and feels the answer. A program that hands messages over by HTTP
asked the queue to keep them, and takes its 202 as fast as they are durable; while it presses, its own deliveries are
begun more slowly (`busy`, `delivery.easing`).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from carepost.intake.refusals import RefusedSender
from carepost.intake.stages import Begun
from carepost.wire.types import Accepted, AcceptedDelivery, Submission

#: deliveries under way from which answers wait, and where they go on
HIGH, LOW = 160, 120
#: seconds between looks; how late a look must be for the loop to count as lagging; longest wait of an answer
EVERY, LATE, LONGEST = 0.02, 0.004, 0.25
#: how late a look must be for the processor to count as busy, and seconds for which one such look counts
BUSY, RECENT = 0.002, 0.25


class Door(Protocol):
    """`intake.Intake`."""

    async def accept(self, submission: Submission) -> Accepted: ...

    def begin_all(self, submissions: Sequence[Submission]) -> list[Begun]: ...

    async def preview(self, submission: Submission) -> tuple[AcceptedDelivery, ...]: ...

    def sender_refused(self, refused: RefusedSender) -> None: ...


class Paced:
    """An intake whose answers wait under pressure. The message is durable before: who leaves then loses nothing."""

    def __init__(self, intake: Door, held: Callable[[], int]) -> None:
        self._intake = intake
        self._held = held
        #: until when, whom to tell, of what
        self._waiting: deque[tuple[float, Callable[[Accepted], None], Accepted]] = deque()
        self._lagging = False
        self._timer: asyncio.TimerHandle | None = None
        self._expected = 0.0
        self._late_at = float("-inf")

    def busy(self) -> bool:
        """The loop had more to do of late than it could."""
        return asyncio.get_running_loop().time() - self._late_at < RECENT

    def start(self) -> None:
        self._again(asyncio.get_running_loop())

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._lagging = False
        self._release(len(self._waiting))

    async def accept(self, submission: Submission) -> Accepted:
        accepted = await self._intake.accept(submission)
        if not (self._lagging and self._held() > HIGH):
            return accepted
        turn: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self.due(lambda one: None if turn.done() else turn.set_result(one), accepted)
        return await turn

    def begin_all(self, submissions: Sequence[Submission]) -> list[Begun]:
        """`Intake.begin_all`; each answer then goes through `due`."""
        return self._intake.begin_all(submissions)

    def due(self, tell: Callable[[Accepted], None], accepted: Accepted) -> None:
        """Calls `tell` when the answer may go: at once, or a moment later."""
        if self._lagging and self._held() > HIGH:
            self._waiting.append((asyncio.get_running_loop().time() + LONGEST, tell, accepted))
        else:
            tell(accepted)

    async def preview(self, submission: Submission) -> tuple[AcceptedDelivery, ...]:
        return await self._intake.preview(submission)

    def sender_refused(self, refused: RefusedSender) -> None:
        self._intake.sender_refused(refused)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        late = now - self._expected
        # one late look is enough to begin, a punctual one to end
        self._lagging = late > LATE
        if late > BUSY:
            self._late_at = now
        if self._waiting:
            held = self._held()
            overdue = sum(1 for deadline, _, _ in self._waiting if deadline <= now)
            self._release(len(self._waiting) if not self._lagging else max(overdue, LOW - held))
        self._again(loop)

    def _release(self, count: int) -> None:
        for _ in range(min(count, len(self._waiting))):
            _, tell, accepted = self._waiting.popleft()
            tell(accepted)

    def _again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._expected = loop.time() + EVERY
        self._timer = loop.call_later(EVERY, self._look)
