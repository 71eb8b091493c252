"""An organisation's keys: 32 random bytes per purpose and version, wrapped by the purpose's key."""

import os

from carepost.ground.keys import PurposeKeys


def aad(org: bytes, purpose: str, version: int) -> bytes:
    return b"org|" + org + b"|" + purpose.encode() + b"|" + str(version).encode()


class OrgKeys:
    """Opens organisations' keys and remembers them; holds only the purposes this process was given."""

    def __init__(self, purposes: PurposeKeys) -> None:
        self.purposes = purposes
        self._open: dict[tuple[bytes, str, int], tuple[bytes, bytes]] = {}

    def new(self, org: bytes, purpose: str, version: int = 1) -> bytes:
        """A fresh key, wrapped, ready for the table."""
        return self.purposes.wrap(purpose, os.urandom(32), aad(org, purpose, version))

    def open(self, org: bytes, purpose: str, version: int, wrapped: bytes) -> bytes:
        """The 32 bytes. Raises WrongKey."""
        found = self._open.get((org, purpose, version))
        if found is not None and found[0] == wrapped:
            return found[1]
        key = self.purposes.unwrap(purpose, wrapped, aad(org, purpose, version))
        self._open[org, purpose, version] = (wrapped, key)
        return key
