"""The values of a draft."""

import msgspec


class Written(msgspec.Struct, frozen=True):
    """As typed: addresses are not yet read."""

    to: str = ""
    cc: str = ""
    subject: str = ""
    text: str = ""
    #: why it is sent, where a rule asks
    reason: str = ""
    bcc: str = ""
    #: where answers go instead of to the sender
    reply_to: str = ""
    #: `text` has light formatting
    formatted: bool = False

    @property
    def empty(self) -> bool:
        return not any(value.strip() for value in msgspec.structs.astuple(self) if isinstance(value, str))


class FileHead(msgspec.Struct, frozen=True):
    #: safe to show and to save
    name: str
    #: `type/subtype`
    kind: str


class File(msgspec.Struct, frozen=True):
    id: str
    name: str
    kind: str
    #: octets
    size: int
    #: b"" in what is only listed
    data: bytes = b""


class Opened(msgspec.Struct, frozen=True):
    id: str
    written: Written
    files: tuple[File, ...]
    #: UTC microseconds
    saved_at: int


class Line(msgspec.Struct, frozen=True):
    """Of the list of unfinished drafts."""

    id: str
    to: str
    subject: str
    files: int
    saved_at: int
