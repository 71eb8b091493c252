"""The organisation's records as the console asks for them: search, one message, one proof. Each is a gate of the
archive, which authorises, scopes to the organisation and writes the event before it answers (law 7)."""

from typing import Protocol
from uuid import UUID

import msgspec

from carepost.tenancy.gates import Desk
from carepost.wire.types import MessageView


class Criteria(msgspec.Struct, frozen=True):
    """Empty matches all. `message_id`: a message number or a Message-ID. Times UTC microseconds, `until` exclusive."""

    recipient: str = ""
    sender: str = ""
    subject: str = ""
    message_id: str = ""
    state: str = ""
    since: int = 0
    until: int = 0


class Found(msgspec.Struct, frozen=True):
    messages: tuple[MessageView, ...]
    #: opaque; "" on the last page
    next: str = ""


class Records(Protocol):
    def search(self, desk: Desk, criteria: Criteria, *, cursor: str, limit: int) -> Found: ...

    def access_message(self, desk: Desk, message: UUID) -> MessageView: ...

    def proof(self, desk: Desk, message: UUID, delivery: UUID) -> bytes: ...
