"""The file behind posture: one row a domain, the name as a token, everything else sealed (law 9).

One thread writes what has changed, many rows a transaction; the engine's loop never waits for it.
"""

import os
import queue
import threading
from pathlib import Path

import msgspec

from carepost.ground import clock, database, log
from carepost.ground.errors import Unavailable
from carepost.ground.keys import PurposeKeys, WrongKey
from carepost.posture.reading import Reader, aad, open_row, tally_aad, tally_token, token_key, token_of
from carepost.posture.types import Day, Record

FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (
  one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL, key INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS seen (token BLOB PRIMARY KEY, sealed BLOB NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_changed ON seen (changed);
CREATE TABLE IF NOT EXISTS tally (
  token BLOB PRIMARY KEY, day INTEGER NOT NULL, sealed BLOB NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tally_changed ON tally (changed);
CREATE TABLE IF NOT EXISTS reported (token BLOB PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID;
"""
#: days that counts are kept
TALLIES_KEPT = 10

_encoder = msgspec.msgpack.Encoder()


class Reported(msgspec.Struct, frozen=True):
    name: str
    day: int


class Store:
    """`posture.db` in a shard's folder. One writer a file: the engine that owns the shard."""

    def __init__(self, path: Path, keys: PurposeKeys) -> None:
        self._keys = keys
        self._token_key = token_key(keys)
        self._db = database.connect(path, None)
        self._last = 0
        self._open()
        #: committed rows are read on the loop, by a connection of its own
        self._reader = Reader(path, keys)
        self._queue: queue.SimpleQueue[Record | Day | Reported | threading.Event | None] = queue.SimpleQueue()
        #: counts of this run: a later one replaces an earlier one, and adds to those of other runs
        self._run_id = os.urandom(8)
        self._last = self._newest()
        self._thread = threading.Thread(target=self._run, name="posture", daemon=True)
        self._thread.start()

    def load(self, domain: str) -> Record | None:
        """As `reading.Reader.load`."""
        return self._reader.load(domain)

    def save(self, record: Record) -> None:
        self._queue.put(record)

    def save_day(self, day: Day) -> None:
        self._queue.put(day)

    def save_reported(self, name: str, day: int) -> None:
        """A report was sent: `name` says which."""
        self._queue.put(Reported(name, day))

    def reported(self, name: str) -> bool:
        """As far as it is on disk."""
        return self._reader.reported(name)

    def flush(self, timeout: float = 10.0) -> None:
        """Returns when everything saved before is on disk. Raises Unavailable when it takes longer."""
        done = threading.Event()
        self._queue.put(done)
        if not done.wait(timeout):
            raise Unavailable("posture-slow", "The disk is too slow; check it.")

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(timeout=10)
        self._reader.close()
        self._db.close()

    def _open(self) -> None:
        for statement in _SCHEMA.split(";"):
            self._db.execute(statement)
        row = self._db.execute("SELECT format, key FROM meta").fetchone()
        if row is None:
            self._db.execute("INSERT INTO meta VALUES (1, ?, ?)", (FORMAT, self._keys.current))
        elif row[1] != self._keys.current:
            self._rename()

    def _rename(self) -> None:
        """The keyring has a newer key: tokens and seals are made anew, or nothing would be found again."""
        rows = self._db.execute("SELECT token, sealed FROM seen").fetchall()
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM seen")
        for token, sealed in rows:
            try:
                record = open_row(self._keys, token, sealed)
            except (WrongKey, msgspec.DecodeError):
                continue
            self._write(record)
        self._db.execute("UPDATE meta SET key = ?", (self._keys.current,))
        self._db.execute("COMMIT")

    def _run(self) -> None:
        while True:
            item = self._queue.get()
            batch: dict[object, Record | Day | Reported] = {}
            waiting: list[threading.Event] = []
            stop = False
            while True:
                if item is None:
                    stop = True
                elif isinstance(item, Record):
                    batch[item.domain] = item
                elif isinstance(item, Day):
                    batch[item.org, item.domain, item.day] = item
                elif isinstance(item, Reported):
                    batch[item] = item
                else:
                    waiting.append(item)
                if len(batch) >= 1000 or self._queue.empty():
                    break
                item = self._queue.get()
            if batch:
                self._commit(batch)
            for event in waiting:
                event.set()
            if stop:
                return

    def _commit(self, batch: dict[object, Record | Day | Reported]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for one in batch.values():
                if isinstance(one, Record):
                    self._write(one)
                elif isinstance(one, Day):
                    self._write_day(one)
                else:
                    token = token_of(self._token_key, one.name)
                    self._db.execute("INSERT OR REPLACE INTO reported VALUES (?, ?)", (token, one.day))
            self._db.execute("COMMIT")
        except database.DatabaseError as error:
            # What was seen is still in memory; a disk that is full must not stop mail.
            log.failure("posture-not-written", error)
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _write(self, record: Record) -> None:
        token = token_of(self._token_key, record.domain)
        sealed = self._keys.wrap("evidence", _encoder.encode(record), aad(token))
        self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (token, sealed, self._moment()))

    def _write_day(self, day: Day) -> None:
        token = tally_token(self._token_key, day, self._run_id)
        named = msgspec.structs.replace(day, run=self._run_id.hex())
        sealed = self._keys.wrap("evidence", _encoder.encode(named), tally_aad(token))
        row = (token, day.day, sealed, self._moment())
        self._db.execute("INSERT OR REPLACE INTO tally VALUES (?, ?, ?, ?)", row)
        self._db.execute("DELETE FROM tally WHERE day < ?", (day.day - TALLIES_KEPT,))
        self._db.execute("DELETE FROM reported WHERE day < ?", (day.day - TALLIES_KEPT,))

    def _newest(self) -> int:
        row = self._db.execute(
            "SELECT max(changed) FROM (SELECT changed FROM seen UNION ALL SELECT changed FROM tally)"
        ).fetchone()
        return int(row[0] or 0)

    def _moment(self) -> int:
        """The time, or a microsecond after the last one: whoever reads what is new finds every row once."""
        self._last = max(clock.now(), self._last + 1)
        return self._last
