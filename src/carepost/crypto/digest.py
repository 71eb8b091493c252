"""Digests for the hot path, without letting go of the interpreter lock.

`hashlib` lets it go for more than 2,047 bytes and `hmac.digest` always; beside a writer thread, taking it back costs
more than hashing 10 KB does. Fed in smaller pieces it is kept; from 256 KB on letting go is right again.
"""

import hashlib

_PIECE = 2047
_LARGE = 262_144
_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def sha256(data: bytes) -> bytes:
    """SHA-256, 32 bytes."""
    size = len(data)
    if size <= _PIECE or size > _LARGE:
        return hashlib.sha256(data).digest()
    made = hashlib.sha256()
    view = memoryview(data)
    for at in range(0, size, _PIECE):
        made.update(view[at : at + _PIECE])
    return made.digest()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104), 32 bytes, for keys of at most 64 bytes."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    padded = key.ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(padded.translate(_INNER))
    inner.update(data)
    outer = hashlib.sha256(padded.translate(_OUTER))
    outer.update(inner.digest())
    return outer.digest()
