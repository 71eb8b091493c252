"""Reading a shard's tables over connections of their own; sees what is committed."""

# ruff: noqa: S608  (statements are put together from constants of this file)
import threading
from typing import Any

from carepost.ground.database import Connection
from carepost.spool.types import Counts, DeliveryRow, Due, Flow, KeyedRow, MessageFound, Waiting
from carepost.wire.types import Drained

_DELIVERY = (
    "SELECT id, message, org, stream, destination, state, place, due_at, lease, lease_until, attempt, rev,"
    " alone, record FROM delivery "
)
_STATES = ("queued", "deferred", "held")
_OPEN = "state IN ('queued', 'deferred', 'held')"
#: organisations looked at when a list over all of them is asked for
MOST_ORGS = 1000
#: when the first of a flow that is ready was due: two steps of an index a destination, whatever waits for it
_BY_DESTINATION = """
WITH RECURSIVE found(destination) AS (
    SELECT min(destination) FROM delivery WHERE place=1 AND stream=?1 AND org=?2
    UNION ALL
    SELECT (SELECT min(destination) FROM delivery WHERE place=1 AND stream=?1 AND org=?2
        AND destination > found.destination) FROM found WHERE found.destination IS NOT NULL
) SELECT {what} FROM found WHERE destination IS NOT NULL"""
_DUE_THERE = (
    "(SELECT due_at FROM delivery WHERE place=1 AND stream=?1 AND org=?2 AND destination = found.destination"
    " ORDER BY due_at LIMIT 1)"
)
_FIRST_DUE = _BY_DESTINATION.format(what=f"min({_DUE_THERE})")
_DUES = _BY_DESTINATION.format(what=f"{_DUE_THERE} AS due, destination") + " ORDER BY due LIMIT ?3"


class _Connected:
    """One connection, callable from any thread, one at a time."""

    def __init__(self, connection: Connection) -> None:
        self._reader = connection
        self._reading = threading.Lock()

    def close(self) -> None:
        with self._reading:
            self._reader.close()

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        bound = [bytearray(v) if isinstance(v, bytes) else v for v in values]
        with self._reading:
            rows: list[tuple[Any, ...]] = self._reader.execute(sql, bound).fetchall()
        return rows

    def _one(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        rows = self._rows(sql, *values)
        return rows[0] if rows else None


class _Flows(_Connected):
    """Which flows there are, and what of each is next."""

    def flows(self, place: int) -> list[Flow]:
        """By steps of the index, one a flow: the number of deliveries does not matter."""
        next_org = f"SELECT org FROM delivery WHERE place={place:d} AND stream=? AND org>? ORDER BY org LIMIT 1"
        next_stream = f"SELECT stream FROM delivery WHERE place={place:d} AND stream>? ORDER BY stream LIMIT 1"
        found: list[Flow] = []
        stream = ""
        while row := self._one(next_stream, stream):
            stream, org = row[0], b""
            while row := self._one(next_org, stream, org):
                org = row[0]
                found.append(Flow(stream, org))
        return found

    def next_due(self, flow: Flow) -> int | None:
        row = self._one(
            "SELECT due_at FROM delivery WHERE place=2 AND stream=? AND org=? ORDER BY due_at LIMIT 1",
            flow.stream, flow.org,
        )  # fmt: skip
        return row[0] if row else None

    def first_due(self) -> int:
        """Of all that wait for their turn, ready or not yet; 0: nothing does."""
        ready = [self._rows(_FIRST_DUE, flow.stream, flow.org)[0][0] for flow in self.flows(1)]
        waiting = [self.next_due(flow) for flow in self.flows(2)]
        return min((due for due in (*ready, *waiting) if due is not None), default=0)

    def dues(self, limit: int) -> list[Due]:
        found = [
            Due(due, flow, destination)
            for flow in self.flows(1)
            for due, destination in self._rows(_DUES, flow.stream, flow.org, limit)
        ]
        found += [Due(due, flow, b"") for flow in self.flows(2) if (due := self.next_due(flow)) is not None]
        return sorted(found, key=lambda one: one.due_at)[:limit]


class Reads(_Flows):
    """Look-ups by key: microseconds, also on the loop."""

    def delivery(self, id: bytes) -> DeliveryRow | None:
        row = self._one(_DELIVERY + "WHERE id=?", id)
        return _delivery(row) if row else None

    def message(self, id: bytes) -> MessageFound | None:
        row = self._one("SELECT id, org, stream, at, size, deliveries, wrapped_key, record FROM message WHERE id=?", id)
        return MessageFound(*row) if row else None

    def place_of_body(self, id: bytes) -> tuple[Any, ...] | None:
        """(chunk, segment, start, length) of a message's body; the chunk or the segment is None."""
        return self._one(
            "SELECT body.chunk, message.segment, message.start, message.length"
            " FROM message LEFT JOIN body ON body.n = message.body WHERE message.id=?",
            id,
        )

    def keyed(self, token: bytes) -> KeyedRow | None:
        row = self._one("SELECT token, payload, message, answer, until FROM keyed WHERE token=?", token)
        return KeyedRow(*row) if row else None

    def ready(self, flow: Flow, destination: bytes, limit: int) -> list[DeliveryRow]:
        rows = self._rows(
            _DELIVERY + "WHERE place=1 AND stream=? AND org=? AND destination=? ORDER BY due_at LIMIT ?",
            flow.stream, flow.org, destination, limit,
        )  # fmt: skip
        return [_delivery(row) for row in rows]

    def destinations(self, flow: Flow, after: bytes, limit: int) -> list[bytes]:
        sql = (
            "SELECT destination FROM delivery WHERE place=1 AND stream=? AND org=? AND destination>?"
            " ORDER BY destination LIMIT 1"
        )
        found: list[bytes] = []
        while len(found) < limit and (row := self._one(sql, flow.stream, flow.org, after)):
            after = row[0]
            found.append(after)
        return found

    def standing(self, limit: int) -> list[DeliveryRow]:
        """Deliveries that are ready, waiting or claimed, in no order."""
        found: list[DeliveryRow] = []
        for place in (1, 2, 3):
            sql = _DELIVERY + f"WHERE place={place:d} LIMIT ?"
            found += [_delivery(row) for row in self._rows(sql, limit - len(found))]
        return found

    def expired(self, now: int, limit: int) -> list[DeliveryRow]:
        sql = _DELIVERY + "WHERE place=3 AND lease_until<=? ORDER BY lease_until LIMIT ?"
        return [_delivery(row) for row in self._rows(sql, now, limit)]


class Lists(_Flows):
    """Reads of many rows, over a connection of their own: a look-up never waits for them."""

    def open(self, org: bytes, state: str, limit: int) -> list[DeliveryRow]:
        states = (state,) if state else _STATES
        orgs = (org,) if org else self._open_orgs()
        # from the index alone: a row is read only where it is shown, however many organisations there are
        sql = f"SELECT id FROM delivery WHERE org=? AND state=? AND {_OPEN} ORDER BY id DESC LIMIT ?"
        known = sorted((row[0] for one in orgs for s in states for row in self._rows(sql, one, s, limit)), reverse=True)
        rows = [self._one(_DELIVERY + "WHERE id=?", id) for id in known[:limit]]
        return [_delivery(row) for row in rows if row is not None]

    def held(self, org: bytes, before: tuple[int, bytes], limit: int) -> list[DeliveryRow]:
        """Held deliveries, newest held first, from behind (since when, id) on."""
        sql = _DELIVERY + (
            "WHERE org=? AND state='held' AND (due_at, id) < (?, ?) ORDER BY due_at DESC, id DESC LIMIT ?"
        )
        return [_delivery(row) for row in self._rows(sql, org, *before, limit)]

    def waiting(self) -> list[Waiting]:
        """Of every organisation that has something held: what was counted as it changed, and two steps of indexes."""
        sql = (
            "SELECT org, n, (SELECT max(due_at) FROM delivery WHERE state='held' AND org=held.org),"
            " (SELECT min(lease_until) FROM delivery WHERE state='held' AND lease_until > 0 AND org=held.org)"
            " FROM held WHERE n > 0"
        )
        return [Waiting(org, held, newest, ends or 0) for org, held, newest, ends in self._rows(sql)]

    def overdue(self, now: int, limit: int) -> list[DeliveryRow]:
        """Held deliveries whose time is over."""
        sql = _DELIVERY + "WHERE state='held' AND lease_until > 0 AND lease_until <= ? ORDER BY lease_until LIMIT ?"
        return [_delivery(row) for row in self._rows(sql, now, limit)]

    def _open_orgs(self) -> list[bytes]:
        sql = f"SELECT org FROM delivery WHERE org>? AND {_OPEN} ORDER BY org LIMIT 1"
        found: list[bytes] = []
        after = b""
        while len(found) < MOST_ORGS and (row := self._one(sql, after)):
            after = row[0]
            found.append(after)
        return found

    def outbox(self, after: int, limit: int) -> list[Drained]:
        sql = "SELECT seq, org, event, sealed FROM outbox WHERE seq>? ORDER BY seq LIMIT ?"
        return [Drained(*row) for row in self._rows(sql, after, limit)]

    def oldest(self) -> int:
        row = self._one("SELECT at FROM outbox ORDER BY seq LIMIT 1")
        return row[0] if row else 0

    def repeats(self, since: int, limit: int) -> list[tuple[bytes, bytes, int]]:
        rows = self._rows("SELECT repeat, id, at FROM message ORDER BY id DESC LIMIT ?", limit)
        return [(token, id_, at) for token, id_, at in rows if token is not None and at >= since]

    def counts(self) -> Counts:
        """Kept by triggers (sql/0004.sql): as quick with ten million rows as with ten. `first_due`: by destinations."""
        stand = dict(self._rows("SELECT what, n FROM tally"))
        ((held, claimed, outbox),) = self._rows(
            "SELECT (SELECT coalesce(sum(n), 0) FROM held), (SELECT count(*) FROM delivery WHERE place=3),"
            # its numbers have no gap
            " coalesce((SELECT max(seq) FROM outbox) - (SELECT min(seq) FROM outbox) + 1, 0)"
        )
        return Counts(
            ready=stand[1], waiting=stand[2], claimed=claimed, held=held, deferred=stand[4], outbox=outbox,
            first_due=self.first_due(),
        )  # fmt: skip

    def segments(self) -> dict[int, int]:
        """segment -> bodies in it that rows point to."""
        sql = "SELECT segment, count(*) FROM message WHERE segment IS NOT NULL GROUP BY segment"
        return dict(self._rows(sql))


def _delivery(row: tuple[Any, ...]) -> DeliveryRow:
    return DeliveryRow(*row)
