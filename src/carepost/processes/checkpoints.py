"""The latest signed checkpoint of each organisation, for the header of the engine's answers (DESIGN 4).

Read from the journal's database by a thread of its own; an answer never waits for it."""

import base64
import importlib
import threading

from carepost.audit import reader
from carepost.audit.store import PostgresStore, SqliteStore, Store
from carepost.ground import database, log, postgres
from carepost.ground.config import Config
from carepost.ground.home import Home
from carepost.ground.keys import PurposeKeys

#: seconds between looks; a checkpoint a second old is as good
EVERY = 1.0
#: seconds a look may take: the thread is waited for when the engine ends
_STATEMENT = 5


class Checkpoints:
    """`latest(org)`: base64 of the note, or None while there is none."""

    def __init__(self, home: Home, config: Config, keys: PurposeKeys) -> None:
        self._home, self._config, self._keys = home, config, keys
        self._known: dict[bytes, str] = {}
        self._wanted: set[bytes] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=5)

    def latest(self, org: bytes) -> str | None:
        if org not in self._wanted:
            self._wanted.add(org)
        return self._known.get(org)

    def _run(self) -> None:
        store: Store | None = None
        while not self._stopping.wait(EVERY):
            if not self._wanted:
                continue
            try:
                store = store or self._open()
                if store is not None:
                    self._known = {org: self._read(store, org) for org in tuple(self._wanted)}
            except Exception as error:  # the header is a courtesy: mail goes on without it
                log.failure("checkpoints-not-read", error)
                store = None

    @staticmethod
    def _read(store: Store, org: bytes) -> str:
        point = reader.checkpoint(store, org)
        return base64.b64encode(point.note).decode() if point is not None else ""

    def _open(self) -> Store | None:
        if self._config.database_url:
            psycopg = importlib.import_module("psycopg")
            url = postgres.role_url(self._config.database_url, "engine", self._keys)
            connection = psycopg.connect(url, autocommit=True, **postgres.PATIENCE)
            for bound in postgres.bounds(_STATEMENT, _STATEMENT):
                connection.execute(bound)
            return PostgresStore(connection)
        if not self._home.records_db.exists():
            return None
        raw = self._keys.raw("database", b"records.db")
        return SqliteStore(database.connect(self._home.records_db, raw, readonly=True))
