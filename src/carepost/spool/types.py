"""Rows and units of the spool as values: bytes, numbers and closed words; nothing here is personal in clear."""

import enum

import msgspec

from carepost.ground.errors import CarepostError
from carepost.proof.event import Draft
from carepost.wire.types import Drained


class Place(enum.IntEnum):
    """Where a delivery stands in the shard's indices; its public state is a word beside it."""

    NOWHERE = 0
    READY = 1
    WAITING = 2
    CLAIMED = 3


class Sealing(msgspec.Struct, frozen=True, gc=False):
    """An event before its number: the writer finishes its bytes inside the transaction."""

    org: bytes
    draft: Draft
    sealed: bytes


class MessageRow(msgspec.Struct, frozen=True, gc=False):
    id: bytes
    org: bytes
    stream: str
    at: int
    #: plaintext bytes
    size: int
    #: delivery ids, 16 bytes each
    deliveries: bytes
    wrapped_key: bytes
    record: bytes
    #: ciphertext (crypto.rest body format v1); one chunk goes into the row, more into a segment
    chunks: tuple[bytes, ...] = ()
    repeat: bytes | None = None


class DeliveryRow(msgspec.Struct, frozen=True, gc=False):
    id: bytes
    message: bytes
    org: bytes
    stream: str
    destination: bytes
    state: str
    place: int
    due_at: int
    lease: bytes | None
    lease_until: int
    attempt: int
    rev: int
    #: 1: its message has no other delivery
    alone: int
    record: bytes


class KeyedRow(msgspec.Struct, frozen=True, gc=False):
    token: bytes
    payload: bytes
    message: bytes
    answer: bytes
    until: int


class Accept(msgspec.Struct, frozen=True, gc=False):
    """A whole message. Outcome: None, or the KeyedRow under which its key is known already (then nothing is stored)."""

    message: MessageRow
    deliveries: tuple[DeliveryRow, ...]
    events: tuple[Sealing, ...]
    keyed: KeyedRow | None = None


class Move(msgspec.Struct, frozen=True, gc=False):
    """A delivery in a new state, if it is still at `rev` under `was_lease`. Outcome: True, or False when it is not."""

    id: bytes
    rev: int
    was_lease: bytes | None
    message: bytes
    alone: bool
    state: str
    place: int
    due_at: int
    lease: bytes | None
    lease_until: int
    attempt: int
    record: bytes
    #: no more attempts: the message may be dropped when the journal has acknowledged the last of `events`
    final: bool
    events: tuple[Sealing, ...]


class Promote(msgspec.Struct, frozen=True, gc=False):
    """Waiting deliveries of one flow that are due become ready. Outcome: tuple of their destinations."""

    stream: str
    org: bytes
    now: int
    limit: int


class Orphan(msgspec.Struct, frozen=True, gc=False):
    """Every claimed delivery's lease ends now: asked once, before this process has leased any. Outcome: how many."""


class Retire(msgspec.Struct, frozen=True, gc=False):
    """Forget events up to `acked`, messages whose last final event is among them, keys past `now`; at most `limit`
    messages and events. Outcome: True when there is more."""

    acked: int
    now: int
    limit: int = 2000


class Append(msgspec.Struct, frozen=True, gc=False):
    """Events that change no row (clock state, starts and stops). Outcome: None."""

    events: tuple[Sealing, ...]


Unit = Accept | Move | Promote | Orphan | Retire | Append
#: what a unit came to: its own outcome, or the error that struck it alone
Outcome = KeyedRow | bool | int | tuple[bytes, ...] | CarepostError | None


class Group(msgspec.Struct, frozen=True, gc=False):
    """What one transaction came to, unit by unit, and the outbox rows it added."""

    outcomes: list[Outcome]
    drained: list[Drained]


class MessageFound(msgspec.Struct, frozen=True, gc=False):
    id: bytes
    org: bytes
    stream: str
    at: int
    size: int
    deliveries: bytes
    wrapped_key: bytes
    record: bytes


class Flow(msgspec.Struct, frozen=True, gc=False):
    """What the queue is fair between: one organisation's mail of one stream."""

    stream: str
    org: bytes


class Waiting(msgspec.Struct, frozen=True):
    """What of one organisation is held. Times are UTC microseconds; 0: none."""

    org: bytes
    held: int
    #: since when the newest of it waits, and when the time of the next is over
    newest: int
    ends: int


class Due(msgspec.Struct, frozen=True):
    """When the first of a flow to a destination was due. `destination` b"": of all of it that is not ready yet."""

    due_at: int
    flow: Flow
    destination: bytes


class Counts(msgspec.Struct, frozen=True):
    """Rows by place and state as of the opening of the shard."""

    ready: int
    waiting: int
    claimed: int
    held: int
    deferred: int
    outbox: int
    #: when the first delivery that waits for its turn (ready or waiting) was due, or will be: UTC microseconds; 0: none
    first_due: int = 0
