"""What engines of all nodes have seen of destinations: sealed rows, each shard's own, in the order of their writing."""

from collections.abc import Mapping, Sequence
from typing import Final

from carepost.spool.postgres.asking import Asking

#: (token, sealed, changed), as in the file of a shard
Row = tuple[bytes, bytes, int]

_PUT: Final = """
INSERT INTO seen (shard, token, sealed, changed)
SELECT %s, * FROM unnest(%s::bytea[], %s::bytea[], %s::bigint[])
ON CONFLICT (shard, token) DO UPDATE SET sealed = excluded.sealed, changed = excluded.changed"""

_AFTER: Final = """
SELECT mark.shard, token, sealed, changed FROM unnest(%s::smallint[], %s::bigint[]) AS mark(shard, at),
LATERAL (SELECT * FROM seen WHERE seen.shard = mark.shard AND seen.changed > mark.at ORDER BY changed LIMIT %s) AS row
ORDER BY mark.shard, changed"""


class Sights:
    """Callable from any thread. Every call raises Unavailable when the server does not answer."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def newest(self, shard: int) -> int:
        """Up to where the rows of a shard are here; 0: none is."""
        ((newest,),) = self._asking.rows("SELECT coalesce(max(changed), 0) FROM seen WHERE shard = %s", shard)
        return int(newest)

    def put(self, shard: int, rows: Sequence[Row]) -> None:
        """Rows of different tokens; one that is here is replaced. Of one process a shard, in their order."""
        tokens, sealed, changed = zip(*rows, strict=True)
        self._asking.rows(_PUT, shard, list(tokens), list(sealed), list(changed))

    def shards(self) -> list[int]:
        """All there are."""
        return [number for (number,) in self._asking.rows("SELECT number FROM shard ORDER BY number")]

    def after(self, marks: Mapping[int, int], most: int) -> list[tuple[int, Row]]:
        """What shards wrote since their marks: (shard, row), `most` of each, oldest first."""
        found = self._asking.rows(_AFTER, list(marks), list(marks.values()), most)
        return [(shard, (bytes(token), bytes(sealed), changed)) for shard, token, sealed, changed in found]

    def close(self) -> None:
        self._asking.close()


def sights(url: str) -> Sights:
    """With a connection of its own: leases are renewed on another, and never wait for this."""
    return Sights(Asking(url, "carepost-sights"))
