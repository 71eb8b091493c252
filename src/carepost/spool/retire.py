"""Forgetting: acknowledged events, messages of which nothing is left to do, keys past their time.

Dropping a message is deleting its row: with it goes the wrapped content key, overwritten with zeros (secure_delete).
What else goes is ciphertext that is only freed: the body, to which no key is left, and what is sealed as evidence and
lies with the journal in the same bytes. Zeroing it would double what is written (docs/decisions/0003)."""

from collections import Counter
from collections.abc import Sequence

from carepost.ground.database import Connection
from carepost.spool.statements import among


def carry_out(connection: Connection, acked: int, now: int, limit: int) -> tuple[bool, dict[int, int]]:
    """(there is more to forget, segment -> bodies dropped from it). At most `limit` messages, events and keys."""
    connection.execute("PRAGMA secure_delete = OFF")
    try:
        more_done, gone = _finished(connection, acked, limit)
        segments = _drop_ciphertext(connection, gone)
        more_events = _events(connection, acked, limit)
    finally:
        connection.execute("PRAGMA secure_delete = ON")
    for _ in among(connection, "DELETE FROM message WHERE id", gone):
        pass
    connection.execute(
        "DELETE FROM keyed WHERE token IN (SELECT token FROM keyed WHERE until <= ? LIMIT ?)", (now, limit)
    )
    return more_done or more_events, segments


def _events(connection: Connection, acked: int, limit: int) -> bool:
    """True when there are more."""
    (oldest,) = connection.execute("SELECT min(seq) FROM outbox").fetchone()
    if oldest is None or oldest > acked:
        return False
    last = min(acked, oldest + limit - 1)
    connection.execute("DELETE FROM outbox WHERE seq <= ?", (last,))
    return bool(last < acked)


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


def _drop_ciphertext(connection: Connection, messages: Sequence[bytes]) -> dict[int, int]:
    """Bodies and deliveries of these messages; segment -> how many bodies it held of them."""
    rows = list(among(connection, "SELECT body, segment, deliveries FROM message WHERE id", messages))
    bodies = [body for body, _, _ in rows if body is not None]
    deliveries = [ids[i : i + 16] for _, _, ids in rows for i in range(0, len(ids), 16)]
    for _ in among(connection, "DELETE FROM body WHERE n", bodies):
        pass
    for _ in among(connection, "DELETE FROM delivery WHERE id", deliveries):
        pass
    return dict(Counter(segment for _, segment, _ in rows if segment is not None))
