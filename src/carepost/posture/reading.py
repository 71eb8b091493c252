"""Reading what an engine has seen: its own file, and those of the other engines of this home.

Each engine writes its own; but what one saw must hold for all: a destination once seen with TLS gets nothing in clear
from any of them (DESIGN 3)."""

import hmac
from collections.abc import Sequence
from pathlib import Path

import msgspec

from carepost.ground import database, log
from carepost.ground.errors import Unavailable
from carepost.ground.keys import PurposeKeys, WrongKey
from carepost.posture.types import Day, Record

_TOKEN = 16
_decoder = msgspec.msgpack.Decoder(Record)
_days = msgspec.msgpack.Decoder(Day)
#: rows read at once by whoever follows what is new
ROWS = 500


def token_key(keys: PurposeKeys) -> bytes:
    return keys.raw("index", b"posture")


def token_of(key: bytes, domain: str) -> bytes:
    return hmac.digest(key, domain.encode(), "sha256")[:_TOKEN]


def aad(token: bytes) -> bytes:
    return b"posture|" + token


def open_row(keys: PurposeKeys, token: bytes, sealed: bytes) -> Record:
    """Raises WrongKey, msgspec.DecodeError."""
    return _decoder.decode(keys.unwrap("evidence", sealed, aad(token)))


def tally_token(key: bytes, day: Day, run: bytes) -> bytes:
    return hmac.digest(key, b"tally|%s|%s|%d|%s" % (day.org, day.domain.encode(), day.day, run), "sha256")[:_TOKEN]


def tally_aad(token: bytes) -> bytes:
    return b"tally|" + token


class Reader:
    """One file, read on the loop."""

    def __init__(self, path: Path, keys: PurposeKeys) -> None:
        self._keys = keys
        self._token_key = token_key(keys)
        self._db = database.connect(path, None, readonly=True)

    def load(self, domain: str) -> Record | None:
        """What is on disk. A row that does not open is forgotten: it is then a domain never seen. Raises Unavailable
        when the disk cannot be read: what it said may have been a warning."""
        token = token_of(self._token_key, domain)
        try:
            row = self._db.execute("SELECT sealed FROM seen WHERE token = ?", (token,)).fetchone()
        except database.DatabaseError as error:
            log.failure("posture-not-read", error)
            raise Unavailable("posture-unreadable", "The disk cannot be read; check it.") from None
        if row is None:
            return None
        try:
            return open_row(self._keys, token, row[0])
        except (WrongKey, msgspec.DecodeError) as error:
            log.failure("posture-unreadable", error)
            return None

    def reported(self, name: str) -> bool:
        """A TLS report of this name was sent."""
        token = token_of(self._token_key, name)
        return self._db.execute("SELECT 1 FROM reported WHERE token = ?", (token,)).fetchone() is not None

    def days(self, day: int) -> list[Day]:
        """All that was counted on `day`, run by run. Raises database.DatabaseError."""
        rows = self._db.execute("SELECT token, sealed FROM tally WHERE day = ?", (day,)).fetchall()
        return [found for token, sealed in rows if (found := self._open_day(token, sealed)) is not None]

    def news(self, after: int) -> tuple[list[Record], list[Day], int]:
        """Records and counts written after `after`, oldest first, and up to when these are: pass it next time.
        Raises database.DatabaseError."""
        sql = (
            "SELECT 0, token, sealed, changed FROM seen WHERE changed > ? UNION ALL "
            "SELECT 1, token, sealed, changed FROM tally WHERE changed > ? ORDER BY changed LIMIT ?"
        )
        records: list[Record] = []
        days: list[Day] = []
        for kind, token, sealed, changed in self._db.execute(sql, (after, after, ROWS)).fetchall():
            after = changed
            if kind:
                day = self._open_day(token, sealed)
                days += [day] if day is not None else []
            else:
                try:
                    records.append(open_row(self._keys, token, sealed))
                except (WrongKey, msgspec.DecodeError) as error:
                    log.failure("posture-unreadable", error)
        return records, days, after

    def rows(self, after: int) -> list[tuple[bytes, bytes, int]]:
        """Records as they lie there, of after `after`, oldest first: (token, sealed, changed). Raises Unavailable."""
        sql = "SELECT token, sealed, changed FROM seen WHERE changed > ? ORDER BY changed LIMIT ?"
        try:
            return [(token, sealed, changed) for token, sealed, changed in self._db.execute(sql, (after, ROWS))]
        except database.DatabaseError as error:
            log.failure("posture-not-read", error)
            raise Unavailable("posture-unreadable", "The disk cannot be read; check it.") from None

    def _open_day(self, token: bytes, sealed: bytes) -> Day | None:
        try:
            return _days.decode(self._keys.unwrap("evidence", sealed, tally_aad(token)))
        except (WrongKey, msgspec.DecodeError) as error:
            log.failure("posture-unreadable", error)
            return None

    def close(self) -> None:
        self._db.close()


class Neighbours:
    """The files of the home's other shards; one that is not there yet is looked for again."""

    def __init__(self, folders: Sequence[Path], keys: PurposeKeys) -> None:
        self._keys = keys
        self._waiting = [folder / "posture.db" for folder in folders]
        self._readers: list[Reader] = []

    def load(self, domain: str) -> list[Record]:
        """Raises Unavailable."""
        if self._waiting:
            self._look()
        return [record for reader in self._readers if (record := reader.load(domain)) is not None]

    def close(self) -> None:
        for reader in self._readers:
            reader.close()

    def _look(self) -> None:
        for path in list(self._waiting):
            if (reader := opened(path, self._keys)) is not None:
                self._waiting.remove(path)
                self._readers.append(reader)


def opened(path: Path, keys: PurposeKeys) -> Reader | None:
    """None: not there yet. The file is there a moment before its tables."""
    if not path.exists():
        return None
    try:
        reader = Reader(path, keys)
        reader.load("")
    except (Unavailable, database.DatabaseError):
        return None
    return reader
