"""Reading a shard's tables over connections of their own; sees what is committed. Every read goes by an index."""

import threading
from typing import Any, Final

import psycopg

from carepost.ground import log
from carepost.ground.errors import Unavailable
from carepost.spool.postgres import schema
from carepost.spool.types import Counts, DeliveryRow, Due, Flow, KeyedRow, MessageFound, Waiting
from carepost.wire.types import Drained

_DELIVERY: Final = (
    "SELECT id, message, org, stream, destination, state, place, due_at, lease, lease_until, attempt, rev,"
    " alone, record FROM delivery WHERE shard=%s AND "
)
_STATES: Final = ("queued", "deferred", "held")
_OPEN: Final = "state IN ('queued', 'deferred', 'held')"
#: organisations looked at when a list over all of them is asked for
MOST_ORGS: Final = 1000
#: one step of the index for each value, in one statement: the number of deliveries does not matter
_DESTINATIONS: Final = """
WITH RECURSIVE found AS (
    (SELECT destination FROM delivery WHERE shard=%(shard)s AND place=1 AND stream=%(stream)s AND org=%(org)s
        AND destination>%(after)s ORDER BY destination LIMIT 1)
    UNION ALL
    SELECT (SELECT destination FROM delivery WHERE shard=%(shard)s AND place=1 AND stream=%(stream)s AND org=%(org)s
        AND destination>found.destination ORDER BY destination LIMIT 1)
    FROM found WHERE found.destination IS NOT NULL
) SELECT destination FROM found WHERE destination IS NOT NULL LIMIT %(limit)s"""
_FLOWS: Final = """
WITH RECURSIVE found(stream, org) AS (
    (SELECT stream, org FROM delivery WHERE shard=%(shard)s AND place=PLACE ORDER BY stream, org LIMIT 1)
    UNION ALL
    SELECT next.stream, next.org FROM found, LATERAL (SELECT stream, org FROM delivery WHERE shard=%(shard)s
        AND place=PLACE AND (stream, org) > (found.stream, found.org) ORDER BY stream, org LIMIT 1) AS next
) SELECT stream, org FROM found"""
_ORGS: Final = f"""
WITH RECURSIVE found AS (
    (SELECT org FROM delivery WHERE shard=%(shard)s AND {_OPEN} ORDER BY org LIMIT 1)
    UNION ALL
    SELECT (SELECT org FROM delivery WHERE shard=%(shard)s AND {_OPEN} AND org>found.org ORDER BY org LIMIT 1)
    FROM found WHERE found.org IS NOT NULL
) SELECT org FROM found WHERE org IS NOT NULL LIMIT {MOST_ORGS}"""  # noqa: S608 (constants of this file)

#: ids from the index alone: a row is read only where it is shown, however many organisations there are
_NEWEST: Final = f"""
SELECT one.id FROM unnest(%(orgs)s::bytea[]) AS asked(org), unnest(%(states)s::text[]) AS wanted(state),
    LATERAL (SELECT id FROM delivery WHERE shard=%(shard)s AND org=asked.org AND state=wanted.state AND {_OPEN}
        ORDER BY id DESC LIMIT %(limit)s) AS one
ORDER BY one.id DESC LIMIT %(limit)s"""  # noqa: S608 (constants of this file)

#: how much is held, what is claimed (never much), and the outbox, whose numbers have no gap
_SUMS: Final = """
SELECT (SELECT coalesce(sum(n), 0)::bigint FROM held WHERE shard=%(shard)s),
    (SELECT count(*) FROM delivery WHERE shard=%(shard)s AND place=3),
    coalesce((SELECT max(seq) FROM outbox WHERE shard=%(shard)s)
        - (SELECT min(seq) FROM outbox WHERE shard=%(shard)s) + 1, 0)"""

#: the first of each destination, then the first of each flow that waits: a step of an index each, whatever waits there
_FIRSTS: Final = """
WITH RECURSIVE ready(stream, org, destination, due_at) AS (
    (SELECT stream, org, destination, due_at FROM delivery WHERE shard=%(shard)s AND place=1
        ORDER BY stream, org, destination, due_at LIMIT 1)
    UNION ALL
    SELECT next.* FROM ready, LATERAL (SELECT stream, org, destination, due_at FROM delivery
        WHERE shard=%(shard)s AND place=1
        AND (stream, org, destination) > (ready.stream, ready.org, ready.destination)
        ORDER BY stream, org, destination, due_at LIMIT 1) AS next
), waiting(stream, org, due_at) AS (
    (SELECT stream, org, due_at FROM delivery WHERE shard=%(shard)s AND place=2 ORDER BY stream, org, due_at LIMIT 1)
    UNION ALL
    SELECT next.* FROM waiting, LATERAL (SELECT stream, org, due_at FROM delivery WHERE shard=%(shard)s AND place=2
        AND (stream, org) > (waiting.stream, waiting.org) ORDER BY stream, org, due_at LIMIT 1) AS next
) SELECT {}"""
_FIRST_DUE: Final = _FIRSTS.format("least((SELECT min(due_at) FROM ready), (SELECT min(due_at) FROM waiting))")
_DUES: Final = _FIRSTS.format(
    "due_at, stream, org, destination FROM ready"
    " UNION ALL SELECT due_at, stream, org, ''::bytea FROM waiting ORDER BY 1 LIMIT %(limit)s"
)


class Connected:
    """One connection, callable from any thread, one at a time; opened again when the server closed it."""

    def __init__(self, url: str, number: int) -> None:
        """Raises psycopg.Error."""
        self._url = url
        self._number = number
        self._reading = threading.Lock()
        self._reader: schema.Connection | None = self._connect()

    def close(self) -> None:
        with self._reading:
            if self._reader is not None:
                self._reader.close()

    def _connect(self) -> schema.Connection:
        connection = schema.connect(self._url, f"carepost-spool-{self._number:04d}")
        connection.execute("SET enable_seqscan = off")
        return connection

    def _rows(self, sql: str, values: tuple[object, ...] | dict[str, object]) -> list[tuple[Any, ...]]:
        with self._reading:
            for _ in range(2):
                try:
                    if self._reader is None:
                        self._reader = self._connect()
                    return self._reader.execute(sql.encode(), values, binary=True).fetchall()
                except psycopg.Error as error:
                    kept, self._reader = self._reader, None
                    if kept is not None:
                        kept.close()
                    log.failure("spool-read-failed", error, shard=self._number)
        raise Unavailable("spool-away", "The database of the spool does not answer; try again later.")

    def _one(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        rows = self._rows(sql, values)
        return rows[0] if rows else None

    def _deliveries(self, where: str, *values: object) -> list[DeliveryRow]:
        return [DeliveryRow(*row) for row in self._rows(_DELIVERY + where, (self._number, *values))]


class Reads(Connected):
    """Look-ups by key: a fraction of a millisecond, also on the loop."""

    def delivery(self, id: bytes) -> DeliveryRow | None:
        rows = self._deliveries("id=%b", id)
        return rows[0] if rows else None

    def message(self, id: bytes) -> MessageFound | None:
        sql = "SELECT id, org, stream, at, size, deliveries, wrapped_key, record FROM message WHERE shard=%s AND id=%b"
        row = self._one(sql, self._number, id)
        return MessageFound(*row) if row else None

    def body(self, id: bytes) -> tuple[bytes, ...] | None:
        row = self._one("SELECT chunk FROM message WHERE shard=%s AND id=%b", self._number, id)
        if row is None:
            return None
        if row[0] is not None:
            return (row[0],)
        rows = self._rows("SELECT chunk FROM body WHERE shard=%s AND message=%b ORDER BY n", (self._number, id))
        return tuple(chunk for (chunk,) in rows) or None

    def keyed(self, token: bytes) -> KeyedRow | None:
        row = self._one("SELECT token, payload, message, answer, until FROM keyed WHERE token=%b", token)
        return KeyedRow(*row) if row else None

    def ready(self, flow: Flow, destination: bytes, limit: int) -> list[DeliveryRow]:
        return self._deliveries(
            "place=1 AND stream=%s AND org=%b AND destination=%b ORDER BY due_at LIMIT %s",
            flow.stream, flow.org, destination, limit,
        )  # fmt: skip

    def destinations(self, flow: Flow, after: bytes, limit: int) -> list[bytes]:
        asked = {"shard": self._number, "stream": flow.stream, "org": flow.org, "after": after, "limit": limit}
        return [row[0] for row in self._rows(_DESTINATIONS, asked)]

    def flows(self, place: int) -> list[Flow]:
        rows = self._rows(_FLOWS.replace("PLACE", str(int(place))), {"shard": self._number})
        return [Flow(*row) for row in rows]

    def next_due(self, flow: Flow) -> int | None:
        sql = "SELECT due_at FROM delivery WHERE shard=%s AND place=2 AND stream=%s AND org=%b ORDER BY due_at LIMIT 1"
        row = self._one(sql, self._number, flow.stream, flow.org)
        return row[0] if row else None

    def standing(self, limit: int) -> list[DeliveryRow]:
        found: list[DeliveryRow] = []
        for place in (1, 2, 3):
            found += self._deliveries(f"place={place:d} LIMIT %s", limit - len(found))
        return found

    def expired(self, now: int, limit: int) -> list[DeliveryRow]:
        return self._deliveries("place=3 AND lease_until<=%s ORDER BY lease_until LIMIT %s", now, limit)


class Lists(Connected):
    """Reads of many rows, over a connection of their own: a look-up never waits for them."""

    def open(self, org: bytes, state: str, limit: int) -> list[DeliveryRow]:
        orgs = [org] if org else [row[0] for row in self._rows(_ORGS, {"shard": self._number})]
        asked = {"shard": self._number, "orgs": orgs, "states": [state] if state else [*_STATES], "limit": limit}
        known = [row[0] for row in self._rows(_NEWEST, asked)]
        return self._deliveries("id=ANY(%b) ORDER BY id DESC", known) if known else []

    def held(self, org: bytes, before: tuple[int, bytes], limit: int) -> list[DeliveryRow]:
        where = "org=%b AND state='held' AND (due_at, id) < (%s, %b) ORDER BY due_at DESC, id DESC LIMIT %s"
        return self._deliveries(where, org, *before, limit)

    def waiting(self) -> list[Waiting]:
        """Of every organisation that has something held: what was counted as it changed, and two steps of indexes."""
        sql = (
            "SELECT org, n, (SELECT due_at FROM delivery WHERE shard=held.shard AND state='held' AND org=held.org"
            " ORDER BY due_at DESC LIMIT 1),"
            " (SELECT lease_until FROM delivery WHERE shard=held.shard AND state='held' AND lease_until > 0"
            " AND org=held.org ORDER BY lease_until LIMIT 1) FROM held WHERE shard=%s AND n > 0"
        )
        return [Waiting(org, held, newest, ends or 0) for org, held, newest, ends in self._rows(sql, (self._number,))]

    def overdue(self, now: int, limit: int) -> list[DeliveryRow]:
        where = "state='held' AND lease_until > 0 AND lease_until <= %s ORDER BY lease_until LIMIT %s"
        return self._deliveries(where, now, limit)

    def outbox(self, after: int, limit: int) -> list[Drained]:
        sql = "SELECT seq, org, event, sealed FROM outbox WHERE shard=%s AND seq>%s ORDER BY seq LIMIT %s"
        return [Drained(*row) for row in self._rows(sql, (self._number, after, limit))]

    def oldest(self) -> int:
        row = self._one("SELECT at FROM outbox WHERE shard=%s ORDER BY seq LIMIT 1", self._number)
        return row[0] if row else 0

    def repeats(self, since: int, limit: int) -> list[tuple[bytes, bytes, int]]:
        sql = "SELECT repeat, id, at FROM message WHERE shard=%s ORDER BY id DESC LIMIT %s"
        rows = self._rows(sql, (self._number, limit))
        return [(token, id_, at) for token, id_, at in rows if token is not None and at >= since]

    def counts(self) -> Counts:
        """Kept by triggers (sql/0004.sql): as quick with ten million rows as with ten. `first_due`: by destinations."""
        asked: dict[str, object] = {"shard": self._number}
        stand = dict(self._rows("SELECT what, n FROM tally WHERE shard=%(shard)s", asked))
        ((held, claimed, outbox),) = self._rows(_SUMS, asked)
        ((first_due,),) = self._rows(_FIRST_DUE, asked)
        return Counts(
            ready=stand.get(1, 0), waiting=stand.get(2, 0), claimed=claimed, held=held,
            deferred=stand.get(4, 0), outbox=outbox, first_due=first_due or 0,
        )  # fmt: skip

    def dues(self, limit: int) -> list[Due]:
        rows = self._rows(_DUES, {"shard": self._number, "limit": limit})
        return [Due(due, Flow(stream, org), destination) for due, stream, org, destination in rows]
