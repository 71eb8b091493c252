"""Conversations of the portal, as the engine must know them to let an answer by mail join one.

Asked for one at a time, when mail comes for one: there are as many as deposits, so they are not part of a snapshot.
The view `engine_portal_thread` is part of the contract (`sql.VERSION`); its record is under the evidence key."""

import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from carepost.directory import columns
from carepost.directory.rows import SqlRows
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.wire.types import AccessProof

#: where the sealed record stands (`columns.seal`), before the id
PLACE: Final = "mailbox.engine"
VIEW: Final = "engine_portal_thread"
#: of the view, after `org`
COLUMNS: Final = ("id", "sealed", "until")


class ThreadRecord(msgspec.Struct, frozen=True):
    """Between whom, and how the person outside proves who they are. `mac`: of the token in Reply-To, 10 bytes; `later`:
    of those given out after a change of the key."""

    sender: str
    recipient: str
    mac: bytes
    access: AccessProof = AccessProof()
    v: int = 1
    later: tuple[bytes, ...] = ()

    @property
    def macs(self) -> tuple[bytes, ...]:
        return (self.mac, *self.later)


class Found(msgspec.Struct, frozen=True):
    """`until`: UTC microseconds up to which an answer may join."""

    record: ThreadRecord
    until: int


class Threads(Protocol):
    def find(self, snapshot: OrgSnapshot, thread: bytes) -> Found:
        """Blocking. Raises NotFound, Unavailable."""


def fits(found: Found, mac: bytes) -> bool:
    """Whether this is a token that was given out, and may still be used."""
    known = [hmac.compare_digest(one, mac) for one in found.record.macs]
    return any(known) and found.until > clock.now()


def read(plain: bytes) -> ThreadRecord:
    return msgspec.msgpack.decode(plain, type=ThreadRecord)


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
    """From the office's view, one at a time."""

    def __init__(
        self, connect: Callable[[], Any], keys: PurposeKeys, *, begin: tuple[str, ...], placeholder: str
    ) -> None:
        self._keys = OrgKeys(keys)
        select = f"SELECT sealed, until FROM {VIEW} WHERE org = {placeholder} AND id = {placeholder}"  # noqa: S608  constants
        self._rows = SqlRows(connect, select, begin, "thread-unreadable")

    def find(self, snapshot: OrgSnapshot, thread: bytes) -> Found:
        row = self._rows.row(snapshot.id, thread)
        if row is None or not row[0]:
            raise NotFound
        return Found(self._open(snapshot, thread, bytes(row[0])), int(row[1]))

    def close(self) -> None:
        self._rows.close()

    def _open(self, snapshot: OrgSnapshot, thread: bytes, sealed: bytes) -> ThreadRecord:
        version = columns.key_version(sealed)
        wrapped = snapshot.key("evidence", version)
        if wrapped is None:
            raise NotFound
        key = self._keys.open(snapshot.id, "evidence", version, wrapped)
        plain = columns.open_(key, snapshot.id, sealed, f"{PLACE}/{ids.text(thread)}")
        return read(plain)
