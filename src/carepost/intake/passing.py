"""What is known of one submission on its way through the door, stage by stage."""

import asyncio
from typing import Protocol

from carepost.directory.types import OrgSnapshot
from carepost.intake.facts import About
from carepost.intake.judge import Judged
from carepost.queue.types import EventDraft, NewMessage
from carepost.rfc.envelope import Recipient
from carepost.rfc.message import Message
from carepost.wire.types import Accepted, Submission


class Keeper(Protocol):
    """`queue.Queue`."""

    number: int

    def submit(self, new: NewMessage) -> "asyncio.Future[Accepted]": ...

    def repeated(self, token: bytes) -> bytes | None: ...

    async def note(self, org: bytes, event: EventDraft) -> None: ...


class Passing:
    """One submission on its way through the door."""

    __slots__ = ("about", "begun", "judged", "new", "queue", "read", "snapshot", "submission")

    queue: Keeper
    snapshot: OrgSnapshot
    read: Message
    about: About
    judged: list[tuple[Recipient, Judged]]
    new: NewMessage
    begun: asyncio.Future[Accepted]

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
