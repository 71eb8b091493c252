"""Organisations' keys as the engine gets them: wrapped in the directory's snapshot, opened with its purposes."""

from typing import Protocol

from carepost.directory.types import OrgSnapshot
from carepost.ground.errors import NotFound
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.queue.sealing import KeyBook


class Organisations(Protocol):
    """`directory.Directory`."""

    def snapshot(self, org: bytes) -> OrgSnapshot:
        """Raises NotFound, Unavailable."""


class Owners(Organisations, Protocol):
    """The same, and whose a sender domain is."""

    def domain_owner(self, domain: str) -> bytes | None:
        """Raises Unavailable."""


class DirectoryKeys(KeyBook):
    """The OrgKeyBook of an engine."""

    def __init__(self, directory: Organisations, purposes: PurposeKeys) -> None:
        self._directory = directory
        super().__init__(OrgKeys(purposes), self._wrapped)

    def _wrapped(self, org: bytes, purpose: str, version: int | None) -> tuple[int, bytes]:
        snapshot = self._directory.snapshot(org)
        if version is None:
            found = snapshot.keys.get(purpose)
            if found is None:
                raise NotFound("The organisation has no key for this purpose.")
            return found
        wrapped = snapshot.key(purpose, version)
        if wrapped is None:
            raise NotFound("The organisation has no such key any more.")
        return version, wrapped
