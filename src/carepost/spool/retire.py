"""Forgetting: acknowledged events, messages of which nothing is left to do, keys past their time.

Dropping a message is deleting its row: with it goes the wrapped content key, overwritten with zeros (secure_delete).
The ciphertext of its body is not overwritten, only freed: no key to it is left, and zeroing it would double what the
hot path writes (docs/decisions/0003-spool-storage.md)."""

from collections import Counter
from collections.abc import Sequence

from carepost.ground.database import Connection
from carepost.spool.statements import among


def carry_out(connection: Connection, acked: int, now: int, limit: int) -> tuple[bool, dict[int, int]]:
    """(there is more to forget, segment -> bodies dropped from it). At most `limit` messages, events and keys."""
    more_done, gone = _finished(connection, acked, limit)
    segments = _drop(connection, gone) if gone else {}
    (oldest,) = connection.execute("SELECT min(seq) FROM outbox").fetchone()
    more_events = False
    if oldest is not None and oldest <= acked:
        last = min(acked, oldest + limit - 1)
        connection.execute("DELETE FROM outbox WHERE seq <= ?", (last,))
        more_events = last < acked
    connection.execute(
        "DELETE FROM keyed WHERE token IN (SELECT token FROM keyed WHERE until <= ? LIMIT ?)", (now, limit)
    )
    return more_done or more_events, segments


def _finished(connection: Connection, acked: int, limit: int) -> tuple[bool, list[bytes]]:
    """Messages whose deliveries are all final and acknowledged, taken off the list."""
    rows = connection.execute("SELECT n, seq, message, alone FROM done ORDER BY n LIMIT ?", (limit,)).fetchall()
    ready = [row for row in rows if row[1] <= acked]
    if not ready:
        return False, []
    connection.execute("DELETE FROM done WHERE n <= ?", (ready[-1][0],))
    gone = [message for _, _, message, alone in ready if alone]
    for message, count in Counter(message for _, _, message, alone in ready if not alone).items():
        left = connection.execute(
            "UPDATE pending SET open = open - ? WHERE message = ? RETURNING open", (count, bytearray(message))
        ).fetchall()
        if left and left[0][0] <= 0:
            connection.execute("DELETE FROM pending WHERE message = ?", (bytearray(message),))
            gone.append(message)
    return len(ready) == limit, gone


def _drop(connection: Connection, messages: Sequence[bytes]) -> dict[int, int]:
    rows = list(among(connection, "SELECT body, segment, deliveries FROM message WHERE id", messages))
    bodies = [body for body, _, _ in rows if body is not None]
    deliveries = [ids[i : i + 16] for _, _, ids in rows for i in range(0, len(ids), 16)]
    connection.execute("PRAGMA secure_delete = OFF")
    try:
        for _ in among(connection, "DELETE FROM body WHERE n", bodies):
            pass
    finally:
        connection.execute("PRAGMA secure_delete = ON")
    for _ in among(connection, "DELETE FROM delivery WHERE id", deliveries):
        pass
    for _ in among(connection, "DELETE FROM message WHERE id", messages):
        pass
    return dict(Counter(segment for _, segment, _ in rows if segment is not None))
