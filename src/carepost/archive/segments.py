"""The search index: sorted entries, `token (8) ‖ message (16)`, in blocks. A commit writes one new segment of a day;
segments are merged as they gather.

A row a token would write a page for each: tokens are random, and once the tree is larger than a commit each of a
message's dozen lands on a page of its own, sealed and synced (measured: the journal's cost a message grew by a third
over 40,000 messages). Here a commit writes its entries side by side, and each is copied again once a level: `FAN`
segments of a level become one of the next. A day that is over becomes one segment (`archive.joining`); segments of a
level less than 0 are being written or taken away, and no look goes into them."""

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from carepost.archive.tables import org_value
from carepost.audit.store import PostgresStore, Store

TOKEN: Final = 8
ENTRY: Final = 24
#: entries of one block: what a look-up reads, and what a disposal writes again. A row of so many stands in one page of
#: an encrypted file (16,384 octets less 115); eight more, and each look opens a second page
BLOCK: Final = 672
#: segments of one level that become one of the next
FAN: Final = 8

_SEGMENTS: Final = "SELECT number, level FROM archive_segment WHERE org_id = ? AND day = ? ORDER BY number"
ADD: Final = "INSERT INTO archive_segment (org_id, day, number, level) VALUES (?, ?, ?, ?)"
_BLOCK: Final = "INSERT INTO archive_block (org_id, day, number, first, entries) VALUES (?, ?, ?, ?, ?)"
#: blocks of each segment held while they are merged
_AHEAD: Final = 16
_NEXT: Final = (
    "SELECT first, entries FROM archive_block WHERE org_id = ? AND day = ? AND number = ? AND first > ? "
    "ORDER BY first LIMIT ?"
)
_AT: Final = (
    "SELECT first, entries FROM archive_block WHERE org_id = ? AND day = ? AND number = ? AND first <= ? "
    "ORDER BY first DESC LIMIT 1"
)
#: the same in every segment of a day, in one statement: over a connection each costs more than the look itself. CROSS:
#: SQLite goes by the segments then, and not through all blocks of the day (1.8 ms instead of 0.3 at ten million)
_AT_EACH: Final = (
    "SELECT s.number, b.first, b.entries FROM archive_segment s CROSS JOIN archive_block b "
    "WHERE b.org_id = s.org_id AND b.day = s.day AND b.number = s.number AND b.first = "
    "(SELECT c.first FROM archive_block c WHERE c.org_id = s.org_id AND c.day = s.day AND c.number = s.number "
    "AND c.first <= ? ORDER BY c.first DESC LIMIT 1) AND s.org_id = ? AND s.day = ? AND s.level >= 0"
)
#: PostgreSQL would go through all blocks of the day as well (88 ms from a cold disk at ten million, 2 from a warm one)
_AT_EACH_LATERAL: Final = (
    "SELECT s.number, b.first, b.entries FROM archive_segment s CROSS JOIN LATERAL (SELECT c.first, c.entries "
    "FROM archive_block c WHERE c.org_id = s.org_id AND c.day = s.day AND c.number = s.number AND c.first <= ? "
    "ORDER BY c.first DESC LIMIT 1) b WHERE s.org_id = ? AND s.day = ? AND s.level >= 0"
)


def holding(token: str, key: str) -> str:
    """SQL of PostgreSQL, over expressions: whether the block `b` with the greatest `first` up to a key may say of its
    token what a look is for: it has the token, or nothing up to the key any more. The server reads it, so that no
    block without the token comes over the connection."""
    return f"(position({token} IN b.entries) > 0 OR substring(b.entries FOR {ENTRY}) > {key})"


def add(store: Store, org: bytes, day: int, entries: Iterable[bytes]) -> None:
    """Inside `store.writing()`. `entries`: of messages accepted on this day."""
    owner = org_value(store, org)
    found = sorted(set(entries))
    if not found:
        return
    levels = [(int(number), int(level)) for number, level in store.rows(_SEGMENTS, (owner, day))]
    number = levels[-1][0] + 1 if levels else 1
    _write(store, owner, day, number, 0, found)
    levels.append((number, 0))
    level = 0
    while len(full := [n for n, at in levels if at == level]) >= FAN:
        number += 1
        level += 1
        _merge(store, owner, day, full, number, level)
        levels = [one for one in levels if one[0] not in full] + [(number, level)]


def find(
    store: Store,
    org: bytes,
    day: int,
    asked: Sequence[Sequence[bytes]],
    below: bytes,
    limit: int,
    *,
    rare: bool = False,
) -> list[bytes]:
    """Messages that hold every token of one of `asked` (the same question under each key that may have served), newest
    first, ids less than `below`. `rare`: few segments will have them. Inside `store.reading(org)`."""
    owner, bound = org_value(store, org), _before(below)
    if bound is None:
        return []
    begun = [cursors for tokens in asked for cursors in _beginning(store, owner, day, tokens, bound, rare)]
    runs = [_matches(cursors, bound) for cursors in begun]
    hits: list[bytes] = []
    # all entries of a message stand in one segment; groupby: what was indexed twice is one message
    for message, _ in groupby(heapq.merge(*runs, reverse=True)):
        hits.append(message)
        if len(hits) >= limit:
            break
    return hits


def days(store: Store, org: bytes, first: int, last: int) -> list[tuple[int, int]]:
    """(day, how many segments), the newest first: days without an entry are left out. Inside `store.reading(org)`."""
    sql = "SELECT day, count(*) FROM archive_segment WHERE org_id = ? AND day >= ? AND day <= ? AND level >= 0"
    rows = store.rows(sql + " GROUP BY day ORDER BY day DESC", (org_value(store, org), first, last))
    return [(int(day), int(count)) for day, count in rows]


def remove(store: Store, org: bytes, day: int, entries: Iterable[bytes]) -> None:
    """Inside `store.writing()`. Entries that are not there are passed over."""
    owner = org_value(store, org)
    gone = sorted(set(entries))
    for number, _ in store.rows(_SEGMENTS, (owner, day)):
        for entry in gone:
            _take_out(store, owner, day, int(number), entry)


def _write(store: Store, owner: object, day: int, number: int, level: int, entries: Sequence[bytes]) -> None:
    store.rows(ADD, (owner, day, number, level))
    lay(store, owner, day, number, entries)


def lay(store: Store, owner: object, day: int, number: int, entries: Sequence[bytes]) -> None:
    """Into blocks of a segment: entries in order, greater than those it has."""
    blocks = [entries[at : at + BLOCK] for at in range(0, len(entries), BLOCK)]
    store.many(_BLOCK, [(owner, day, number, block[0], b"".join(block)) for block in blocks])


def merged(store: Store, owner: object, day: int, numbers: Sequence[int], after: bytes = b"") -> Iterator[list[bytes]]:
    """The entries of some segments that are greater than `after`, in order, in parts: a few blocks of each at a time. A
    day of a million messages has thirteen million entries, and what they take as objects (790 MB, measured) is no
    journal's to hold."""
    runs = [_Run(store, owner, day, number, after) for number in numbers]
    bound: bytes | None = b""
    while bound is not None:
        bound = min((last for run in runs if (last := run.ahead()) is not None), default=None)
        part = [entry for run in runs for entry in run.take(bound)]
        # runs that are in order already: the sort is a merge
        part.sort()
        yield part


def _merge(store: Store, owner: object, day: int, numbers: Sequence[int], into: int, level: int) -> None:
    store.rows(ADD, (owner, day, into, level))
    entries: list[bytes] = []
    for part in merged(store, owner, day, numbers):
        entries += part
        whole = len(entries) // BLOCK * BLOCK
        lay(store, owner, day, into, entries[:whole])
        del entries[:whole]
    lay(store, owner, day, into, entries)
    for number in numbers:
        _delete(store, owner, day, number)


class _Run:
    """A segment's entries in order, `_AHEAD` blocks at a time."""

    def __init__(self, store: Store, owner: object, day: int, number: int, after: bytes = b"") -> None:
        """Those greater than `after`."""
        self._store = store
        self._place = (owner, day, number)
        self._entries: list[bytes] = []
        self._first = b""
        self._ended = False
        for first, block in store.rows(_AT, (*self._place, after)) if after else ():
            self._first = bytes(first)
            held = _split(bytes(block))
            self._entries = held[bisect_right(held, after) :]

    def ahead(self) -> bytes | None:
        """The last entry at hand; None: there are none after those at hand."""
        if not self._entries and not self._ended:
            rows = self._store.rows(_NEXT, (*self._place, self._first, _AHEAD))
            self._ended = len(rows) < _AHEAD
            for first, block in rows:
                self._first = bytes(first)
                self._entries += _split(bytes(block))
        return None if self._ended else self._entries[-1]

    def take(self, bound: bytes | None) -> list[bytes]:
        """Those up to `bound`; None: all that are left."""
        at = len(self._entries) if bound is None else bisect_right(self._entries, bound)
        taken, self._entries = self._entries[:at], self._entries[at:]
        return taken


def _delete(store: Store, owner: object, day: int, number: int) -> None:
    store.rows("DELETE FROM archive_block WHERE org_id = ? AND day = ? AND number = ?", (owner, day, number))
    store.rows("DELETE FROM archive_segment WHERE org_id = ? AND day = ? AND number = ?", (owner, day, number))


def _take_out(store: Store, owner: object, day: int, number: int, entry: bytes) -> None:
    where = "org_id = ? AND day = ? AND number = ? AND first = ?"
    for first, block in store.rows(_AT, (owner, day, number, entry)):
        entries = _split(bytes(block))
        at = bisect_right(entries, entry) - 1
        if at < 0 or entries[at] != entry:
            return
        del entries[at]
        key = (owner, day, number, bytes(first))
        if entries:
            # `first` stays: it only has to be no greater than what the block holds
            store.rows(f"UPDATE archive_block SET entries = ? WHERE {where}", (b"".join(entries), *key))  # noqa: S608
        else:
            store.rows(f"DELETE FROM archive_block WHERE {where}", key)  # noqa: S608


def _split(block: bytes) -> list[bytes]:
    return [block[at : at + ENTRY] for at in range(0, len(block), ENTRY)]


def _within(block: bytes, key: bytes) -> int:
    """How many entries of a block are not greater."""
    low, high = 0, len(block) // ENTRY
    while low < high:
        middle = (low + high) // 2
        if block[middle * ENTRY : (middle + 1) * ENTRY] <= key:
            low = middle + 1
        else:
            high = middle
    return low


#: a block: (first, entries)
Found = tuple[bytes, bytes]


class _Cursor:
    """One token in one segment; keeps the block it looked into last."""

    def __init__(self, store: Store, place: tuple[object, int, int], token: bytes, key: bytes, found: Found) -> None:
        """`found`: (first, entries) of the block with the greatest `first` up to `key`."""
        self._store = store
        self._place = place
        self._token = token
        self._take(key, *found)

    def _take(self, key: bytes, first: bytes, block: bytes) -> None:
        self._first, self._block = first, block
        #: up to here no later block is the right one
        self._until = max(key, block[-ENTRY:])
        #: of the block at hand, once it is looked into again: most are looked into once, and to take one apart costs
        #: more than to look
        self._entries: list[bytes] = []
        self._looked = False

    def at_most(self, message: bytes) -> bytes | None:
        """The newest message with the token whose id is not greater."""
        key = self._token + message
        if not self._first <= key <= self._until:
            rows = self._store.rows(_AT, (*self._place, key))
            if not rows:
                return None
            self._take(key, bytes(rows[0][0]), bytes(rows[0][1]))
        if self._looked:
            self._entries = self._entries or _split(self._block)
            at = bisect_right(self._entries, key) - 1
        else:
            self._looked = True
            at = _within(self._block, key) - 1
        if at < 0:
            # what stood between `first` and here was disposed of
            return self._before()
        found = self._block[at * ENTRY : (at + 1) * ENTRY]
        return found[TOKEN:] if found[:TOKEN] == self._token else None

    def _before(self) -> bytes | None:
        """The newest message with the token in the blocks before the one at hand."""
        first = int.from_bytes(self._first, "big")
        if not first:
            return None
        before = (first - 1).to_bytes(ENTRY, "big")
        return self.at_most(before[TOKEN:]) if before[:TOKEN] == self._token else None


def _beginning(
    store: Store, owner: object, day: int, tokens: Sequence[bytes], bound: bytes, rare: bool
) -> Iterator[list[_Cursor]]:
    """Of each segment a cursor a token, where all may be found: it has a block for each."""
    each: list[dict[int, Found]] = []
    on_postgres = isinstance(store, PostgresStore)
    sql = _AT_EACH_LATERAL if on_postgres else _AT_EACH
    held = f" AND {holding('?', '?')}" if rare and on_postgres else ""
    for token in tokens:
        key = token + bound
        rows = store.rows(sql + held, (key, owner, day, *((token, key) if held else ())))
        each.append({int(number): (bytes(first), bytes(entries)) for number, first, entries in rows})
    for number in each[0]:
        if all(number in found for found in each):
            place = (owner, day, number)
            yield [
                _Cursor(store, place, token, token + bound, found[number])
                for token, found in zip(tokens, each, strict=True)
            ]


def _matches(cursors: Sequence[_Cursor], newest: bytes) -> Iterator[bytes]:
    """Messages of one segment that all cursors know, newest first: the rarest token sets the pace."""
    bound: bytes | None = newest
    while bound is not None:
        found = [cursor.at_most(bound) for cursor in cursors]
        known = [message for message in found if message is not None]
        if len(known) < len(found):
            return
        low = min(known)
        if low == max(known):
            yield low
            bound = _before(low)
        else:
            bound = low


def _before(message: bytes) -> bytes | None:
    number = int.from_bytes(message, "big")
    return (number - 1).to_bytes(len(message), "big") if number else None
