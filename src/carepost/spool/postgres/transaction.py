"""Carrying out a group in PostgreSQL: as a whole by one statement a table over arrays, sent without waiting for each
answer; where that does not come out, unit by unit under savepoints, so that one unit's failure is that unit's alone."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from carepost.ground.errors import Unavailable
from carepost.proof.event import finish
from carepost.spool.postgres.schema import Connection
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


def _insert(table: str, columns: dict[str, str]) -> str:
    """Rows given as one array a column, all of shard %s."""
    arrays = ", ".join(f"%b::{kind}[]" for kind in columns.values())
    return f"INSERT INTO {table} (shard, {', '.join(columns)}) SELECT %s::smallint, * FROM unnest({arrays})"  # noqa: S608 (constants of this file)


_MESSAGE: Final = _insert(
    "message",
    {"id": "bytea", "org": "bytea", "stream": "text", "at": "bigint", "size": "bigint", "deliveries": "bytea",
     "wrapped_key": "bytea", "record": "bytea", "repeat": "bytea", "chunk": "bytea"},
)  # fmt: skip
_DELIVERY: Final = _insert(
    "delivery",
    {"id": "bytea", "message": "bytea", "org": "bytea", "stream": "text", "destination": "bytea", "state": "text",
     "place": "smallint", "due_at": "bigint", "lease": "bytea", "lease_until": "bigint", "attempt": "integer",
     "rev": "bigint", "alone": "smallint", "record": "bytea"},
)  # fmt: skip
_BODY: Final = _insert("body", {"message": "bytea", "n": "integer", "chunk": "bytea"})
_PENDING: Final = _insert("pending", {"message": "bytea", "open": "integer"})
_OUTBOX: Final = _insert(
    "outbox", {"seq": "bigint", "org": "bytea", "at": "bigint", "event": "bytea", "sealed": "bytea"}
)
_DONE: Final = _insert("done", {"seq": "bigint", "message": "bytea", "alone": "boolean"})
# in the order of tokens: two nodes that bring the same keys wait for each other, never in a circle
_KEYED: Final = (
    "INSERT INTO keyed (token, payload, message, answer, until) SELECT * FROM unnest(%b::bytea[], %b::bytea[],"
    " %b::bytea[], %b::bytea[], %b::bigint[]) AS k(token, payload, message, answer, until) ORDER BY token"
    " ON CONFLICT (token) DO NOTHING RETURNING token"
)
_MOVE: Final = (
    "UPDATE delivery SET state=v.state, place=v.place, due_at=v.due_at, lease=v.lease, lease_until=v.lease_until,"
    " attempt=v.attempt, record=v.record, rev=delivery.rev+1"
    " FROM unnest(%b::bytea[], %b::bigint[], %b::bytea[], %b::text[], %b::smallint[], %b::bigint[], %b::bytea[],"
    " %b::bigint[], %b::integer[], %b::bytea[])"
    " AS v(id, rev, was, state, place, due_at, lease, lease_until, attempt, record)"
    " WHERE delivery.shard=%s AND delivery.id=v.id AND delivery.rev=v.rev AND delivery.lease IS NOT DISTINCT FROM v.was"
)
_PROMOTE: Final = (
    "UPDATE delivery SET place=1 WHERE shard=%(shard)s AND id = ANY(ARRAY(SELECT id FROM delivery WHERE"
    " shard=%(shard)s AND place=2 AND stream=%(stream)s AND org=%(org)s AND due_at<=%(now)s ORDER BY due_at"
    " LIMIT %(limit)s)) RETURNING destination"
)
#: chunks of large bodies in one statement (64 KiB each)
_CHUNKS: Final = 64


class _Mismatch(Exception):
    """Not every delivery was where its unit expects it: the group is carried out unit by unit."""


class Transaction:
    """One group between BEGIN and COMMIT. The caller says COMMIT; nothing here is kept when it rolls back."""

    def __init__(self, connection: Connection, number: int, source: str, head: int, acked: int) -> None:
        self._connection = connection
        self._number = number
        self._source = source
        self.head = head
        self.acked = acked
        self.drained: list[Drained] = []

    def carry_out(self, units: Sequence[Unit], outcomes: list[Outcome]) -> None:
        """Begins, and fills `outcomes`. Raises database errors that are not about one unit."""
        head, acked = self.head, self.acked
        self._connection.execute("BEGIN")
        try:
            self._together(units, outcomes)
        except (psycopg.IntegrityError, psycopg.errors.DataError, _Mismatch):
            self._connection.execute("ROLLBACK")
            self._connection.execute("BEGIN")
            self.head, self.acked = head, acked
            self.drained.clear()
            outcomes[:] = [None] * len(units)
            for i in range(len(units)):
                self._alone(units, outcomes, i)

    def _alone(self, units: Sequence[Unit], outcomes: list[Outcome], i: int) -> None:
        kept = (self.head, len(self.drained))
        self._connection.execute("SAVEPOINT one")
        one: list[Outcome] = [None]
        try:
            self._together((units[i],), one)
            outcomes[i] = one[0]
        except _Mismatch:
            outcomes[i] = False
        except (psycopg.IntegrityError, psycopg.errors.DataError):
            outcomes[i] = Unavailable("spool-conflict", "The message could not be stored; send it again.")
        if outcomes[i] is False or isinstance(outcomes[i], Unavailable):
            self._connection.execute("ROLLBACK TO one")
            self.head, drained = kept
            del self.drained[drained:]
        self._connection.execute("RELEASE one")

    def _together(self, units: Sequence[Unit], outcomes: list[Outcome]) -> None:
        accepts = [(i, u) for i, u in enumerate(units) if type(u) is Accept]
        fresh = self._unknown(accepts, outcomes)
        moves = [u for u in units if type(u) is Move]
        matched = None
        with self._connection.pipeline():
            if fresh:
                self._accept(fresh)
            if moves:
                matched = self._move(moves)
            self._say(units, outcomes)
        if matched is not None and matched.rowcount != len(moves):
            raise _Mismatch
        for i, unit in enumerate(units):
            if type(unit) is Move:
                outcomes[i] = True
            elif type(unit) is Retire:
                outcomes[i] = self._retire(unit)
            elif type(unit) is Promote:
                outcomes[i] = self._promote(unit)
            elif type(unit) is Orphan:
                sql = "UPDATE delivery SET lease_until=0 WHERE shard=%s AND place=3"
                outcomes[i] = self._connection.execute(sql, (self._number,)).rowcount

    def _unknown(self, accepts: list[tuple[int, Accept]], outcomes: list[Outcome]) -> list[Accept]:
        """The units whose key is not known on any node; the others get the earlier acceptance as outcome (BI-083: two
        equal keys in one group are one message too)."""
        asked: dict[bytes, KeyedRow] = {}
        for _, unit in accepts:
            if unit.keyed is not None:
                asked.setdefault(unit.keyed.token, unit.keyed)
        if not asked:
            return [u for _, u in accepts]
        rows = list(asked.values())
        columns = _columns([(k.token, k.payload, k.message, k.answer, k.until) for k in rows])
        new = {token for (token,) in self._connection.execute(_KEYED, columns, binary=True).fetchall()}
        sql = "SELECT token, payload, message, answer, until FROM keyed WHERE token = ANY(%b)"
        others = [token for token in asked if token not in new]
        found = self._connection.execute(sql, (others,), binary=True).fetchall() if others else []
        known = {row[0]: KeyedRow(*row) for row in found}
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

    def _accept(self, fresh: list[Accept]) -> None:
        messages: list[tuple[Any, ...]] = []
        rows: list[tuple[Any, ...]] = []
        pending: list[tuple[Any, ...]] = []
        for unit in fresh:
            m = unit.message
            chunk = m.chunks[0] if len(m.chunks) == 1 else None
            messages.append(
                (m.id, m.org, m.stream, m.at, m.size, m.deliveries, m.wrapped_key, m.record, m.repeat, chunk)
            )
            rows += [
                (d.id, d.message, d.org, d.stream, d.destination, d.state, int(d.place), d.due_at, d.lease,
                 d.lease_until, d.attempt, d.rev, int(d.alone), d.record)
                for d in unit.deliveries
            ]  # fmt: skip
            if len(unit.deliveries) > 1:
                pending.append((m.id, len(unit.deliveries)))
            if chunk is None:
                for first in range(0, len(m.chunks), _CHUNKS):
                    part = m.chunks[first : first + _CHUNKS]
                    self._insert(_BODY, [(m.id, first + n, one) for n, one in enumerate(part)])
        self._insert(_MESSAGE, messages)
        self._insert(_DELIVERY, rows)
        self._insert(_PENDING, pending)

    def _move(self, moves: list[Move]) -> psycopg.Cursor[tuple[Any, ...]]:
        columns = _columns([
            (u.id, u.rev, u.was_lease, u.state, int(u.place), u.due_at, u.lease, u.lease_until, u.attempt, u.record)
            for u in moves
        ])  # fmt: skip
        return self._connection.execute(_MOVE, (*columns, self._number))

    def _say(self, units: Sequence[Unit], outcomes: list[Outcome]) -> None:
        """Events, and what became final by them."""
        outbox: list[tuple[Any, ...]] = []
        done: list[tuple[Any, ...]] = []
        for i, unit in enumerate(units):
            if type(unit) is Accept:
                if outcomes[i] is None:
                    self._events(unit.events, outbox)
                    for d in unit.deliveries:
                        if d.place == Place.NOWHERE and d.state != "held":
                            done.append((self.head, d.message, bool(d.alone)))
            elif type(unit) is Move:
                self._events(unit.events, outbox)
                if unit.final:
                    done.append((self.head, unit.message, bool(unit.alone)))
            elif type(unit) is Append:
                self._events(unit.events, outbox)
        self._insert(_OUTBOX, outbox)
        self._insert(_DONE, done)

    def _events(self, events: Sequence[Sealing], outbox: list[tuple[Any, ...]]) -> None:
        for event in events:
            self.head += 1
            raw = finish(event.draft, self._source, self.head)
            self.drained.append(Drained(self.head, event.org, raw, event.sealed))
            outbox.append((self.head, event.org, event.draft.at, raw, event.sealed))

    def _insert(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self._connection.execute(sql.encode(), (self._number, *_columns(rows)))

    def _promote(self, unit: Promote) -> tuple[bytes, ...]:
        asked = {"shard": self._number, "stream": unit.stream, "org": unit.org, "now": unit.now, "limit": unit.limit}
        return tuple({row[0] for row in self._connection.execute(_PROMOTE, asked, binary=True).fetchall()})

    # forgetting: acknowledged events, messages of which nothing is left to do, keys past their time

    def _retire(self, unit: Retire) -> bool:
        acked = min(unit.acked, self.head)
        more_done, gone = self._finished(acked, unit.limit)
        more_events = self._forget_events(acked, unit.limit)
        self._drop(gone)
        self._connection.execute(
            "DELETE FROM keyed WHERE token = ANY(ARRAY(SELECT token FROM keyed WHERE until <= %s LIMIT %s"
            " FOR UPDATE SKIP LOCKED))",
            (unit.now, unit.limit),
        )
        self.acked = max(self.acked, acked)
        return more_done or more_events

    def _forget_events(self, acked: int, limit: int) -> bool:
        """True when there are more."""
        row = self._connection.execute(
            "SELECT seq FROM outbox WHERE shard=%s ORDER BY seq LIMIT 1", (self._number,)
        ).fetchone()
        if row is None or row[0] > acked:
            return False
        last = min(acked, row[0] + limit - 1)
        self._connection.execute("DELETE FROM outbox WHERE shard=%s AND seq <= %s", (self._number, last))
        return bool(last < acked)

    def _finished(self, acked: int, limit: int) -> tuple[bool, list[bytes]]:
        """Messages whose deliveries are all final and acknowledged, taken off the list."""
        rows = self._connection.execute(
            "SELECT n, seq, message, alone FROM done WHERE shard=%s ORDER BY n LIMIT %s", (self._number, limit),
            binary=True,
        ).fetchall()  # fmt: skip
        ready = [row for row in rows if row[1] <= acked]
        if not ready:
            return False, []
        self._connection.execute("DELETE FROM done WHERE shard=%s AND n <= %s", (self._number, ready[-1][0]))
        gone = [message for _, _, message, alone in ready if alone]
        several = Counter(message for _, _, message, alone in ready if not alone)
        if several:
            left = self._connection.execute(
                "UPDATE pending SET open = open - v.n FROM unnest(%b::bytea[], %b::integer[]) AS v(message, n)"
                " WHERE pending.shard=%s AND pending.message = v.message RETURNING pending.message, open",
                (list(several), list(several.values()), self._number), binary=True,
            ).fetchall()  # fmt: skip
            gone += [message for message, still in left if still <= 0]
        return len(ready) == limit, gone

    def _drop(self, messages: list[bytes]) -> None:
        if not messages:
            return
        asked = (self._number, messages)
        rows = self._connection.execute(
            "DELETE FROM message WHERE shard=%s AND id = ANY(%b) RETURNING deliveries, chunk IS NULL",
            asked,
            binary=True,
        ).fetchall()
        ids = [row[0][i : i + 16] for row in rows for i in range(0, len(row[0]), 16)]
        self._connection.execute("DELETE FROM delivery WHERE shard=%s AND id = ANY(%b)", (self._number, ids))
        self._connection.execute("DELETE FROM pending WHERE shard=%s AND message = ANY(%b)", asked)
        if any(large for _, large in rows):
            self._connection.execute("DELETE FROM body WHERE shard=%s AND message = ANY(%b)", asked)


def _columns(rows: list[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    return tuple(map(list, zip(*rows, strict=True)))
