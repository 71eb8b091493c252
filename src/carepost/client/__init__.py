"""client: the API from Python, typed, sync (`Client`) and async (`AsyncClient`), without heavy libraries.

It never opens a database, never keeps a message, never retries what could happen twice: every send carries an
idempotency key and is repeated under it, with growing waits and as Retry-After says. Doors: Client, AsyncClient, the
shapes of a message (Message, Attachment, Mailbox, ProtectionAsk), errors (ApiError, Unreachable).
"""

from carepost.client.asked import Job, Resent
from carepost.client.asked_keys import Authority, OwnKey, TakenKey
from carepost.client.asynchronous import AsyncClient
from carepost.client.errors import ApiError, Unreachable
from carepost.client.synchronous import Client
from carepost.wire.rest import (
    Attachment,
    BatchEntry,
    Category,
    Delivery,
    Mailbox,
    Message,
    MessageAccepted,
    Minimum,
    ProtectionAsk,
)

__all__ = [
    "ApiError",
    "AsyncClient",
    "Attachment",
    "Authority",
    "BatchEntry",
    "Category",
    "Client",
    "Delivery",
    "Job",
    "Mailbox",
    "Message",
    "MessageAccepted",
    "Minimum",
    "OwnKey",
    "ProtectionAsk",
    "Resent",
    "TakenKey",
    "Unreachable",
]
