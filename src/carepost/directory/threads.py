"""Conversations of the portal, as the engine must know them to let an answer by mail join one.

Asked for one at a time, when mail comes for one: there are as many as deposits, so they are not part of a snapshot.
The view `engine_portal_thread` is part of the contract (`sql.VERSION`); its record is under the evidence key."""

import hmac
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from carepost.directory import columns
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, ids, log
from carepost.ground.errors import NotFound, Unavailable
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.wire.types import AccessProof

#: where the sealed record stands (`columns.seal`), before the id
PLACE: Final = "mailbox.engine"
VIEW: Final = "engine_portal_thread"
#: of the view, after `org`
COLUMNS: Final = ("id", "sealed", "until")


class ThreadRecord(msgspec.Struct, frozen=True):
    """Between whom, and how the person outside proves who they are. `mac`: of the token in Reply-To, 10 bytes."""

    sender: str
    recipient: str
    mac: bytes
    access: AccessProof = AccessProof()
    v: int = 1


class Found(msgspec.Struct, frozen=True):
    """`until`: UTC microseconds up to which an answer may join."""

    record: ThreadRecord
    until: int


class Threads(Protocol):
    def find(self, snapshot: OrgSnapshot, thread: bytes) -> Found:
        """Blocking. Raises NotFound, Unavailable."""


def fits(found: Found, mac: bytes) -> bool:
    """Whether this is the token that was given out, and may still be used."""
    return hmac.compare_digest(found.record.mac, mac) and found.until > clock.now()


class StaticThreads:
    """Given by the caller (tests)."""

    def __init__(self, given: Mapping[tuple[bytes, bytes], Found] | None = None) -> None:
        self.given = dict(given or {})

    def find(self, snapshot: OrgSnapshot, thread: bytes) -> Found:
        found = self.given.get((snapshot.id, thread))
        if found is None:
            raise NotFound
        return found


class SqlThreads:
    """Over a connection of its own, opened when it is first needed and again after a failure."""

    def __init__(
        self, connect: Callable[[], Any], keys: PurposeKeys, *, begin: tuple[str, ...], placeholder: str
    ) -> None:
        self._connect = connect
        self._keys = OrgKeys(keys)
        self._begin = begin
        self._select = f"SELECT sealed, until FROM {VIEW} WHERE org = {placeholder} AND id = {placeholder}"  # noqa: S608  constants
        self._lock = threading.Lock()
        self._connection: Any = None

    def find(self, snapshot: OrgSnapshot, thread: bytes) -> Found:
        with self._lock:
            try:
                row = self._row(snapshot.id, thread)
            except Exception as error:
                self._drop()
                log.failure("thread-unreadable", error)
                raise Unavailable("office-unreadable", "The office database cannot be read; try again later.") from None
        if row is None or not row[0]:
            raise NotFound
        return Found(self._open(snapshot, thread, bytes(row[0])), int(row[1]))

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _row(self, org: bytes, thread: bytes) -> tuple[Any, ...] | None:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        for statement in self._begin:
            connection.execute(statement)
        row: tuple[Any, ...] | None = connection.execute(self._select, (org.hex(), thread.hex())).fetchone()
        connection.execute("COMMIT")
        return row

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                connection.close()
        except Exception:  # noqa: S110  it failed already
            pass

    def _open(self, snapshot: OrgSnapshot, thread: bytes, sealed: bytes) -> ThreadRecord:
        version = columns.key_version(sealed)
        wrapped = snapshot.key("evidence", version)
        if wrapped is None:
            raise NotFound
        key = self._keys.open(snapshot.id, "evidence", version, wrapped)
        plain = columns.open_(key, snapshot.id, sealed, f"{PLACE}/{ids.text(thread)}")
        return msgspec.msgpack.decode(plain, type=ThreadRecord)
