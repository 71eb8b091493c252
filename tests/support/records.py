"""What a stopped home's databases hold, read with its keyring as an auditor with the keys would."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from carepost.audit import reader
from carepost.audit.store import SqliteStore
from carepost.ground import database, ids
from carepost.ground import home as homes
from carepost.ground.keys import MasterKeyring
from carepost.proof.event import Event
from tests.support.house import House


@contextmanager
def opened(house: House, name: str) -> Iterator[database.Connection]:
    """`name`: office.db or records.db."""
    at = homes.open_(house.path)
    keys = MasterKeyring.open(at.keyring(house.environ)).purposes("database")
    connection = database.connect(at.path / name, keys.raw("database", name.encode()), readonly=True)
    try:
        yield connection
    finally:
        connection.close()


def events(house: House) -> list[Event]:
    """The demo organisation's log, in its order."""
    org, found = ids.parse(house.made.org), []
    with opened(house, "records.db") as connection:
        store = SqliteStore(connection)
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
