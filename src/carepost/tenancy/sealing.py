"""Personal columns of the office's tables: `key version (4 bytes) ‖ crypto.rest value` under an organisation's key.

`place` binds the value to where it stands (table, column and row), so that it opens nowhere else.
"""

import uuid

from carepost.crypto import rest
from carepost.tenancy import keys


def seal(org: uuid.UUID, purpose: str, plain: bytes, place: str) -> bytes:
    version, key = keys.current(org, purpose)
    head = version.to_bytes(4, "big")
    return head + rest.seal(key, plain, _aad(org, head, place))


def open_(org: uuid.UUID, purpose: str, sealed: bytes, place: str) -> bytes:
    """Raises crypto.rest.Damaged, NotFound when its key was destroyed."""
    head = bytes(sealed[:4])
    key = keys.version(org, purpose, int.from_bytes(head, "big"))
    return rest.open_(key, bytes(sealed[4:]), _aad(org, head, place))


def place(table: str, column: str, row: uuid.UUID) -> str:
    return f"{table}.{column}/{row}"


def _aad(org: uuid.UUID, head: bytes, place: str) -> bytes:
    return b"carepost column" + head + org.bytes + place.encode()
