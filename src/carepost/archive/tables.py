"""The tables of history that only plain SQL touches, for both databases. Times are UTC microseconds."""

import uuid
from itertools import groupby
from typing import Any, Final

from carepost.audit.store import PostgresStore, Store

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

#: entries of a block made by the migration
_ENTRIES: Final = 680

#: `archive.segments`: which segments a day has, and their blocks: a row's `entries` are sorted, none less than `first`
_SEGMENT: Final = """
    CREATE TABLE archive_segment (
        org_id {org} NOT NULL, day INTEGER NOT NULL, number BIGINT NOT NULL, level INTEGER NOT NULL,
        PRIMARY KEY (org_id, day, number)
    ) {tail}"""
_BLOCK: Final = """
    CREATE TABLE archive_block (
        org_id {org} NOT NULL, day INTEGER NOT NULL, number BIGINT NOT NULL, first {blob} NOT NULL,
        entries {blob} NOT NULL, PRIMARY KEY (org_id, day, number, first)
    )"""

#: `archive.tallies`: what became of the deliveries accepted on a day, by the recipient's domain and provider group.
#: On SQLite without a rowid: a day's rows lie together
_TALLY: Final = """
    CREATE TABLE archive_tally (
        org_id {org} NOT NULL, day INTEGER NOT NULL, domain TEXT NOT NULL, provider TEXT NOT NULL,
        measure TEXT NOT NULL, number BIGINT NOT NULL,
        PRIMARY KEY (org_id, day, domain, provider, measure)
    ) {tail}"""

#: `archive.sums`: the same by provider group alone, which groups a domain was seen with and since which day, and from
#: which day on the sums hold. `org_id` leads each key
_DAILY: Final = (
    """CREATE TABLE archive_daily (
        org_id {org} NOT NULL, day INTEGER NOT NULL, provider TEXT NOT NULL, measure TEXT NOT NULL,
        number BIGINT NOT NULL, PRIMARY KEY (org_id, day, provider, measure)
    ) {tail}""",
    """CREATE TABLE archive_domain (
        org_id {org} NOT NULL, domain TEXT NOT NULL, provider TEXT NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (org_id, domain, provider)
    ) {tail}""",
    """CREATE TABLE archive_summed (
        org_id {org} NOT NULL PRIMARY KEY, known_from INTEGER NOT NULL, from_day INTEGER NOT NULL
    ) {tail}""",
)


def create(_apps: Any, editor: Any) -> None:
    on_postgres = editor.connection.vendor == "postgresql"
    blob, org, tail = ("BYTEA", "UUID", "") if on_postgres else ("BLOB", "BLOB", "WITHOUT ROWID")
    for statement in (_INDEX, _EFFECT, _MARK, _DUE):
        editor.execute(statement.format(blob=blob, org=org, tail=tail))


def org_value(store: Store, org: bytes) -> bytes | str:
    """An organisation as the plain tables hold it: a UUID on PostgreSQL, 16 bytes on SQLite."""
    return org.hex() if isinstance(store, PostgresStore) else org


def raw_value(value: Any) -> bytes:
    """An id as Django's tables hold it: a UUID on PostgreSQL, 32 digits on SQLite."""
    return value.bytes if isinstance(value, uuid.UUID) else bytes.fromhex(value)


def create_segments(_apps: Any, editor: Any) -> None:
    """The index in segments instead of a row a token; what was indexed before moves over."""
    on_postgres = editor.connection.vendor == "postgresql"
    blob, org, tail = ("BYTEA", "UUID", "") if on_postgres else ("BLOB", "BLOB", "WITHOUT ROWID")
    for statement in (_SEGMENT, _BLOCK):
        editor.execute(statement.format(blob=blob, org=org, tail=tail))
    connection = editor.connection.connection
    rows = connection.execute("SELECT org_id, day, token, message FROM archive_token ORDER BY 1, 2, 3, 4").fetchall()
    segment = "INSERT INTO archive_segment (org_id, day, number, level) VALUES (?, ?, 1, 0)"
    block = "INSERT INTO archive_block (org_id, day, number, first, entries) VALUES (?, ?, 1, ?, ?)"
    if on_postgres:
        segment, block = segment.replace("?", "%s"), block.replace("?", "%s")
    for (owner, day), held in groupby(rows, key=lambda row: row[:2]):
        entries = [bytes(token) + bytes(message) for _, _, token, message in held]
        connection.execute(segment, (owner, day))
        for at in range(0, len(entries), _ENTRIES):
            part = entries[at : at + _ENTRIES]
            connection.execute(block, (owner, day, part[0], b"".join(part)))
    editor.execute("DROP TABLE archive_token")


def drop(_apps: Any, editor: Any) -> None:
    for name in _NAMES:
        editor.execute(f"DROP TABLE {name}")


def create_tallies(_apps: Any, editor: Any) -> None:
    on_postgres = editor.connection.vendor == "postgresql"
    org, tail = ("UUID", "") if on_postgres else ("BLOB", "WITHOUT ROWID")
    editor.execute(_TALLY.format(org=org, tail=tail))


def drop_tallies(_apps: Any, editor: Any) -> None:
    editor.execute("DROP TABLE archive_tally")


def create_sums(_apps: Any, editor: Any) -> None:
    on_postgres = editor.connection.vendor == "postgresql"
    org, tail = ("UUID", "") if on_postgres else ("BLOB", "WITHOUT ROWID")
    for statement in _DAILY:
        editor.execute(statement.format(org=org, tail=tail))


#: `archive.packs`: everything of some days by domain in one row, and what is counted of such days afterwards
_PACKS: Final = (
    """CREATE TABLE archive_pack (
        org_id {org} NOT NULL, level INTEGER NOT NULL, first INTEGER NOT NULL, number BIGINT NOT NULL,
        data {blob} NOT NULL, PRIMARY KEY (org_id, level, first)
    )""",
    """CREATE TABLE archive_late (
        org_id {org} NOT NULL, day INTEGER NOT NULL, domain TEXT NOT NULL, measure TEXT NOT NULL,
        number BIGINT NOT NULL, PRIMARY KEY (org_id, day, domain, measure)
    ) {tail}""",
    "ALTER TABLE archive_summed ADD COLUMN packed INTEGER NOT NULL DEFAULT 0",
)


def create_packs(_apps: Any, editor: Any) -> None:
    on_postgres = editor.connection.vendor == "postgresql"
    blob, org, tail = ("BYTEA", "UUID", "") if on_postgres else ("BLOB", "BLOB", "WITHOUT ROWID")
    for statement in _PACKS:
        editor.execute(statement.format(blob=blob, org=org, tail=tail))


def drop_packs(_apps: Any, editor: Any) -> None:
    for statement in ("DROP TABLE archive_pack", "DROP TABLE archive_late"):
        editor.execute(statement)
    editor.execute("ALTER TABLE archive_summed DROP COLUMN packed")


def drop_sums(_apps: Any, editor: Any) -> None:
    for name in ("archive_daily", "archive_domain", "archive_summed"):
        editor.execute(f"DROP TABLE {name}")
