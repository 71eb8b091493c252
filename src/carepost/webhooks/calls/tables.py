"""The tables of calls, for both databases. Times are UTC microseconds; ids are 16 bytes."""

from typing import Any, Final

#: what an endpoint is still to be told, in the order it is told (of one message all events have one source): once
#: however often it is written. `first_at` 0: never tried. `forced`: sent though the endpoint is paused or disabled
_PENDING: Final = """
    CREATE TABLE webhookcalls_pending (
        org_id {org} NOT NULL, endpoint {blob} NOT NULL, at BIGINT NOT NULL, seq BIGINT NOT NULL, source TEXT NOT NULL,
        event {blob} NOT NULL, message {blob} NOT NULL,
        due_at BIGINT NOT NULL, first_at BIGINT NOT NULL, tries INTEGER NOT NULL, forced INTEGER NOT NULL,
        PRIMARY KEY (org_id, endpoint, at, seq, source)
    ) {tail}"""
_AGAIN: Final = "CREATE INDEX webhookcalls_again ON webhookcalls_pending (org_id, endpoint, due_at) WHERE tries > 0"
#: one try of one event. `id` is of the time it ended; `said`: words of a closed list (`masking`)
_TRY: Final = """
    CREATE TABLE webhookcalls_try (
        org_id {org} NOT NULL, endpoint {blob} NOT NULL, id {blob} NOT NULL,
        event {blob} NOT NULL, kind TEXT NOT NULL, message {blob} NOT NULL, at BIGINT NOT NULL, number INTEGER NOT NULL,
        result TEXT NOT NULL, status INTEGER NOT NULL, code TEXT NOT NULL, took_ms INTEGER NOT NULL, said TEXT NOT NULL,
        PRIMARY KEY (org_id, endpoint, id)
    ) {tail}"""
#: how an endpoint is: `failing_since` 0: its last call went well; `not_before`: until then it is left alone
_STATE: Final = """
    CREATE TABLE webhookcalls_state (
        org_id {org} NOT NULL, endpoint {blob} NOT NULL, failing_since BIGINT NOT NULL, failures INTEGER NOT NULL,
        not_before BIGINT NOT NULL, good_at BIGINT NOT NULL, tried_at BIGINT NOT NULL, status INTEGER NOT NULL,
        code TEXT NOT NULL, PRIMARY KEY (org_id, endpoint)
    ) {tail}"""
#: a part of the log that is to be told again: leaves from `next_leaf` on that happened from `since` to `until`;
#: `single`: the one event that is meant, or empty
_REPLAY: Final = """
    CREATE TABLE webhookcalls_replay (
        org_id {org} NOT NULL, endpoint {blob} NOT NULL, event {blob} NOT NULL,
        since BIGINT NOT NULL, until BIGINT NOT NULL, single {blob} NOT NULL, next_leaf BIGINT NOT NULL,
        last_leaf BIGINT NOT NULL, PRIMARY KEY (org_id, endpoint, event)
    ) {tail}"""
_NAMES: Final = ("webhookcalls_pending", "webhookcalls_try", "webhookcalls_state", "webhookcalls_replay")


def create_about(_apps: Any, editor: Any) -> None:
    """The tries that told of one message: for its page."""
    editor.execute("CREATE INDEX webhookcalls_about ON webhookcalls_try (org_id, message)")


def drop_about(_apps: Any, editor: Any) -> None:
    editor.execute("DROP INDEX webhookcalls_about")


def create(_apps: Any, editor: Any) -> None:
    on_postgres = editor.connection.vendor == "postgresql"
    blob, org, tail = ("BYTEA", "UUID", "") if on_postgres else ("BLOB", "BLOB", "WITHOUT ROWID")
    for statement in (_PENDING, _AGAIN, _TRY, _STATE, _REPLAY):
        editor.execute(statement.format(blob=blob, org=org, tail=tail))


def drop(_apps: Any, editor: Any) -> None:
    for name in _NAMES:
        editor.execute(f"DROP TABLE {name}")
