"""Where a directory reads from: the contract, and a source held in memory."""

import threading
from collections.abc import Iterable
from typing import Protocol

import msgspec

from carepost.directory.types import ApiKey, Credential, OrgSnapshot
from carepost.ground.errors import NotFound


class Loaded(msgspec.Struct, frozen=True):
    """All of one organisation, read at one epoch (that of the snapshot)."""

    snapshot: OrgSnapshot
    credentials: tuple[Credential, ...] = ()
    api_keys: tuple[ApiKey, ...] = ()


class Source(Protocol):
    """Called from the directory's one thread. Any exception means: unreadable now, ask again."""

    def epochs(self) -> dict[bytes, int]:
        """Every organisation that may send, with its epoch."""

    def load(self, org: bytes) -> Loaded:
        """One organisation as of one moment. Raises NotFound when it is gone."""

    def close(self) -> None: ...


class StaticSource:
    """Organisations given by the caller (tests, bench). `put` and `drop` act at the next poll."""

    def __init__(self, organisations: Iterable[Loaded] = ()) -> None:
        self._lock = threading.Lock()
        self._loaded = {loaded.snapshot.id: loaded for loaded in organisations}

    def put(self, loaded: Loaded) -> None:
        with self._lock:
            self._loaded[loaded.snapshot.id] = loaded

    def drop(self, org: bytes) -> None:
        with self._lock:
            self._loaded.pop(org, None)

    def epochs(self) -> dict[bytes, int]:
        with self._lock:
            return {org: loaded.snapshot.epoch for org, loaded in self._loaded.items()}

    def load(self, org: bytes) -> Loaded:
        with self._lock:
            found = self._loaded.get(org)
        if found is None:
            raise NotFound
        return found

    def close(self) -> None:
        pass
