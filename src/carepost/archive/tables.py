"""The three tables of history that only plain SQL touches, for both databases. Times are UTC microseconds."""

from typing import Any, Final

#: `token`: 8 bytes; `message`: 16. On SQLite without a rowid: the key is the table, neighbours lie together
_INDEX: Final = """
    CREATE TABLE archive_token (
        org_id {org} NOT NULL, day INTEGER NOT NULL, token {blob} NOT NULL, message {blob} NOT NULL,
        PRIMARY KEY (org_id, day, token, message)
    ) {tail}"""
#: what the journal has to do after its commit, named by the event that asks for it: once however often it is written
_EFFECT: Final = """
    CREATE TABLE archive_effect (
        kind TEXT NOT NULL, source TEXT NOT NULL, seq BIGINT NOT NULL, org_id {org} NOT NULL,
        due_at BIGINT NOT NULL, tries INTEGER NOT NULL,
        PRIMARY KEY (kind, source, seq)
    ) {tail}"""
#: what was done last, by name
_MARK: Final = "CREATE TABLE archive_mark (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL) {tail}"
_DUE: Final = "CREATE INDEX archive_effect_due ON archive_effect (due_at)"
_NAMES: Final = ("archive_token", "archive_effect", "archive_mark")


def create(_apps: Any, editor: Any) -> None:
    on_postgres = editor.connection.vendor == "postgresql"
    blob, org, tail = ("BYTEA", "UUID", "") if on_postgres else ("BLOB", "BLOB", "WITHOUT ROWID")
    for statement in (_INDEX, _EFFECT, _MARK, _DUE):
        editor.execute(statement.format(blob=blob, org=org, tail=tail))


def drop(_apps: Any, editor: Any) -> None:
    for name in _NAMES:
        editor.execute(f"DROP TABLE {name}")
