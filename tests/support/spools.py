"""A PostgreSQL database of a test's own with the spool's schema in it, emptied rather than made anew."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import psycopg
from psycopg import sql

from carepost.spool.postgres import schema
from carepost.spool.postgres.holding import Holdings
from carepost.spool.postgres.store import PostgresBackend
from carepost.spool.types import DeliveryRow

_TABLES = "shard, message, body, delivery, pending, outbox, done, keyed, tally, held, node, installation"


@contextmanager
def database(server: str) -> Iterator[str]:
    """The URL of a new database; it goes at the end."""
    name = f"carepost_spool_{os.getpid()}_{os.urandom(4).hex()}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = psycopg.conninfo.make_conninfo(server, dbname=name)
            with psycopg.connect(url, autocommit=True) as connection:
                schema.migrate(connection)
            yield url
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def empty(url: str) -> None:
    with schema.connect(url) as connection:
        connection.execute(f"TRUNCATE {_TABLES}".encode())


def dump(url: str) -> bytes:
    """Every value of every table."""
    found: list[bytes] = []
    with schema.connect(url) as connection:
        for table in _TABLES.split(", "):
            for row in connection.execute(f"SELECT * FROM {table}".encode(), binary=True):
                found += [one if isinstance(one, bytes) else str(one).encode() for one in row]
    return b"\0".join(found)


def lay(url: str, shard: int, rows: list[DeliveryRow]) -> None:
    """Deliveries written as they would lie there, without the time it takes."""
    names = ", ".join(("shard", *DeliveryRow.__struct_fields__))
    with (
        schema.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(f"COPY delivery ({names}) FROM STDIN".encode()) as copy,
    ):
        for row in rows:
            copy.write_row((shard, *msgspec.structs.astuple(row)))


def spoil(url: str, shard: int, delivery: bytes) -> None:
    with schema.connect(url) as connection:
        connection.execute(
            "UPDATE delivery SET record = %s WHERE shard = %s AND id = %s", (bytes(200), shard, delivery)
        )


class Node:
    """One process as the spool sees it: a holder's name, and the shards it has."""

    def __init__(self, url: str, name: str, lease_s: float = 30.0) -> None:
        self.url = url
        self.holdings = Holdings(url, name, f"{name}:1", lease_s)

    def backend(self, number: int = 0) -> PostgresBackend:
        held = self.holdings.take(number)
        assert held is not None, "another node has the shard"
        return PostgresBackend(self.url, held, self.holdings.lease_s)

    def end(self) -> None:
        """As its last word would: nobody has to wait for its leases."""
        with schema.connect(self.url) as connection:
            connection.execute("UPDATE shard SET lease_until = '-infinity' WHERE holder = %s", (self.holdings.holder,))
