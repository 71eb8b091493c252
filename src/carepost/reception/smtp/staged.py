"""Messages whose final dot came in one turn of the loop, handed over together, stage by stage.

A message alone goes at once, in the turn a task of its own would have. Nothing else is different: each is answered for
itself, when its commit is through, and fails alone."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from carepost.ground import log, metrics
from carepost.intake.stages import Begun
from carepost.reception.credentials import Credentials, Identity
from carepost.reception.smtp import handover
from carepost.reception.smtp.effects import Accept
from carepost.wire.types import Accepted, Submission

#: told what became of a message; None: `SmtpServer.hand_over` has to be asked
Tell = Callable[[Accepted | Exception | None], None]


class Door(Protocol):
    """`processes.pacing.Paced`."""

    def begin_all(self, submissions: Sequence[Submission]) -> list[Begun]: ...

    def due(self, tell: Callable[[Accepted], None], accepted: Accepted) -> None: ...


class Staged:
    """One for all listeners of a process. On the loop only."""

    def __init__(self, door: Door, credentials: Credentials) -> None:
        self._door = door
        self._credentials = credentials
        self._waiting: list[tuple[Submission, Identity, Tell]] = []

    def take(self, accept: Accept, client: str, tell: Tell) -> bool:
        """False: it is none of the usual kind, and goes its own way. Else `tell` is called, once."""
        submission = handover.at_once(accept, client)
        if submission is None or accept.identity is None:
            return False
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)
        self._waiting.append((submission, accept.identity, tell))
        return True

    def _turn(self) -> None:
        waiting, self._waiting = self._waiting, []
        entering: list[tuple[Submission, Tell]] = []
        for submission, identity, tell in waiting:
            refused = self._refused(identity)
            if refused is not None:
                _told(tell, refused)
            else:
                entering.append((submission, tell))
        begun = self._door.begin_all([submission for submission, _ in entering])
        for (_, tell), one in zip(entering, begun, strict=True):
            if isinstance(one, asyncio.Future):
                one.add_done_callback(partial(self._ended, tell))
            else:
                _told(tell, one)

    def _refused(self, identity: Identity) -> Exception | None:
        """The message may have been long in coming: a credential withdrawn meanwhile sends nothing more (DESIGN 2)."""
        try:
            if self._credentials.holds(identity):
                return None
        except Exception as error:
            return error
        return handover.withdrawn()

    def _ended(self, tell: Tell, future: "asyncio.Future[Accepted]") -> None:
        error = future.exception()
        if error is None:
            metrics.count("smtp_accepted")
            self._door.due(tell, future.result())
        else:
            tell(error if isinstance(error, Exception) else RuntimeError("not waited for"))


def _told(tell: Tell, end: Exception | None) -> None:
    """A fault of one connection must not keep the others from being answered."""
    try:
        tell(end)
    except Exception as error:
        log.failure("smtp-answer-failed", error)
