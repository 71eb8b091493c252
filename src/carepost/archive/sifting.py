"""Which days a search need not look into, of many days in one statement (decision 0075).

On SQLite a look is a call in this process, and nothing is won. Over a connection a day costs five round trips and a
block of the index (16 KB) for each token and segment: the server looks for the tokens in the blocks itself, and says
which days may hold them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from carepost.archive import segments
from carepost.archive.tables import org_value
from carepost.audit.store import PostgresStore, Store

#: a day, and what a message of it must hold: tokens, under each key that may have served
Asked = tuple[int, Sequence[Sequence[bytes]]]

#: every token of every day: where the block that would have it does
_HELD: Final = (
    "SELECT a.n, s.number FROM unnest(?::int[], ?::int[], ?::bytea[]) AS a(n, day, token) "  # noqa: S608
    "JOIN archive_segment s ON s.org_id = ? AND s.day = a.day AND s.level >= 0 "
    "CROSS JOIN LATERAL (SELECT c.entries FROM archive_block c WHERE c.org_id = s.org_id AND c.day = s.day "
    "AND c.number = s.number AND c.first <= a.token || ? ORDER BY c.first DESC LIMIT 1) b "
    f"WHERE {segments.holding('a.token', 'a.token || ?')}"
)


def sift(store: Store, org: bytes, days: Sequence[Asked], below: bytes) -> set[int]:
    """The days on which a segment may have messages, ids less than `below`, that hold every token of one question; none
    that has any is missing. Inside `store.reading(org)`."""
    if not isinstance(store, PostgresStore):
        return {day for day, _ in days}
    # (day, which of its questions) of each token asked
    places = [(day, number, token) for day, asked in days for number, one in enumerate(asked) for token in set(one)]
    given = (list(range(len(places))), [day for day, _, _ in places], [token for _, _, token in places])
    needed: dict[tuple[int, int], int] = defaultdict(int)
    for day, number, _ in places:
        needed[day, number] += 1
    there: dict[tuple[int, int, int], int] = defaultdict(int)
    for n, segment in store.rows(_HELD, (*given, org_value(store, org), below, below)):
        there[*places[n][:2], int(segment)] += 1
    return {day for (day, number, _), count in there.items() if count == needed[day, number]}
