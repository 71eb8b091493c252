"""By the clock, called by the journal: the segments of a day that is over become one, so that a look into a day of long
ago is one look-up a token, and a page of a search reaches far back (decision 0075).

The new segment is written beside the others, a bounded part a step, and no search looks into it until it is whole. Then
one commit puts it in their place, and they are taken away, a part a step. How far it came is what is written: a process
that is killed goes on there."""

from collections.abc import Sequence
from typing import Final

from carepost.archive import segments
from carepost.audit.store import Store
from carepost.crypto import index
from carepost.ground import clock

#: levels of a segment: one that is written, one that is taken away, and the one of a whole day
MAKING, GOING, WHOLE = -1, -2, 64
#: blocks (of 16 KB) written or taken away a step: the writer of the log waits for it
BLOCKS: Final = 64
#: days looked into, and organisations looked for, a step
DAYS: Final = 50
#: segments beside the one of the whole day, written by commits that came late, from which on it is made anew
LATE: Final = 4
_HOUR_US: Final = 3_600_000_000
#: days a look goes back; the first one of a process goes back to the beginning
_BACK: Final = 7

_LEVELS: Final = "SELECT number, level FROM archive_segment WHERE org_id = ? AND day = ? ORDER BY number"
_DAYS: Final = (
    "SELECT day FROM archive_segment WHERE org_id = ? AND day >= ? AND day < ? "
    "GROUP BY day HAVING count(*) > 1 OR min(level) < 0 ORDER BY day"
)
_SET: Final = "UPDATE archive_segment SET level = ? WHERE org_id = ? AND day = ? AND number = ?"
_PLACE: Final = "org_id = ? AND day = ? AND number = ?"


class Joining:
    """`step` a round, on a connection of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        #: (organisation as the table holds it, day), the newest last
        self._days: list[tuple[object, int]] = []
        self._org: object = None
        self._from = 0
        self._next_at = 0

    def step(self) -> bool:
        """Whether anything was left to do."""
        if not self._days and clock.now() >= self._next_at:
            self._look()
        left = BLOCKS
        for _ in range(DAYS):
            if not self._days or left <= 0:
                break
            # COMMIT POINT: before it the part is not written, after it the next step goes on behind it. Of the commit
            # that ends a day: before it a search looks into the former segments, after it into the whole one
            with self._store.writing():
                blocks = _part(self._store, *self._days[-1], left)
            left -= blocks
            if not blocks:
                self._days.pop()
        return bool(self._days) or self._org is not None

    def _look(self) -> None:
        """For an organisation with days that are over and not one segment yet."""
        over = index.day_of(clock.now() - _HOUR_US)
        with self._store.reading(None):
            for _ in range(DAYS):
                after, given = (" WHERE org_id > ?", (self._org,)) if self._org is not None else ("", ())
                sql = f"SELECT org_id FROM archive_segment{after} ORDER BY org_id LIMIT 1"  # noqa: S608
                found = self._store.rows(sql, given)
                if not found:
                    self._org, self._from, self._next_at = None, over - _BACK, clock.now() + _HOUR_US
                    return
                self._org = found[0][0]
                days = self._store.rows(_DAYS, (self._org, self._from, over))
                if days:
                    self._days = [(self._org, int(day)) for (day,) in days]
                    return


def _part(store: Store, owner: object, day: int, most: int) -> int:
    """Blocks written or taken away, `most` about; 0: the day is one segment, or is to stay as it is."""
    rows = [(int(number), int(level)) for number, level in store.rows(_LEVELS, (owner, day))]
    going = [number for number, level in rows if level == GOING]
    if going:
        return _take_away(store, owner, day, going[0], most)
    shown = [(number, level) for number, level in rows if level >= 0]
    made = next((number for number, level in rows if level == MAKING), None)
    if made is None:
        if len(shown) <= (LATE if any(level == WHOLE for _, level in shown) else 1):
            return 0
        made = rows[-1][0] + 1
        store.rows(segments.ADD, (owner, day, made, MAKING))
    elif any(number > made for number, _ in shown):
        # a commit came late, or merged some of them: what was written so far may lack its entries
        store.rows(_SET, (GOING, owner, day, made))
        return 1
    blocks, ended = _copy(store, owner, day, [number for number, _ in shown], made, most)
    if ended:
        store.rows(_SET, (WHOLE, owner, day, made))
        for number, _ in shown:
            store.rows(_SET, (GOING, owner, day, number))
    return max(1, blocks)


def _copy(store: Store, owner: object, day: int, numbers: Sequence[int], made: int, most: int) -> tuple[int, bool]:
    """(blocks written, whether they were the last)."""
    sql = f"SELECT entries FROM archive_block WHERE {_PLACE} ORDER BY first DESC LIMIT 1"  # noqa: S608
    last = store.rows(sql, (owner, day, made))
    after = bytes(last[0][0])[-segments.ENTRY :] if last else b""
    entries: list[bytes] = []
    blocks = 0
    for part in segments.merged(store, owner, day, numbers, after):
        entries += part
        # whole ones alone: the next step goes on behind them
        whole = min(len(entries) // segments.BLOCK, most - blocks)
        segments.lay(store, owner, day, made, entries[: whole * segments.BLOCK])
        del entries[: whole * segments.BLOCK]
        blocks += whole
        if blocks >= most:
            return blocks, False
    if entries:
        segments.lay(store, owner, day, made, entries)
    return blocks + 1, True


def _take_away(store: Store, owner: object, day: int, number: int, most: int) -> int:
    place = (owner, day, number)
    sql = f"SELECT first FROM archive_block WHERE {_PLACE} ORDER BY first LIMIT 1 OFFSET ?"  # noqa: S608
    bound = store.rows(sql, (*place, most))
    if bound:
        store.rows(f"DELETE FROM archive_block WHERE {_PLACE} AND first < ?", (*place, bytes(bound[0][0])))  # noqa: S608
        return most
    store.rows(f"DELETE FROM archive_block WHERE {_PLACE}", place)  # noqa: S608
    store.rows(f"DELETE FROM archive_segment WHERE {_PLACE}", place)  # noqa: S608
    return max(1, most // 4)
