"""client: the API from Python, typed, sync (`Client`) and async (`AsyncClient`), without heavy libraries.

It never opens a database, never keeps a message, never retries what could happen twice: every send carries an
idempotency key and is repeated under it, with growing waits and as Retry-After says. Doors: Client, AsyncClient, the
shapes of a message (Message, Attachment, Mailbox, ProtectionAsk), errors (ApiError, Unreachable).
"""

from carepost.client.asked import Job, Resent
from carepost.client.asked_keys import Authority, OwnKey, TakenKey
from carepost.client.asked_tracking import CampaignTracking, MessageTracking, Tracking, TrackingReport
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
    TrackingAsk,
)

__all__ = [
    "ApiError",
    "AsyncClient",
    "Attachment",
    "Authority",
    "BatchEntry",
    "CampaignTracking",
    "Category",
    "Client",
    "Delivery",
    "Job",
    "Mailbox",
    "Message",
    "MessageAccepted",
    "MessageTracking",
    "Minimum",
    "OwnKey",
    "ProtectionAsk",
    "Resent",
    "TakenKey",
    "Tracking",
    "TrackingAsk",
    "TrackingReport",
    "Unreachable",
]
