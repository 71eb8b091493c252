"""Carrying out a group: first as a whole by statements over many rows, and where that does not come out, unit by unit
under savepoints, so that one unit's failure is that unit's alone."""

from collections.abc import Sequence

from carepost.ground.database import Connection, IntegrityError
from carepost.ground.errors import Unavailable
from carepost.proof.event import finish
from carepost.spool import retire, statements
from carepost.spool.segments import Segments
from carepost.spool.statements import Value, blob
from carepost.spool.types import (
    Accept,
    Append,
    KeyedRow,
    Move,
    Orphan,
    Outcome,
    Place,
    Promote,
    Retire,
    Sealing,
    Unit,
)
from carepost.wire.types import Drained

_MESSAGE = (
    "message (id,org,stream,at,size,deliveries,wrapped_key,record,repeat,body,segment,start,length)",
    13,
)
_DELIVERY = (
    "delivery (id,message,org,stream,destination,state,place,due_at,lease,lease_until,attempt,rev,alone,record)",
    14,
)
_OUTBOX = ("outbox (seq,org,at,event,sealed)", 5)
_DONE = ("done (seq,message,alone)", 3)
_KEYED = ("keyed (token,payload,message,answer,until)", 5)


class _Mismatch(Exception):
    """Not every delivery was where its unit expects it: the group is carried out unit by unit."""


class Transaction:
    """One group between BEGIN and COMMIT. The caller says both; nothing here is kept when it rolls back."""

    def __init__(
        self, connection: Connection, segments: Segments, source: str, head: int, acked: int, body: int
    ) -> None:
        self._connection = connection
        self._segments = segments
        self._source = source
        self.head = head
        self.acked = acked
        #: number of the next row of table body
        self.body = body
        self.drained: list[Drained] = []
        #: segment -> bodies written into it by this group, and dropped from it
        self.written: dict[int, int] = {}
        self.dropped: dict[int, int] = {}
        self._places: dict[bytes, tuple[int, int, int]] = {}
        self._done: list[Value] = []

    def bodies(self, units: Sequence[Unit], outcomes: list[Outcome]) -> None:
        """Before BEGIN: large bodies into the segment, synced. A unit whose body the disk did not take is refused."""
        large = [(i, u) for i, u in enumerate(units) if type(u) is Accept and len(u.message.chunks) > 1]
        if not large:
            return
        for i, unit in large:
            try:
                self._places[unit.message.id] = self._segments.write(unit.message.chunks)
            except OSError:
                outcomes[i] = _disk()
        for segment, _, _ in self._places.values():
            self.written[segment] = self.written.get(segment, 0) + 1
        try:
            self._segments.sync()
        except OSError:
            for i, _ in large:
                outcomes[i] = _disk()

    def unused(self, units: Sequence[Unit], outcomes: Sequence[Outcome]) -> dict[int, int]:
        """segment -> bodies written into it that no row points to: refused, or known under their key already."""
        counts: dict[int, int] = {}
        for unit, outcome in zip(units, outcomes, strict=True):
            if outcome is not None and type(unit) is Accept and unit.message.id in self._places:
                segment = self._places[unit.message.id][0]
                counts[segment] = counts.get(segment, 0) + 1
        return counts

    def carry_out(self, units: Sequence[Unit], outcomes: list[Outcome]) -> None:
        """Fills `outcomes`, after BEGIN. Raises database errors that are not about one unit."""
        kept = (self.head, self.acked, self.body)
        before = list(outcomes)
        try:
            self._together(units, outcomes)
        except (IntegrityError, _Mismatch):
            self._connection.execute("ROLLBACK")
            self._connection.execute("BEGIN IMMEDIATE")
            self.head, self.acked, self.body = kept
            self.drained.clear()
            self._done.clear()
            self.dropped.clear()
            outcomes[:] = before
            for i in range(len(units)):
                self._alone(units, outcomes, i)

    def _alone(self, units: Sequence[Unit], outcomes: list[Outcome], i: int) -> None:
        unit = units[i]
        kept = (self.head, self.body, len(self.drained))
        self._connection.execute("SAVEPOINT one")
        one: list[Outcome] = [outcomes[i]]
        try:
            self._together((unit,), one)
            outcomes[i] = one[0]
        except _Mismatch:
            outcomes[i] = False
        except IntegrityError:
            outcomes[i] = Unavailable("spool-conflict", "The message could not be stored; send it again.")
        if outcomes[i] is False or isinstance(outcomes[i], Unavailable):
            self._connection.execute("ROLLBACK TO one")
            self.head, self.body, drained = kept
            del self.drained[drained:]
            self._done.clear()
        self._connection.execute("RELEASE one")

    def _together(self, units: Sequence[Unit], outcomes: list[Outcome]) -> None:
        accepts = [(i, u) for i, u in enumerate(units) if type(u) is Accept and outcomes[i] is None]
        if accepts:
            self._accept(accepts, outcomes)
        moves = [(i, u) for i, u in enumerate(units) if type(u) is Move]
        if moves:
            self._move(moves, outcomes)
        outbox: list[Value] = []
        for i, unit in enumerate(units):
            if type(unit) is Accept:
                if outcomes[i] is None:
                    self._events(unit.events, outbox)
                    for d in unit.deliveries:
                        if d.place == Place.NOWHERE and d.state != "held":
                            self._done += (self.head, bytearray(d.message), d.alone)
            elif type(unit) is Move:
                self._events(unit.events, outbox)
                if unit.final:
                    self._done += (self.head, bytearray(unit.message), int(unit.alone))
            elif type(unit) is Append:
                self._events(unit.events, outbox)
        if outbox:
            statements.insert(self._connection, *_OUTBOX, outbox)
        if self._done:
            statements.insert(self._connection, *_DONE, self._done)
            self._done.clear()
        for i, unit in enumerate(units):
            if type(unit) is Retire:
                outcomes[i] = self._retire(unit)
            elif type(unit) is Promote:
                outcomes[i] = self._promote(unit)
            elif type(unit) is Orphan:
                cursor = self._connection.execute("UPDATE delivery SET lease_until=0 WHERE place=3")
                outcomes[i] = int(cursor.rowcount)

    def _accept(self, accepts: list[tuple[int, Accept]], outcomes: list[Outcome]) -> None:
        fresh = self._unknown(accepts, outcomes)
        messages: list[Value] = []
        bodies: list[Value] = []
        rows: list[Value] = []
        keyed: list[Value] = []
        pending: list[Value] = []
        for unit in fresh:
            m = unit.message
            org, id_ = bytearray(m.org), bytearray(m.id)
            place = self._places.get(m.id)
            body = None
            if place is None:
                body = self.body
                self.body += 1
                bodies += (body, bytearray(m.chunks[0]))
            segment, start, length = place or (None, None, None)
            messages += (
                id_, org, m.stream, m.at, m.size, bytearray(m.deliveries), bytearray(m.wrapped_key),
                bytearray(m.record), blob(m.repeat), body, segment, start, length,
            )  # fmt: skip
            for d in unit.deliveries:
                rows += (
                    bytearray(d.id), id_, org, d.stream, bytearray(d.destination), d.state, d.place, d.due_at,
                    blob(d.lease), d.lease_until, d.attempt, d.rev, d.alone, bytearray(d.record),
                )  # fmt: skip
            if len(unit.deliveries) > 1:
                pending += (id_, len(unit.deliveries))
            if unit.keyed is not None:
                k = unit.keyed
                keyed += (bytearray(k.token), bytearray(k.payload), bytearray(k.message), bytearray(k.answer), k.until)
        for (head, columns), values in (
            (_MESSAGE, messages), (("body (n,chunk)", 2), bodies), (_DELIVERY, rows), (_KEYED, keyed),
            (("pending (message,open)", 2), pending),
        ):  # fmt: skip
            if values:
                statements.insert(self._connection, head, columns, values)

    def _unknown(self, accepts: list[tuple[int, Accept]], outcomes: list[Outcome]) -> list[Accept]:
        """The units whose key is not known; the others get the earlier acceptance as outcome (BI-083: two equal keys
        in one group are one message too)."""
        asked = {u.keyed.token: i for i, u in accepts if u.keyed is not None}
        if not asked:
            return [u for _, u in accepts]
        sql = "SELECT token, payload, message, answer, until FROM keyed WHERE token"
        known = {row[0]: KeyedRow(*row) for row in statements.among(self._connection, sql, list(asked))}
        fresh = []
        for i, unit in accepts:
            key = unit.keyed
            if key is not None:
                if key.token in known:
                    outcomes[i] = known[key.token]
                    continue
                known[key.token] = key
            fresh.append(unit)
        return fresh

    def _move(self, moves: list[tuple[int, Move]], outcomes: list[Outcome]) -> None:
        values: list[Value] = []
        for i, u in moves:
            values += (
                bytearray(u.id), u.rev, u.state, u.place, u.due_at, blob(u.lease), u.lease_until, u.attempt,
                bytearray(u.record), blob(u.was_lease),
            )  # fmt: skip
            outcomes[i] = True
        if statements.move(self._connection, values) != len(moves):
            raise _Mismatch

    def _events(self, events: Sequence[Sealing], outbox: list[Value]) -> None:
        head = self.head
        for event in events:
            head += 1
            raw = finish(event.draft, self._source, head)
            self.drained.append(Drained(head, event.org, raw, event.sealed))
            outbox += (head, bytearray(event.org), event.draft.at, bytearray(raw), bytearray(event.sealed))
        self.head = head

    def _promote(self, unit: Promote) -> tuple[bytes, ...]:
        rows = self._connection.execute(
            "UPDATE delivery SET place=1 WHERE id IN (SELECT id FROM delivery WHERE place=2 AND stream=? AND org=?"
            " AND due_at<=? ORDER BY due_at LIMIT ?) RETURNING destination",
            (unit.stream, bytearray(unit.org), unit.now, unit.limit),
        )
        return tuple({row[0] for row in rows.fetchall()})

    def _retire(self, unit: Retire) -> bool:
        acked = min(unit.acked, self.head)
        more, dropped = retire.carry_out(self._connection, acked, unit.now, unit.limit)
        for segment, count in dropped.items():
            self.dropped[segment] = self.dropped.get(segment, 0) + count
        self.acked = max(self.acked, acked)
        self._connection.execute("UPDATE shard SET head=?, acked=?", (self.head, self.acked))
        return more


def _disk() -> Unavailable:
    return Unavailable("disk", "The disk did not take the message; try again later.")
