"""By the clock, called by the journal: packs the days that are over (`archive.packs`), and folds in what was counted of
them since. A bounded part a step, in one transaction with how far it came; a process that is killed goes on there."""

from typing import Final

from carepost.archive import packs
from carepost.archive.packs import SIZES, Piece
from carepost.archive.tables import org_value, raw_value
from carepost.audit.store import Store
from carepost.crypto import index
from carepost.ground import clock

#: rows by domain after which a step ends, and days whose late rows are folded in at once
ROWS, DAYS = 20_000, 8
#: between two looks whether there is anything
_AGAIN_US: Final = 3_600_000_000


class Packing:
    """`step` a round, on a connection of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._orgs: list[bytes] = []
        self._next_at = 0

    def step(self) -> bool:
        """One organisation's part; whether anything was left to do."""
        if not self._orgs and clock.now() >= self._next_at:
            with self._store.reading(None):
                rows = self._store.rows("SELECT org_id FROM archive_summed WHERE from_day = 0")
            self._orgs = [raw(value) for (value,) in rows]
            self._next_at = clock.now() + _AGAIN_US
        if not self._orgs:
            return False
        if not self._part(org_value(self._store, self._orgs[0])):
            self._orgs.pop(0)
        return True

    def _part(self, own: bytes | str) -> bool:
        """Whether there is more of this organisation."""
        with self._store.reading(None):
            if self._next_day(own, packs.packed(self._store, own)) is None and not self._late(own):
                return False
        # COMMIT POINT: pieces, what is late no more, and how far it came stand or fall together
        with self._store.writing():
            if self._late(own):
                self._fold(own)
            else:
                self._pack(own)
        return True

    def _next_day(self, own: bytes | str, packed: int) -> int | None:
        """The oldest day that is over, has mail, and is not packed yet."""
        sql = "SELECT min(day) FROM archive_tally WHERE org_id = ? AND day >= ? AND day < ?"
        found = self._store.rows(sql, (own, packed, index.day_of(clock.now())))[0][0]
        return None if found is None else int(found)

    def _late(self, own: bytes | str) -> list[int]:
        sql = "SELECT DISTINCT day FROM archive_late WHERE org_id = ? ORDER BY day LIMIT ?"
        return [int(day) for (day,) in self._store.rows(sql, (own, DAYS))]

    def _pack(self, own: bytes | str) -> None:
        before = packs.packed(self._store, own)
        rows = 0
        while rows < ROWS and (day := self._next_day(own, before)) is not None:
            sums: packs.Sums = {}
            sql = "SELECT domain, measure, number FROM archive_tally WHERE org_id = ? AND day = ?"
            for domain, measure, number in self._store.rows(sql, (own, day)):
                counts = sums.setdefault(str(domain), {})
                counts[str(measure)] = counts.get(str(measure), 0) + int(number)
                rows += 1
            piece = Piece()
            packs.add(piece, sums)
            packs.put(self._store, own, 0, day, piece)
            self._close(own, before - 1, day)
            before = day + 1
        self._store.rows("UPDATE archive_summed SET packed = ? WHERE org_id = ?", (before, own))

    def _close(self, own: bytes | str, before: int, day: int) -> None:
        """Larger pieces whose last day is over now: those of the day with mail before this one, and of this one."""
        for level in range(1, len(SIZES)):
            size = SIZES[level]
            for first in {before // size * size, day // size * size}:
                if before + 1 < first + size <= day + 1:
                    self._join(own, level, first)

    def _join(self, own: bytes | str, level: int, first: int) -> None:
        whole = Piece()
        for start in range(first, first + SIZES[level], SIZES[level - 1]):
            part = packs.find(self._store, own, level - 1, start)
            if part is not None:
                packs.add(whole, {domain: packs.of(part, domain) for domain in part.domains})
        if whole.domains:
            packs.put(self._store, own, level, first, whole)

    def _fold(self, own: bytes | str) -> None:
        end = packs.packed(self._store, own)
        for day in self._late(own):
            sql = "SELECT domain, measure, number FROM archive_late WHERE org_id = ? AND day = ?"
            sums: packs.Sums = {}
            for domain, measure, number in self._store.rows(sql, (own, day)):
                sums.setdefault(str(domain), {})[str(measure)] = int(number)
            for level, size in enumerate(SIZES):
                first = day // size * size
                if first + size <= end:
                    piece = packs.find(self._store, own, level, first) or Piece()
                    packs.add(piece, sums)
                    packs.put(self._store, own, level, first, piece)
            self._store.rows("DELETE FROM archive_late WHERE org_id = ? AND day = ?", (own, day))


def counted(store: Store, own: bytes | str, first: int, end: int) -> dict[int, int]:
    """What the pieces say of days from `first` to before `end`: day -> all numbers together; of packed days alone."""
    end = min(end, packs.packed(store, own))
    sql = "SELECT first, number FROM archive_pack WHERE org_id = ? AND level = 0 AND first >= ? AND first < ?"
    found = {int(day): int(number) for day, number in store.rows(sql, (own, first, end))}
    sql = "SELECT day, sum(number) FROM archive_late WHERE org_id = ? AND day >= ? AND day < ? GROUP BY day"
    for day, number in store.rows(sql, (own, first, end)):
        found[int(day)] = found.get(int(day), 0) + int(number)
    sql = "SELECT DISTINCT day FROM archive_tally WHERE org_id = ? AND day >= ? AND day < ?"
    return {int(day): 0 for (day,) in store.rows(sql, (own, first, end))} | found


def forget(store: Store, own: bytes | str) -> None:
    """Inside `store.writing()`: they are made anew."""
    for table in ("archive_pack", "archive_late"):
        store.rows(f"DELETE FROM {table} WHERE org_id = ?", (own,))  # noqa: S608
    store.rows("UPDATE archive_summed SET packed = 0 WHERE org_id = ?", (own,))


def raw(value: object) -> bytes:
    """An organisation as plain tables hold it: 16 bytes on SQLite, a UUID on PostgreSQL."""
    return bytes(value) if isinstance(value, bytes | memoryview) else raw_value(value)
