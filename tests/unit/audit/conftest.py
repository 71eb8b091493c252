"""A log in both databases, and a hand that makes events for it."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from carepost.audit import sequencer
from carepost.audit.store import PostgresStore, SqliteStore, Store
from carepost.ground import database, ids
from carepost.proof import event, kinds, openings
from carepost.proof.note import SignerKey
from carepost.wire.types import Drained

ORGS = [hashlib.sha256(b"org%d" % i).digest()[:16] for i in range(3)]


class Hand:
    """Makes the rows of sources, numbered without a gap, and sequences them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.org, self.other, self.third = ORGS
        self.key = hashlib.sha256(b"evidence").digest()
        self.seqs: dict[str, int] = {}
        self.signers: dict[bytes, list[SignerKey]] = {}
        self.signings = 0

    def signer(self, org: bytes, key: str = "") -> SignerKey:
        """The key of this text; without one the first."""
        self.signings += 1
        known = self.signers.setdefault(org, [self._signer(org, 1)])
        return known[0] if not key else next(one for one in known if one.verifier.text == key)

    def _signer(self, org: bytes, number: int) -> SignerKey:
        return SignerKey(sequencer.origin(org), hashlib.sha256(b"sign%d" % number + org).digest())

    def introduce(self, org: bytes | None = None, before: SignerKey | None = None, source: str = "office") -> Drained:
        """The row that introduces the organisation's next key, which is at hand from now on."""
        org = org or self.org
        known = self.signers.setdefault(org, [self._signer(org, 1)])
        known.append(self._signer(org, len(known) + 1))
        facts = {"log-key": known[-1].verifier.text, "log-key-before": (before or known[-2]).verifier.text}
        return self.row(kinds.LOG_KEY_INTRODUCED, ("key",), org=org, source=source, values={}, facts=facts)

    def id(self, name: str) -> str:
        return str(uuid.UUID(bytes=hashlib.sha256(name.encode()).digest()[:16]))

    def row(
        self, kind: str = kinds.MESSAGE_VIEWED, on: tuple[str, ...] = ("m1",), *, org: bytes | None = None,
        source: str = "shard-0001", seq: int | None = None, values: dict[str, bytes] | None = None,
        facts: dict[str, str] | None = None,
    ) -> Drained:  # fmt: skip
        org = org or self.org
        number = self.seqs.get(source, 0) + 1 if seq is None else seq
        self.seqs[source] = max(number, self.seqs.get(source, 0))
        draft, opened = kinds.make(
            kind, id=self.id(f"{source}/{number}"), org=ids.text(org), at=1_800_000_000_000_000 + number,
            actor=("credential", "c1"), on=[self.id(name) for name in on],
            values={"recipient": b"bo@verified.test"} if values is None else values, facts=facts,
        )  # fmt: skip
        sealed = openings.seal(self.key, 1, org, draft.id, opened)
        return Drained(number, org, event.finish(draft, source, number), sealed)

    def rows(self, count: int, **more: Any) -> list[Drained]:
        return [self.row(**more) for _ in range(count)]

    def sequence(self, rows: list[Drained]) -> sequencer.SequenceResult:
        return sequencer.sequence(self.store, rows, self.signer)

    def opener(self, org: bytes, of: event.Event, sealed: bytes) -> dict[str, tuple[bytes, bytes]]:
        return openings.open_(self.key, org, of.id, sealed)

    def grow(self, batches: int = 4, each: int = 7) -> None:
        """Several batches over two organisations and two sources."""
        for i in range(batches):
            one = self.rows(each, on=(f"m{i}", f"d{i}"))
            two = self.rows(3, org=self.other, source="office")
            self.sequence([row for pair in zip(one, two, strict=False) for row in pair] + one[3:])

    def edit(self, sql: str, *parameters: object) -> None:
        """What somebody with the database in their hands can do."""
        with self.store.writing():
            self.store.rows(sql, parameters)


@contextmanager
def sqlite_store(folder: Path) -> Iterator[Store]:
    connection = database.connect(folder / "records.db", hashlib.sha256(b"db").digest())
    store = SqliteStore(connection)
    store.migrate()
    yield store
    connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Store]:
    """A database of its own, used by a role that row security binds."""
    url = os.environ.get("CAREPOST_TEST_POSTGRES")
    if url is None:
        pytest.fail("CAREPOST_TEST_POSTGRES names no server for the tests marked postgres")
    name = f"carepost_audit_{os.getpid()}_{os.urandom(4).hex()}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        admin.execute(f"CREATE ROLE {name} LOGIN NOSUPERUSER NOBYPASSRLS")
        admin.execute(f"GRANT ALL ON DATABASE {name} TO {name}")
        parts = psycopg.conninfo.make_conninfo(url, dbname=name)
        try:
            with psycopg.connect(parts, autocommit=True) as connection:
                connection.execute(f"GRANT ALL ON SCHEMA public TO {name}")
                connection.execute(f"SET ROLE {name}")
                store = PostgresStore(connection)
                store.migrate()
                yield store
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            admin.execute(f"DROP ROLE {name}")


def emptied(store: Store) -> Store:
    tables = ("leaf", "node", "on", "checkpoint", "key", "log", "source")
    with store.writing():
        store.rows("TRUNCATE " + ", ".join(f"audit_{table}" for table in tables))
    return store


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def hand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hand]:
    if request.param == "postgres":
        yield Hand(emptied(request.getfixturevalue("postgres")))
    else:
        with sqlite_store(tmp_path) as store:
            yield Hand(store)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Hand]:
    with sqlite_store(tmp_path) as store:
        yield Hand(store)


@pytest.fixture
def on_postgres(postgres: Store) -> Hand:
    return Hand(emptied(postgres))
