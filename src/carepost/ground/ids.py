"""Identifiers: UUIDv7 (RFC 9562 5.7) whose 12 bits after the version carry node and shard.

Whoever holds an id knows which shard to ask. Inside the engine an id is 16 bytes; outside it is the
canonical text of a UUID.
"""

import struct
import uuid
from functools import lru_cache

from carepost.ground import clock, entropy

#: The shard number of ids made by the office (never the number of a spool shard).
OFFICE = 0xFFF
_RANDOM, _VARIANT = (1 << 62) - 1, 1 << 63
_pack = struct.Struct(">QQ").pack


def new(shard: int = OFFICE) -> bytes:
    """A fresh id of 16 bytes. `shard` is `node << 6 | shard`, 0..4095."""
    tail = int.from_bytes(entropy.take(8), "big") & _RANDOM | _VARIANT
    return _pack(clock.now() // 1000 << 16 | 0x7000 | shard, tail)


@lru_cache(maxsize=8192)
def text(raw: bytes) -> str:
    h = raw.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def parse(value: str) -> bytes:
    """The 16 bytes of a UUID's text. Raises ValueError for anything else."""
    return uuid.UUID(value).bytes


def shard_of(raw: bytes) -> int:
    return int.from_bytes(raw[6:8], "big") & 0xFFF


def made_at(raw: bytes) -> int:
    """UTC microseconds (millisecond precision) at which the id was made."""
    return int.from_bytes(raw[:6], "big") * 1000
