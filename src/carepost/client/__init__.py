"""client: the API from Python, typed, sync (`Client`) and async (`AsyncClient`), without heavy libraries.

It never opens a database, never keeps a message, never retries what could happen twice: every send carries an
idempotency key and is repeated under it, with growing waits and as Retry-After says. Doors: Client, AsyncClient, the
shapes of a message (Message, Attachment, Mailbox, ProtectionAsk), errors (ApiError, Unreachable).
"""

from carepost.client.asked import Ahead, Job, Resent
from carepost.client.asked_tracking import CampaignTracking
from carepost.client.asynchronous import AsyncClient
from carepost.client.errors import ApiError, Unreachable
from carepost.client.synchronous import Client
from carepost.wire.destinations import DestinationLine, DestinationPin, DestinationView
from carepost.wire.ownkeys import ImportedOwnKey, OwnAuthority, OwnKey
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
from carepost.wire.tracked import MessageTracking, Tracking, TrackingReport

__all__ = [
    "Ahead",
    "ApiError",
    "AsyncClient",
    "Attachment",
    "BatchEntry",
    "CampaignTracking",
    "Category",
    "Client",
    "Delivery",
    "DestinationLine",
    "DestinationPin",
    "DestinationView",
    "ImportedOwnKey",
    "Job",
    "Mailbox",
    "Message",
    "MessageAccepted",
    "MessageTracking",
    "Minimum",
    "OwnAuthority",
    "OwnKey",
    "ProtectionAsk",
    "Resent",
    "Tracking",
    "TrackingAsk",
    "TrackingReport",
    "Unreachable",
]
