"""What an attempt works with, as one value that `processes` builds."""

from typing import Protocol

import msgspec

from carepost.delivery.courier import Courier
from carepost.delivery.hops import Finder
from carepost.delivery.methods.tls import Preparer
from carepost.delivery.schedule import Schedule
from carepost.directory.types import OrgSnapshot
from carepost.posture import Posture
from carepost.wire.types import Accepted, Submission


class Organisations(Protocol):
    """`directory.Directory`."""

    def snapshot(self, org: bytes) -> OrgSnapshot: ...


class Door(Protocol):
    """`intake.Intake`: reports are mail, and mail has one door (law 1)."""

    async def accept(self, submission: Submission) -> Accepted: ...


class World(msgspec.Struct, frozen=True):
    directory: Organisations
    posture: Posture
    finder: Finder
    courier: Courier
    preparer: Preparer
    intake: Door
    schedule: Schedule
    #: what this system calls itself in reports
    hostname: str
