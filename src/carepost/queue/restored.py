"""A shard out of a backup: what waited there may have been sent since by the home that was lost.

So nothing of it is sent by itself: every delivery that was ready, waiting or under way is held, with the reason, until
a person releases it (then it may arrive a second time, and they were told so) or takes it back. One that was under way
counts as uncertain besides, and is bound to its method (law 6)."""

from typing import Final

import msgspec

from carepost.crypto.rest import Damaged
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.ground.keys import WrongKey
from carepost.queue import events, moves, recovery
from carepost.queue.sealing import MessageSeal, Opener, OrgKeyBook
from carepost.queue.types import DeliveryRecord, EventDraft, Settlement, State
from carepost.spool.shard import Shard
from carepost.spool.types import DeliveryRow, Move, Place, Sealing
from carepost.wire.types import Told

REASON: Final = "restored"
_WORDS: Final = (
    "This delivery was waiting when the backup of {moment} UTC was made, from which this system was restored. Whether "
    "it was sent after that is not known here. Release it to send it (it may then arrive a second time), or take it "
    "back."
)
_GROUP: Final = 500


def words_of(backup_at: int) -> str:
    return _WORDS.format(moment=clock.rfc3339(backup_at)[:16].replace("T", " "))


async def hold_all(shard: Shard, book: OrgKeyBook, backup_at: int) -> dict[bytes, int]:
    """Before anything else is done with the shard. Organisation -> deliveries held. Raises Unavailable."""
    opener = Opener(book)
    words = words_of(backup_at)
    held: dict[bytes, int] = {}
    while rows := shard.backend.standing(_GROUP):
        asked = [shard.ask(_held(shard.number, book, opener, row, words)) for row in rows]
        for row, future in zip(rows, asked, strict=True):
            if await future is not True:
                raise AssertionError("nobody else has this shard")
            held[row.org] = held.get(row.org, 0) + 1
    return held


def _held(shard: int, book: OrgKeyBook, opener: Opener, row: DeliveryRow, words: str) -> Move:
    now = clock.now()
    told = msgspec.json.encode(Told(words))
    try:
        record = opener.delivery_record(row.org, row.message, row.id, row.record)
    except (Damaged, NotFound, WrongKey):
        # the row stays as it is; its place alone says that it is not sent
        event = events.restored(shard, row.org, row.message, row.id, now, None)
        return _move(row, row.record, (Sealing(row.org, event.draft, b""),))
    event = events.restored(shard, row.org, row.message, row.id, now, told)
    if row.place == Place.CLAIMED:
        claim = moves.claim_of(row, record)
        found = recovery.settlement(claim, shard, now, past_dot=True)
        settlement = Settlement(State.HELD, _said(found.record, words), events=(*found.events, event))
        return moves.settled(book, claim, settlement)
    seal = MessageSeal(book, row.org, row.message)
    return _move(row, seal.delivery(row.id, _said(record, words)), (_sealed(row.org, seal, event),))


def _said(record: DeliveryRecord, words: str) -> DeliveryRecord:
    return msgspec.structs.replace(record, reason=REASON, words=words)


def _sealed(org: bytes, seal: MessageSeal, event: EventDraft) -> Sealing:
    return Sealing(org, event.draft, seal.openings(event))


def _move(row: DeliveryRow, record: bytes, told: tuple[Sealing, ...]) -> Move:
    return Move(
        row.id, row.rev, row.lease, row.message, bool(row.alone), State.HELD.value, Place.NOWHERE, row.due_at,
        None, 0, row.attempt, record, False, told,
    )  # fmt: skip
