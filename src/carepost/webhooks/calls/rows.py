"""Rows of calls: written inside the journal's transactions, claimed and settled by the thread that tells. Plain SQL."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from carepost.archive.tables import org_value
from carepost.audit.store import Row, Store
from carepost.ground import ids

_PENDING: Final = (
    "INSERT INTO webhookcalls_pending "
    "(org_id, endpoint, at, seq, source, event, message, due_at, first_at, tries, forced) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?) ON CONFLICT DO NOTHING"
)
_KEY: Final = "org_id = ? AND endpoint = ? AND at = ? AND seq = ? AND source = ?"
_COLUMNS: Final = "at, seq, source, event, message, due_at, first_at, tries, forced"


class Pending(msgspec.Struct, frozen=True):
    """One event one endpoint is still to be told. Ids of 16 bytes; `message` b"": it is about none."""

    org: bytes
    endpoint: bytes
    at: int
    seq: int
    source: str
    event: bytes
    message: bytes
    due_at: int
    first_at: int = 0
    tries: int = 0
    forced: bool = False

    @property
    def key(self) -> tuple[bytes, int, int, str]:
        return self.endpoint, self.at, self.seq, self.source


class Try(msgspec.Struct, frozen=True):
    """What became of one try. `result`: `settling.RESULTS`. `status` 0: no answer came, `code` says why."""

    org: bytes
    endpoint: bytes
    id: bytes
    event: bytes
    kind: str
    message: bytes
    at: int
    number: int
    result: str
    status: int = 0
    code: str = ""
    took_ms: int = 0
    said: str = ""


class State(msgspec.Struct):
    """How an endpoint is, as its calls show."""

    failing_since: int = 0
    failures: int = 0
    not_before: int = 0
    good_at: int = 0
    tried_at: int = 0
    status: int = 0
    code: str = ""


class Replay(msgspec.Struct):
    org: bytes
    endpoint: bytes
    event: bytes
    since: int
    until: int
    only: bytes
    #: -1: not begun
    next_leaf: int = -1
    last_leaf: int = -1


def add(store: Store, rows: Sequence[Pending]) -> None:
    """Inside `store.writing()`. Written again, nothing changes."""
    store.many(
        _PENDING,
        [
            (org_value(store, r.org), r.endpoint, r.at, r.seq, r.source, r.event, r.message, r.due_at, int(r.forced))
            for r in rows
        ],
    )


def again(store: Store, org: bytes, endpoint: bytes, limit: int) -> list[Pending]:
    """What was tried before, in order. Inside `reading` or `writing`."""
    return _pending(store, org, endpoint, "tries > 0", limit)


def fresh(store: Store, org: bytes, endpoint: bytes, limit: int, *, forced: bool = False) -> list[Pending]:
    """What was never tried, in order; `forced`: of that only what is told in any case."""
    return _pending(store, org, endpoint, "tries = 0 AND forced = 1" if forced else "tries = 0", limit)


def _pending(store: Store, org: bytes, endpoint: bytes, which: str, limit: int) -> list[Pending]:
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM webhookcalls_pending WHERE org_id = ? AND endpoint = ? AND {which} "  # noqa: S608
        "ORDER BY at, seq, source LIMIT ?",
        (org_value(store, org), endpoint, limit),
    )
    return [
        Pending(
            org, endpoint, int(at), int(seq), source, bytes(event), bytes(message), int(due), int(first), int(tries),
            bool(forced),
        )
        for at, seq, source, event, message, due, first, tries, forced in rows
    ]  # fmt: skip


def oldest(store: Store, org: bytes, endpoint: bytes) -> int:
    """When the first event an endpoint was not told of happened; 0: it was told of all."""
    rows = store.rows(
        "SELECT min(at) FROM webhookcalls_pending WHERE org_id = ? AND endpoint = ?", (org_value(store, org), endpoint)
    )
    return int(rows[0][0] or 0)


def given_up(store: Store, org: bytes, endpoint: bytes, since: int) -> int:
    """About when the first event happened that was given up since a moment (by its id, a minute before); 0: none."""
    first = (since // 1000 << 80).to_bytes(16, "big")
    rows = store.rows(
        "SELECT event FROM webhookcalls_try WHERE org_id = ? AND endpoint = ? AND id >= ? AND result = 'gave-up' "
        "ORDER BY event LIMIT 1",
        (org_value(store, org), endpoint, first),
    )
    return ids.made_at(bytes(rows[0][0])) - 60_000_000 if rows else 0


def waiting(store: Store, org: bytes, endpoint: bytes) -> int:
    rows = store.rows(
        "SELECT count(*) FROM webhookcalls_pending WHERE org_id = ? AND endpoint = ?", (org_value(store, org), endpoint)
    )
    return int(rows[0][0])


def settle(store: Store, done: Iterable[Pending], later: Iterable[Pending], tries: Iterable[Try]) -> None:
    """Inside `store.writing()`: `done` goes, `later` waits until its `due_at`, `tries` are on record."""
    gone = [_key(store, row) for row in done]
    if gone:
        store.many(f"DELETE FROM webhookcalls_pending WHERE {_KEY}", gone)  # noqa: S608
    moved = [(r.due_at, r.first_at, r.tries, *_key(store, r)) for r in later]
    if moved:
        store.many(
            f"UPDATE webhookcalls_pending SET due_at = ?, first_at = ?, tries = ? WHERE {_KEY}",  # noqa: S608
            moved,
        )
    noted = [
        (org_value(store, t.org), t.endpoint, t.id, t.event, t.kind, t.message, t.at, t.number, t.result, t.status,
         t.code, t.took_ms, t.said)
        for t in tries
    ]  # fmt: skip
    if noted:
        store.many(
            "INSERT INTO webhookcalls_try (org_id, endpoint, id, event, kind, message, at, number, result, status, "
            "code, took_ms, said) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            noted,
        )


def _key(store: Store, row: Pending) -> tuple[Any, ...]:
    return org_value(store, row.org), row.endpoint, row.at, row.seq, row.source


def state(store: Store, org: bytes, endpoint: bytes) -> State:
    rows = store.rows(
        "SELECT failing_since, failures, not_before, good_at, tried_at, status, code FROM webhookcalls_state "
        "WHERE org_id = ? AND endpoint = ?",
        (org_value(store, org), endpoint),
    )
    return State(*rows[0]) if rows else State()


def put_state(store: Store, org: bytes, endpoint: bytes, now: State) -> None:
    """Inside `store.writing()`."""
    store.rows(
        "INSERT INTO webhookcalls_state (org_id, endpoint, failing_since, failures, not_before, good_at, tried_at, "
        "status, code) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (org_id, endpoint) DO UPDATE SET "
        "failing_since = excluded.failing_since, failures = excluded.failures, not_before = excluded.not_before, "
        "good_at = excluded.good_at, tried_at = excluded.tried_at, status = excluded.status, code = excluded.code",
        (org_value(store, org), endpoint, *msgspec.structs.astuple(now)),
    )


def drop(store: Store, org: bytes, endpoint: bytes) -> None:
    """All but the tries of an endpoint that is removed. Inside `store.writing()`."""
    drop_pending(store, org, endpoint)
    store.rows("DELETE FROM webhookcalls_state WHERE org_id = ? AND endpoint = ?", (org_value(store, org), endpoint))


def drop_pending(store: Store, org: bytes, endpoint: bytes) -> None:
    """What waits for an endpoint: nothing of it is told any more. Inside `store.writing()`."""
    for table in ("webhookcalls_pending", "webhookcalls_replay"):
        store.rows(
            f"DELETE FROM {table} WHERE org_id = ? AND endpoint = ?",  # noqa: S608
            (org_value(store, org), endpoint),
        )


def ask_replay(store: Store, one: Replay) -> None:
    """Inside `store.writing()`. Written again, nothing changes."""
    store.rows(
        "INSERT INTO webhookcalls_replay (org_id, endpoint, event, since, until, single, next_leaf, last_leaf) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (org_value(store, one.org), one.endpoint, one.event, one.since, one.until, one.only, one.next_leaf,
         one.last_leaf),
    )  # fmt: skip


def replays(store: Store) -> list[Replay]:
    rows = store.rows(
        "SELECT org_id, endpoint, event, since, until, single, next_leaf, last_leaf FROM webhookcalls_replay "
        "ORDER BY event LIMIT 20"
    )
    return [
        Replay(
            org_bytes(org), bytes(endpoint), bytes(event), int(since), int(until), bytes(only), int(first), int(last)
        )
        for org, endpoint, event, since, until, only, first, last in rows
    ]


def move_replay(store: Store, one: Replay, *, over: bool) -> None:
    """Inside `store.writing()`."""
    key = org_value(store, one.org), one.endpoint, one.event
    if over:
        store.rows("DELETE FROM webhookcalls_replay WHERE org_id = ? AND endpoint = ? AND event = ?", key)
    else:
        store.rows(
            "UPDATE webhookcalls_replay SET next_leaf = ?, last_leaf = ? "
            "WHERE org_id = ? AND endpoint = ? AND event = ?",
            (one.next_leaf, one.last_leaf, *key),
        )


def tries(
    store: Store, org: bytes, endpoint: bytes, *, before: bytes = b"", result: str = "", event: bytes = b"",
    limit: int = 50,
) -> list[Try]:  # fmt: skip
    """Newest first, from `before` (an id of a try) on."""
    where, given = "org_id = ? AND endpoint = ?", [org_value(store, org), endpoint]
    for clause, value in (("id < ?", before), ("result = ?", result), ("event = ?", event)):
        if value:
            where, given = f"{where} AND {clause}", [*given, value]
    rows: list[Row] = store.rows(
        f"SELECT id, event, kind, message, at, number, result, status, code, took_ms, said FROM webhookcalls_try "  # noqa: S608
        f"WHERE {where} ORDER BY id DESC LIMIT ?",
        (*given, limit),
    )
    return [
        Try(org, endpoint, bytes(id_), bytes(of), kind, bytes(message), int(at), int(number), ended, int(status), code,
            int(took), said)
        for id_, of, kind, message, at, number, ended, status, code, took, said in rows
    ]  # fmt: skip


def about(store: Store, org: bytes, message: bytes, limit: int) -> list[tuple[bytes, Try]]:
    """(endpoint, try), the newest first: of all that told of a message."""
    found: list[Row] = store.rows(
        "SELECT endpoint, id, event, kind, message, at, number, result, status, code, took_ms, said "
        "FROM webhookcalls_try WHERE org_id = ? AND message = ? ORDER BY id DESC LIMIT ?",
        (org_value(store, org), message, limit),
    )
    return [
        (bytes(endpoint), Try(org, bytes(endpoint), bytes(id_), bytes(of), kind, bytes(on), int(at), int(number), ended,
                              int(status), code, int(took), said))
        for endpoint, id_, of, kind, on, at, number, ended, status, code, took, said in found
    ]  # fmt: skip


def forget_tries(store: Store, org: bytes, endpoint: bytes, before: bytes, limit: int) -> int:
    """Tries older than `before` (an id). Inside `store.writing()`."""
    rows = store.rows(
        "SELECT org_id, endpoint, id FROM webhookcalls_try WHERE org_id = ? AND endpoint = ? AND id < ? "
        "ORDER BY id LIMIT ?",
        (org_value(store, org), endpoint, before, limit),
    )
    store.many("DELETE FROM webhookcalls_try WHERE org_id = ? AND endpoint = ? AND id = ?", rows)
    return len(rows)


def org_bytes(value: Any) -> bytes:
    """An organisation as the tables give it."""
    return value.bytes if isinstance(value, uuid.UUID) else bytes(value)
