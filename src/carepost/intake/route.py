"""Which shard a message belongs to. What carries a key always goes to the same one: one key, one message (BI-083)."""

import hashlib

from carepost.ground import ids


def shard_of_key(org: bytes, key: str, shards: int, node: int = 0) -> int:
    """`node << 6 | shard`, the number in ids."""
    digest = hashlib.sha256(org + key.encode("utf-8", "surrogatepass")).digest()
    return node << 6 | int.from_bytes(digest[:8], "big") % shards


def shard_of(item: bytes) -> int:
    """Of a message or delivery id."""
    return ids.shard_of(item)
