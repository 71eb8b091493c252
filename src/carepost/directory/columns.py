"""Personal columns of the office's tables: `key version (4 bytes) ‖ crypto.rest value` under an organisation's key.

`place` ("table.column/row id") binds a value to where it stands, so that it opens nowhere else. The office writes
them (`tenancy.sealing`); the directory opens those of rules.
"""

from carepost.crypto import rest


def seal(key: bytes, version: int, org: bytes, plain: bytes, place: str) -> bytes:
    head = version.to_bytes(4, "big")
    return head + rest.seal(key, plain, _aad(org, head, place))


def key_version(sealed: bytes) -> int:
    return int.from_bytes(sealed[:4], "big")


def open_(key: bytes, org: bytes, sealed: bytes, place: str) -> bytes:
    """Raises crypto.rest.Damaged."""
    return rest.open_(key, sealed[4:], _aad(org, sealed[:4], place))


def _aad(org: bytes, head: bytes, place: str) -> bytes:
    return b"carepost column" + head + org + place.encode()
