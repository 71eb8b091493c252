"""The tables of a new home's databases, as every migration before left them: made at once instead of a hundred times.

To go through all migrations takes a first start most of its time: Django makes the models of every version on the way.
`tables/<database>.json` holds what stood in an empty SQLite database after them (`tools/first_tables.py` writes it);
migrations that came later are applied to it as to any home. `tests/floors/test_first_tables.py` compares both ways.
"""

from pathlib import Path
from typing import Final

import msgspec
from django.db import connections, transaction
from django.db.migrations.recorder import MigrationRecorder

FOLDER: Final = Path(__file__).parent / "tables"


class Tables(msgspec.Struct, frozen=True):
    #: (app, migration) whose work the statements hold, in the order they were applied
    migrations: tuple[tuple[str, str], ...]
    #: as in sqlite_master, in its order
    statements: tuple[str, ...]


def kept(alias: str) -> Tables:
    return msgspec.json.decode((FOLDER / f"{alias}.json").read_bytes(), type=Tables)


def make(alias: str) -> None:
    """Where the database is SQLite's and empty; one transaction: a start that is cut off begins anew."""
    connection = connections[alias]
    if connection.vendor != "sqlite":
        return
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_master")
        if cursor.fetchone()[0]:
            return
        found = kept(alias)
        for statement in found.statements:
            cursor.execute(statement)
        recorder = MigrationRecorder(connection)
        for app, name in found.migrations:
            recorder.record_applied(app, name)


def standing(alias: str) -> Tables:
    """What stands in a database of SQLite's now."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite@_%' ESCAPE '@'")
        statements = tuple(sql for (sql,) in cursor.fetchall())
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
        return Tables(tuple((app, name) for app, name in cursor.fetchall()), statements)
