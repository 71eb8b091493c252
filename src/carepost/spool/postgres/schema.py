"""Numbered SQL files, forward only, as the owner of the tables; and what each role may do with them."""

from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from carepost.ground import postgres
from carepost.ground.errors import ConfigError
from carepost.spool.migrate import files

SCHEMA: Final = "carepost_spool"
FOLDER = Path(__file__).parent / "sql"
#: role -> privileges on every table of the schema
_GRANTS: Final = {"engine": "SELECT, INSERT, UPDATE, DELETE", "journal": "SELECT", "staff": "SELECT"}
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('carepost spool schema'))"

Connection = psycopg.Connection[tuple[Any, ...]]


def migrate(connection: Connection, folder: Path = FOLDER) -> int:
    """Brings the schema to the newest form and returns it; one transaction, alone among the nodes that start now.

    A file only ever adds (columns with a default, tables, indexes): the version before goes on working beside it while
    nodes are changed one after the other. Raises ConfigError for a schema of a newer Carepost that says it is not
    readable by this one (`least`)."""
    steps = files(folder)
    with connection.transaction():
        connection.execute(_LOCK)
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
        connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(SCHEMA)))
        connection.execute("CREATE TABLE IF NOT EXISTS form (version integer NOT NULL, least integer NOT NULL)")
        row = connection.execute("SELECT version, least FROM form").fetchone()
        version, least = (int(row[0]), int(row[1])) if row else (0, 0)
        if least > len(steps):
            raise ConfigError(
                f"The spool was written by a newer Carepost (form {version}, this one knows {len(steps)}); "
                "update Carepost to open it."
            )
        for _, text in steps[version:]:
            connection.execute(text.encode())
        if row is None:
            connection.execute("INSERT INTO form (version, least) VALUES (%s, 1)", (len(steps),))
        elif version < len(steps):
            connection.execute("UPDATE form SET version = %s", (len(steps),))
    return max(version, len(steps))


def grant(connection: Connection, roles: dict[str, str]) -> None:
    """`roles`: role -> its name on the server; they exist. As the owner."""
    schema = sql.Identifier(SCHEMA)
    with connection.transaction():
        connection.execute(_LOCK)
        for role, privileges in _GRANTS.items():
            name = sql.Identifier(roles[role])
            for text in (
                "GRANT USAGE ON SCHEMA {} TO {}",
                "REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}",
                f"GRANT {privileges} ON ALL TABLES IN SCHEMA {{}} TO {{}}",
                "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {} TO {}",
            ):
                connection.execute(sql.SQL(text).format(schema, name))


def connect(url: str, name: str = "carepost") -> Connection:
    """In the schema, in autocommit mode. A server that stopped answering is given up after seconds, not hours: the
    event loop may wait for a look-up. Raises psycopg.Error."""
    connection = psycopg.connect(
        url, autocommit=True, application_name=name, options=f"-c search_path={SCHEMA}", **postgres.PATIENCE
    )
    connection.execute("SET statement_timeout = '30s'")
    (durable,) = connection.execute("SHOW synchronous_commit").fetchone() or ("on",)
    if durable == "off":
        # 250 and 202 mean durable, whatever this server's default is
        connection.execute("SET synchronous_commit = on")
    return connection
