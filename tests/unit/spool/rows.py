"""Rows made up for the spool's tests: the bytes mean nothing to the spool."""

import os

from carepost.ground import clock, ids
from carepost.proof import kinds
from carepost.spool.types import Accept, DeliveryRow, KeyedRow, MessageRow, Move, Place, Sealing

ORG, OTHER = ids.new(), ids.new()
DESTINATION = b"destin-1"


def event(org: bytes = ORG, kind: str = kinds.MESSAGE_ACCEPTED) -> Sealing:
    draft, _ = kinds.make(
        kind, id=ids.text(ids.new()), org=ids.text(org), at=clock.now(), actor=("system", "test"), on=()
    )
    return Sealing(org, draft, b"sealed")


def accept(
    *,
    number: int = 0,
    deliveries: int = 1,
    place: int = Place.READY,
    state: str = "queued",
    org: bytes = ORG,
    stream: str = "transactional",
    destination: bytes = DESTINATION,
    due_at: int = 0,
    lease: bytes | None = None,
    chunks: tuple[bytes, ...] = (b"ciphertext",),
    key: KeyedRow | None = None,
    events: int = 2,
    wrapped: bytes = b"wrapped key",
) -> Accept:
    message = ids.new(number)
    own = [ids.new(number) for _ in range(deliveries)]
    alone = int(deliveries == 1)
    rows = tuple(
        DeliveryRow(
            d, message, org, stream, destination, state, place, due_at, lease, 0, 1 if lease else 0, 0, alone, b"r"
        )
        for d in own
    )
    row = MessageRow(message, org, stream, clock.now(), 10, b"".join(own), wrapped, b"record", chunks)
    return Accept(row, rows, tuple(event(org) for _ in range(events)), key)


def keyed(token: bytes, payload: bytes = b"payload", message: bytes = b"m" * 16, until: int = 1 << 60) -> KeyedRow:
    return KeyedRow(token, payload, message, b"answer", until)


def move(
    row: DeliveryRow,
    *,
    state: str = "sent",
    place: int = Place.NOWHERE,
    rev: int | None = None,
    was_lease: bytes | None = None,
    lease: bytes | None = None,
    final: bool = True,
    due_at: int = 0,
) -> Move:
    return Move(
        row.id, row.rev if rev is None else rev, row.lease if was_lease is None else was_lease, row.message,
        bool(row.alone), state, place, due_at, lease, 1 if lease else 0, row.attempt, b"after", final,
        (event(row.org, kinds.DELIVERY_SENT),),
    )  # fmt: skip


def token() -> bytes:
    return os.urandom(16)
