"""What a stopped home's databases hold, read as an auditor with the keyring would; embedded or on PostgreSQL."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from carepost.audit import reader
from carepost.audit.store import PostgresStore, SqliteStore, Store
from carepost.ground import database, ids
from carepost.ground import home as homes
from carepost.ground.keys import MasterKeyring
from carepost.proof.event import Event
from tests.support.house import House


@contextmanager
def opened(house: House, name: str) -> Iterator[Any]:
    """A connection. `name`: office.db or records.db; PostgreSQL has both in one."""
    connection = _postgres(house) if "CAREPOST_DATABASE_URL" in house.environ else _embedded(house, name)
    try:
        yield connection
    finally:
        connection.close()


def _embedded(house: House, name: str) -> database.Connection:
    at = homes.open_(house.path)
    keys = MasterKeyring.open(at.keyring(house.environ)).purposes("database")
    return database.connect(at.path / name, keys.raw("database", name.encode()), readonly=True)


def _postgres(house: House) -> psycopg.Connection[Any]:
    connection = psycopg.connect(house.environ["CAREPOST_DATABASE_URL"], autocommit=True)
    # the owner is bound by row security too
    connection.execute("SELECT set_config('carepost.org', %s, false)", (house.made.org,))
    return connection


def events(house: House) -> list[Event]:
    """The demo organisation's log, in its order."""
    org, found = ids.parse(house.made.org), []
    with opened(house, "records.db") as connection:
        postgres = isinstance(connection, psycopg.Connection)
        store: Store = PostgresStore(connection) if postgres else SqliteStore(connection)
        while batch := reader.events_from(store, org, found[-1].index + 1 if found else 0, 5000):
            found += batch
    return [one.event for one in found]


def by_delivery(log: list[Event]) -> dict[str, Counter[str]]:
    """Delivery id -> how often each kind of event was told of it."""
    found: dict[str, Counter[str]] = {}
    for one in log:
        if one.kind.startswith(("delivery.", "portal.")) and len(one.on) > 1:
            found.setdefault(one.on[1], Counter())[one.kind] += 1
    return found
