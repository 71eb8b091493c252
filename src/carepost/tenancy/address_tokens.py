"""Tokens that stand for addresses in tables without a day: written under the newest index key (in the portal: the
newest portal key), found under every version that may still have rows (decisions 0039, 0059)."""

import uuid
from collections.abc import Callable
from typing import Final

import msgspec

from carepost.crypto import index
from carepost.crypto.digest import hmac_sha256
from carepost.ground.errors import NotFound
from carepost.tenancy import keys
from carepost.tenancy.models import OrgKey

#: purposes whose keys make such tokens
INDEX: Final = "index"
PORTAL: Final = "portal"

_MARK = 16


class Standing(msgspec.Struct, frozen=True):
    """Keys of one purpose, (version, 32 bytes), newest first; never empty."""

    keys: tuple[tuple[int, bytes], ...]

    @property
    def version(self) -> int:
        """Under which everything new is written."""
        return self.keys[0][0]

    def token(self, address: str) -> bytes:
        """Under the newest. `address`: as `suppression.spelt` gives it."""
        return index.token(self.keys[0][1], "address", address)

    def tokens(self, address: str) -> list[bytes]:
        """Under each: what a row about this address may have."""
        return self._each(lambda key: index.token(key, "address", address))

    def domains(self, domain: str) -> list[bytes]:
        """Under each, the newest first: what a row about a domain may have."""
        return self._each(lambda key: index.token(key, "domain", domain))

    def mark(self, label: bytes, value: bytes) -> bytes:
        """16 bytes by which `value` is known again. `label`: what it is, so that no two kinds are ever alike."""
        return _mark(self.keys[0][1], label, value)

    def marks(self, label: bytes, value: bytes) -> list[bytes]:
        return self._each(lambda key: _mark(key, label, value))

    def __repr__(self) -> str:
        return f"Standing({', '.join(str(number) for number, _ in self.keys)})"

    def _each(self, make: Callable[[bytes], bytes]) -> list[bytes]:
        return [make(key) for _, key in self.keys]


def standing(org: uuid.UUID, purpose: str = INDEX) -> Standing:
    """The newest key, and the older ones under which rows may still stand. Raises NotFound, ground.keys.WrongKey."""
    return _opened(org, purpose, every=False)


def ever(org: uuid.UUID, purpose: str = INDEX) -> Standing:
    """All there have been: for rows that hold no address of their own, and so never follow."""
    return _opened(org, purpose, every=True)


def _opened(org: uuid.UUID, purpose: str, *, every: bool) -> Standing:
    rows = OrgKey.objects.filter(org_id=org, purpose=purpose).order_by("-version")
    found = list(rows if every else rows.filter(emptied_at=0))
    if not found:
        raise NotFound
    opened = keys.org_keys()
    return Standing(
        tuple([(row.version, opened.open(org.bytes, purpose, row.version, bytes(row.wrapped))) for row in found])
    )


def _mark(key: bytes, label: bytes, value: bytes) -> bytes:
    return hmac_sha256(key, label + b"\0" + value)[:_MARK]
