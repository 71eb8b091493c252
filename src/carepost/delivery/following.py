"""Follows what the office knows of sending: a limit that is changed, a pause that a person lifts, what providers asked
of another process. Within two seconds, also of organisations whose mail is all held back."""

import asyncio
from typing import Final, Protocol

from carepost.delivery.ways import Pace
from carepost.directory.types import OrgSnapshot
from carepost.ground.errors import CarepostError

#: seconds between looks
EVERY: Final = 0.5


class Organisations(Protocol):
    """`directory.Directory`."""

    def organisations(self) -> tuple[bytes, ...]: ...

    def snapshot(self, org: bytes) -> OrgSnapshot: ...


class Follower:
    def __init__(self, pace: Pace, directory: Organisations) -> None:
        self.pace = pace
        self._directory = directory
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self.look()
        self._timer = asyncio.get_running_loop().call_later(EVERY, self.start)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def look(self) -> None:
        for org in self._directory.organisations():
            try:
                self.pace.know(self._directory.snapshot(org))
            except CarepostError:
                # unreadable for now: what was known of it holds
                continue
