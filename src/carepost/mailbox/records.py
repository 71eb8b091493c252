"""What the sealed columns hold (msgpack of these, under the organisation's portal key)."""

import msgspec

from carepost.wire.types import AccessProof


class DepositRecord(msgspec.Struct, frozen=True):
    """Of a message waiting in the portal, for this one recipient."""

    #: address the reply goes to (the message's From, else its reverse path)
    sender: str
    #: the sender's display name as the message gave it, or ""
    sender_name: str
    recipient: str
    subject: str
    #: Message-ID of the message, with its brackets, or ""
    header_id: str
    #: UTC microseconds the message was accepted at
    sent_at: int
    access: AccessProof = AccessProof()
    v: int = 1
    #: it came by e-mail from the sender's own side, an answer that joined a conversation
    mailed: bool = False


class ReplyRecord(msgspec.Struct, frozen=True):
    text: str
    #: (file name, octets)
    files: tuple[tuple[str, int], ...] = ()
    v: int = 1
    #: mark of the page it was sent from, and the digest of what was sent: pressed twice there, it is one reply
    page: str = ""


class SessionRecord(msgspec.Struct, frozen=True):
    """How a recipient's session shows in their own settings page."""

    #: browser and system in words, e.g. "Firefox on Android"
    device: str
    v: int = 1
