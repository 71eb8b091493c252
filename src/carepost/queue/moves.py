"""The changes of a delivery's row, built whole: what it becomes, if it is still what it was, and the events of it."""

from carepost.ground import clock, ids
from carepost.queue import events
from carepost.queue.sealing import MessageSeal, OrgKeyBook
from carepost.queue.types import FINAL, Claim, DeliveryRecord, Settlement, State
from carepost.spool.types import DeliveryRow, Move, Place, Sealing


def place_of(state: State, due_at: int) -> int:
    """Where a delivery of this state stands in the shard's indices."""
    if state not in (State.QUEUED, State.DEFERRED):
        return Place.NOWHERE
    return Place.READY if due_at <= clock.now() else Place.WAITING


def claim_of(row: DeliveryRow, record: DeliveryRecord) -> Claim:
    """The lease a row says it is under."""
    return Claim(
        row.id, row.message, row.org, row.stream, row.lease or b"", row.lease_until, row.attempt, record,
        destination=row.destination, alone=bool(row.alone), rev=row.rev,
    )  # fmt: skip


def leased(shard: int, row: DeliveryRow, record: DeliveryRecord, lease: bytes, until: int) -> tuple[Claim, Move]:
    """A ready row given to a worker: its next attempt, on record before it begins."""
    number = row.attempt + 1
    claim = Claim(
        row.id, row.message, row.org, row.stream, lease, until, number, record,
        destination=row.destination, alone=bool(row.alone), rev=row.rev + 1,
    )  # fmt: skip
    event = events.attempted(shard, ids.text(row.org), ids.text(row.message), row.id, clock.now(), number, record)
    move = Move(
        row.id, row.rev, row.lease, row.message, bool(row.alone), State.CLAIMED._value_, Place.CLAIMED, row.due_at,
        lease, until, number, row.record, False, (Sealing(row.org, event.draft, b""),),
    )  # fmt: skip
    return claim, move


def settled(book: OrgKeyBook, claim: Claim, settlement: Settlement) -> Move:
    """What a settlement makes of the row, under the claim's lease and revision or not at all."""
    seal = MessageSeal(book, claim.org, claim.message)
    state, due, until = settlement.state, settlement.due_at, 0
    if state is State.HELD:
        due, until = clock.now(), settlement.record.held_until
    return Move(
        claim.delivery, claim.rev, claim.lease, claim.message, claim.alone, state._value_,
        place_of(state, due), due, None, until, claim.attempt if settlement.attempted else claim.attempt - 1,
        seal.delivery(claim.delivery, settlement.record), state in FINAL,
        tuple([Sealing(claim.org, e.draft, seal.openings(e)) for e in settlement.events]),
    )  # fmt: skip


def damaged(shard: int, row: DeliveryRow) -> Move:
    """Law 12: what does not open is held, with the reason, and a person decides. Its bytes stay as they are."""
    event = events.damaged(shard, row.org, row.message, row.id, clock.now())
    return Move(
        row.id, row.rev, row.lease, row.message, bool(row.alone), State.HELD.value, Place.NOWHERE, row.due_at,
        None, 0, row.attempt, row.record, False, (Sealing(row.org, event.draft, b""),),
    )  # fmt: skip
