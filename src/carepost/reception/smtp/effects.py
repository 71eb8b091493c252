"""What a session asks of the connection that carries it, in order."""

import msgspec

from carepost.reception.credentials import Identity
from carepost.reception.gateways import Peer
from carepost.rfc.envelope import Envelope


class Reply(msgspec.Struct, frozen=True):
    """Bytes for the peer: all replies of one turn, joined."""

    data: bytes


class StartTls(msgspec.Struct, frozen=True):
    """Begin the handshake; its 220 stands in the Reply before. The session waits for `secured()`."""


class Authenticate(msgspec.Struct, frozen=True):
    """A password to check, off the loop. The session waits for `authenticated()`."""

    username: str
    password: str


class AskRecipient(msgspec.Struct, frozen=True):
    """A recipient whose own mail system is asked for it. The session waits for `recipient_known()`."""

    org: bytes
    address: str


class Accept(msgspec.Struct, frozen=True):
    """A whole message to hand over. The session waits for `accepted()` or `failed()`."""

    #: whose: the submitter's organisation, or the owner of the recipients' domain
    org: bytes
    envelope: Envelope
    body: bytes
    #: RFC 3848: ESMTPSA, ESMTPS, ESMTP, SMTP
    via: str
    #: None: it came to the MX
    identity: Identity | None
    #: what the client called itself
    helo: str = ""
    #: a gateway's peer that did not sign in: whose the message is, the message itself must say
    peer: Peer | None = None
    #: RFC 8689: at every hop, or not at all
    requiretls: bool = False
    #: a tenant's mailbox that forwards a stranger's message; "" for every other
    forwarder: str = ""


class SenderRefused(msgspec.Struct, frozen=True):
    """The submitter named a MAIL FROM that is not theirs, and heard so; it is to be put on record (BI-015). `cause`:
    not-our-domain | not-this-credential."""

    identity: Identity
    sender: str
    cause: str


class Close(msgspec.Struct, frozen=True):
    """Close after the replies were written; `linger`: the peer may still be sending, so read it out for a moment."""

    linger: bool = False


Effect = Reply | StartTls | Authenticate | AskRecipient | Accept | SenderRefused | Close
