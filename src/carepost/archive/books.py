"""The organisations' keys as this process opens them from the office's tables; a `queue.sealing.OrgKeyBook`."""

import threading
import uuid
from functools import lru_cache

from django.db import DatabaseError

from carepost.ground import clock
from carepost.ground.errors import NotFound, Unavailable
from carepost.queue.sealing import KeyBook, Opener
from carepost.tenancy import keys, scope
from carepost.tenancy.models import OrgKey

#: seconds the newest version of a key is remembered: rotation shows within it
FRESH = 20.0
#: seconds for which what is known of the index keys serves on while the office database cannot be read
_STALE = 3600.0


class OfficeKeys:
    """`find` of a KeyBook over `tenancy_orgkey`. Callable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[tuple[bytes, str], tuple[float, int, bytes]] = {}

    def find(self, org: bytes, purpose: str, version: int | None) -> tuple[int, bytes]:
        """(version, wrapped key). Raises NotFound, Unavailable when the office database cannot be read."""
        if version is None:
            with self._lock:
                known = self._newest.get((org, purpose))
            if known is not None and clock.monotonic() - known[0] < FRESH:
                return known[1], known[2]
        found = _read(org, purpose, version)
        if version is None:
            with self._lock:
                self._newest[org, purpose] = (clock.monotonic(), *found)
        return found


def _read(org: bytes, purpose: str, version: int | None) -> tuple[int, bytes]:
    owner = uuid.UUID(bytes=org)
    try:
        with scope.organisation(owner):
            rows = OrgKey.objects.filter(org_id=owner, purpose=purpose)
            rows = rows.filter(retired_at=0) if version is None else rows.filter(version=version)
            row = rows.order_by("-version").first()
    except DatabaseError:
        raise Unavailable("office-unreadable", "The office database cannot be read; try again.") from None
    if row is None:
        raise NotFound("There is no such key.")
    return row.version, bytes(row.wrapped)


class Serving:
    """Which version of an organisation's index key indexes a message, by the time it was accepted. Callable from any
    thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: (monotonic time of the look, ((version, serves from), … newest first))
        self._known: dict[bytes, tuple[float, tuple[tuple[int, int], ...]]] = {}

    def versions(self, org: bytes) -> tuple[tuple[int, int], ...]:
        """(version, UTC microseconds it serves from), newest first; never empty. Raises NotFound, Unavailable."""
        with self._lock:
            known = self._known.get(org)
        if known is not None and clock.monotonic() - known[0] < FRESH:
            return known[1]
        owner = uuid.UUID(bytes=org)
        try:
            with scope.organisation(owner):
                rows = OrgKey.objects.filter(org_id=owner, purpose="index").order_by("-version")
                found = tuple(rows.values_list("version", "serves_from"))
        except DatabaseError:
            if known is not None and clock.monotonic() - known[0] < _STALE:
                return known[1]
            raise Unavailable("office-unreadable", "The office database cannot be read; try again.") from None
        if not found:
            raise NotFound("There is no such key.")
        with self._lock:
            self._known[org] = (clock.monotonic(), found)
        return found

    def at(self, org: bytes, at: int) -> int:
        """The version for a message accepted at this time."""
        return next(version for version, since in self.versions(org) if since <= at)

    def during(self, org: bytes, first: int, end: int) -> list[int]:
        """The versions for messages accepted from `first` to before `end`, newest first."""
        found, until = [], end
        for version, since in self.versions(org):
            if since < until:
                found.append(version)
                until = since
            if until <= first:
                break
        return found


@lru_cache(maxsize=1)
def serving() -> Serving:
    """Of this process."""
    return Serving()


@lru_cache(maxsize=1)
def book() -> KeyBook:
    """Of this process, over the purposes it was given."""
    return KeyBook(keys.org_keys(), OfficeKeys().find)


@lru_cache(maxsize=1)
def opener() -> Opener:
    return Opener(book())
