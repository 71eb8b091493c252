"""Personal columns of the office's tables under the organisation's newest key of a purpose (`directory.columns`)."""

import uuid

from carepost.directory import columns
from carepost.tenancy import keys


def seal(org: uuid.UUID, purpose: str, plain: bytes, place: str) -> bytes:
    """Raises NotFound, ground.keys.WrongKey when this process was not given the purpose."""
    version, key = keys.current(org, purpose)
    return columns.seal(key, version, org.bytes, plain, place)


def open_(org: uuid.UUID, purpose: str, sealed: bytes, place: str) -> bytes:
    """Raises crypto.rest.Damaged; NotFound when its key was destroyed."""
    raw = bytes(sealed)
    return columns.open_(keys.version(org, purpose, columns.key_version(raw)), org.bytes, raw, place)


def place(table: str, column: str, row: uuid.UUID) -> str:
    return f"{table}.{column}/{row}"
