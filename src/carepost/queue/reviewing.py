"""What waits for a person: read for the one who asks, and ended where nobody acted in time. Never on the hot path."""

from typing import Final, Protocol

import msgspec

from carepost.crypto.rest import Damaged
from carepost.ground import clock, ids
from carepost.ground.errors import CarepostError, NotFound
from carepost.policy.types import label
from carepost.queue import acts, events, moves
from carepost.queue.sealing import MessageSeal, Opener, OrgKeyBook
from carepost.queue.types import DeliveryRecord, MessageRecord, State
from carepost.spool.types import DeliveryRow, MessageFound, Move, Sealing
from carepost.wire.types import ANY_HELD, Actor, HeldFilter, HeldView, Told

#: rows looked at for one page, however few fit
MOST: Final = 2_000
_READ: Final = 200
_LAST: Final = (1 << 62, b"\xff" * 16)
#: (held since, id) of a delivery
Place = tuple[int, bytes]
_DAMAGED: Final = "What is stored of this delivery cannot be opened."


class Store(Protocol):
    """`spool.backend.Backend`, as far as it is read here."""

    def delivery(self, id: bytes) -> DeliveryRow | None: ...

    def message(self, id: bytes) -> MessageFound | None: ...

    def held(self, org: bytes, before: tuple[int, bytes], limit: int) -> list[DeliveryRow]: ...


class Who(msgspec.Struct, frozen=True):
    """Who asks, and what else they are known by (`wire.doors.Act.also`)."""

    actor: Actor
    also: tuple[str, ...] = ()


def fits(view: HeldView, only: HeldFilter) -> bool:
    """Whether an opened delivery is one of those meant; times were compared before."""
    return (
        _domain(view.sender, only.sender_domain)
        and _domain(view.recipient, only.recipient_domain)
        and (not only.rule or view.rule == only.rule)
        and (not only.who or (only.who == "me") is not bool(view.barred))
    )


def _domain(address: str, wanted: str) -> bool:
    return not wanted or address.rpartition("@")[2].casefold() == wanted.casefold()


class Reviewed(msgspec.Struct, frozen=True):
    """`message` and `record`: None where they cannot be opened."""

    view: HeldView
    message: MessageRecord | None
    record: DeliveryRecord | None


class Review:
    def __init__(self, store: Store, opener: Opener) -> None:
        self._store = store
        self._opener = opener

    def held(
        self,
        org: bytes,
        who: Who,
        reasons: frozenset[str],
        before: Place | None,
        limit: int,
        only: HeldFilter = ANY_HELD,
    ) -> tuple[tuple[HeldView, ...], Place | None]:
        """Newest held first, and down to which place all were looked at; None: to the end. Time is found by the index;
        of what is left at most `MOST` rows are opened for one page."""
        found: list[HeldView] = []
        at, looked = min(before or _LAST, (only.until, b"") if only.until else _LAST), 0
        while looked < MOST:
            rows = self._store.held(org, at, _READ)
            for row in rows:
                if row.due_at < only.since:
                    return tuple(found), None
                view = self._view(row, who).view
                if (not reasons or view.reason in reasons) and fits(view, only):
                    found.append(view)
                if len(found) == limit:
                    return tuple(found), (row.due_at, row.id)
            if len(rows) < _READ:
                return tuple(found), None
            at, looked = (rows[-1].due_at, rows[-1].id), looked + len(rows)
        return tuple(found), at

    def one(self, org: bytes, delivery: bytes, who: Who) -> Reviewed:
        """Raises NotFound."""
        row = self._store.delivery(delivery)
        if row is None or row.org != org:
            raise NotFound
        return self._view(row, who)

    def _view(self, row: DeliveryRow, who: Who) -> Reviewed:
        found = self._store.message(row.message)
        record, message = self._record(row), self._message(row, found)
        at = found.at if found is not None else ids.made_at(row.message)
        size = found.size if found is not None else 0
        held = row.state == State.HELD
        view = HeldView(
            id=ids.text(row.id),
            message=ids.text(row.message),
            org=ids.text(row.org),
            at=at,
            since=row.due_at if held else 0,
            until=row.lease_until if held else 0,
            then=record.held_then if record is not None and held and row.lease_until else "",
            state=row.state,
            recipient=record.recipient.address if record is not None else "",
            sender=(message.header_from or message.sender) if message is not None else "",
            subject=message.subject if message is not None else "",
            origin=message.origin if message is not None else "",
            category=message.category if message is not None else "",
            size=size,
            reason=record.reason if record is not None else "damaged",
            words=record.words if record is not None else _DAMAGED,
            rule=record.rule if record is not None else "",
        )
        if record is None:
            return Reviewed(msgspec.structs.replace(view, barred="damaged"), message, None)
        return Reviewed(_more(view, record, message, who), message, record)

    def _record(self, row: DeliveryRow) -> DeliveryRecord | None:
        try:
            return self._opener.delivery_record(row.org, row.message, row.id, row.record)
        except (Damaged, NotFound):
            return None

    def _message(self, row: DeliveryRow, found: MessageFound | None) -> MessageRecord | None:
        if found is None:
            return None
        try:
            return self._opener.message_record(row.org, row.message, found.record)
        except (Damaged, NotFound):
            return None


def _more(view: HeldView, record: DeliveryRecord, message: MessageRecord | None, who: Who) -> HeldView:
    return msgspec.structs.replace(
        view,
        required=label(record.plan.floor, None) if record.plan is not None else "",
        approvals=record.approvals,
        approved=record.approved,
        barred=_barred(record, message, who) if view.state == State.HELD else "",
        content=record.content,
        made_by=record.made_by,
        last_verb=record.last_verb,
        last_by=record.last_by,
        last_at=record.last_at,
    )


def _barred(record: DeliveryRecord, message: MessageRecord | None, who: Who) -> str:
    """Why this person may not release it; as `acts.barred`, with its reason."""
    if not record.approvals:
        return ""
    if who.actor.kind != "staff":
        return "people"
    if f"{who.actor.kind}:{who.actor.id}" in record.approved:
        return "approved"
    return "own" if message is None or acts.own(record, message, who.actor, who.also) else ""


def time_over(shard: int, book: OrgKeyBook, opener: Opener, row: DeliveryRow) -> Move | None:
    """The row as it goes on when its time is over; None where it cannot be opened now: it stays held."""
    now = clock.now()
    try:
        record = opener.delivery_record(row.org, row.message, row.id, row.record)
        seal = MessageSeal(book, row.org, row.message)
    except (CarepostError, Damaged):
        return None
    after = acts.time_over(record, now)
    told = msgspec.json.encode(Told(after.words))
    event = events.time_over(shard, row.org, row.message, row.id, now, after, told)
    return Move(
        row.id, row.rev, row.lease, row.message, bool(row.alone), State.QUEUED.value,
        moves.place_of(State.QUEUED, now), now, None, 0, row.attempt, seal.delivery(row.id, after), False,
        (Sealing(row.org, event.draft, seal.openings(event)),),
    )  # fmt: skip
