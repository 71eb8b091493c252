"""By the clock, called by the journal: the sums by day and group (`archive.sums`) of homes that were here before them,
and whether they still say what they are made of. A bounded part a step; a process that is killed goes on where it was.

Two walks from the newest day to the oldest: which domains were seen with which groups, then the sums themselves. While
a node of an earlier version writes beside us, its rows have no sums: each start compares, and begins anew where a day
differs."""

from collections.abc import Callable
from typing import Final

from carepost.archive import packing
from carepost.archive.sums import BEGIN, NEVER, since
from carepost.archive.tables import org_value
from carepost.audit.store import PostgresStore, Store
from carepost.ground import clock, log

#: days of one step, and rows by domain after which it ends earlier
DAYS, ROWS = 30, 20_000
#: between two looks whether there is an organisation that was not compared since the start
_AGAIN_US: Final = 3_600_000_000

_PAIRS: Final = (
    "INSERT INTO archive_domain (org_id, domain, provider, since) "
    "SELECT org_id, domain, provider, min(day) FROM archive_tally WHERE org_id = ? AND day = ? AND domain <> '' "
    "GROUP BY org_id, domain, provider "
    "ON CONFLICT (org_id, domain, provider) DO UPDATE SET since = CASE WHEN excluded.since < archive_domain.since "
    "THEN excluded.since ELSE archive_domain.since END"
)
_GROUP: Final = (
    "CASE WHEN t.provider <> '' THEN t.provider ELSE coalesce((SELECT d.provider FROM archive_domain d "
    "WHERE d.org_id = t.org_id AND d.domain = t.domain AND d.provider <> '' "
    "ORDER BY d.since DESC, d.provider COLLATE {binary} DESC LIMIT 1), '') END"
)
_SUMS: Final = (
    "INSERT INTO archive_daily (org_id, day, provider, measure, number) "
    "SELECT s.org_id, s.day, s.place, s.measure, sum(s.number) FROM "
    "(SELECT t.org_id, t.day, {group} AS place, t.measure, t.number FROM archive_tally t "
    "WHERE t.org_id = ? AND t.day = ?) s GROUP BY s.org_id, s.day, s.place, s.measure"
)
_COUNTED: Final = "SELECT day, sum(number) FROM {table} WHERE org_id = ? AND day >= ? AND day < ? GROUP BY day"


class Summing:
    """`step` a round, on a connection of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        #: organisations whose days are compared since the start -> the day that is next
        self._compared: dict[bytes, int] = {}
        self._orgs: list[bytes] = []
        self._next_at = 0

    def step(self) -> bool:
        """One organisation's part; whether anything was left to do."""
        if not self._orgs and clock.now() >= self._next_at:
            self._orgs = self._unfinished()
            self._next_at = clock.now() + _AGAIN_US
        if not self._orgs:
            return False
        if self._part(self._orgs[0]):
            self._orgs.pop(0)
        return True

    def _unfinished(self) -> list[bytes]:
        with self._store.reading(None):
            rows = self._store.rows("SELECT org_id, from_day FROM archive_summed")
            done = {value: int(day) for value, day in rows}
            # by steps over the key: of each organisation one row is read
            found, last = [], None
            while True:
                where = "" if last is None else "WHERE org_id > ?"
                sql = f"SELECT org_id FROM archive_tally {where} ORDER BY org_id LIMIT 1"  # noqa: S608
                rows = self._store.rows(sql, () if last is None else (last,))
                if not rows:
                    break
                last = rows[0][0]
                found.append(last)
        return [
            org for value in found if (org := packing.raw(value))
            and (done.get(value, NEVER) > 0 or self._compared.get(org, NEVER) > 0)
        ]  # fmt: skip

    def _part(self, org: bytes) -> bool:
        """Whether this organisation is done for now."""
        own = org_value(self._store, org)
        with self._store.reading(None):
            unfinished = since(self._store, org) > 0
        if unfinished:
            self._further(own)
            return False
        return self._compare(org, own)

    def _further(self, own: bytes | str) -> None:
        # COMMIT POINT: a part of a walk and how far it came stand or fall together
        with self._store.writing():
            self._store.rows(BEGIN, (own, NEVER, NEVER))
            sql = "SELECT known_from, from_day FROM archive_summed WHERE org_id = ?"
            known, summed = map(int, self._store.rows(sql, (own,))[0])
            if known:
                self._put(own, self._walk(own, known, self._pairs), NEVER)
            elif summed:
                self._put(own, 0, self._walk(own, summed, self._sums))

    def _put(self, own: bytes | str, known: int, summed: int) -> None:
        self._store.rows(
            "UPDATE archive_summed SET known_from = ?, from_day = ? WHERE org_id = ?", (known, summed, own)
        )

    def _walk(self, own: bytes | str, before: int, act: Callable[[bytes | str, int], int]) -> int:
        """Days before `before`, the newest first; which day is done, 0 when all are."""
        rows = 0
        for _ in range(DAYS):
            found = self._store.rows("SELECT max(day) FROM archive_tally WHERE org_id = ? AND day < ?", (own, before))
            if found[0][0] is None:
                return 0
            before = int(found[0][0])
            rows += act(own, before)
            if rows >= ROWS:
                break
        return before

    def _pairs(self, own: bytes | str, day: int) -> int:
        self._store.rows(_PAIRS, (own, day))
        return self._size(own, day)

    def _sums(self, own: bytes | str, day: int) -> int:
        self._store.rows("DELETE FROM archive_daily WHERE org_id = ? AND day = ?", (own, day))
        # as Python orders text, whatever the database's own order is
        binary = '"C"' if isinstance(self._store, PostgresStore) else "BINARY"
        self._store.rows(_SUMS.format(group=_GROUP.format(binary=binary)), (own, day))
        return self._size(own, day)

    def _size(self, own: bytes | str, day: int) -> int:
        return int(
            self._store.rows("SELECT count(*) FROM archive_tally WHERE org_id = ? AND day = ?", (own, day))[0][0]
        )

    def _compare(self, org: bytes, own: bytes | str) -> bool:
        before = self._compared.get(org, NEVER)
        with self._store.reading(None):
            found = self._store.rows("SELECT max(day) FROM archive_tally WHERE org_id = ? AND day < ?", (own, before))
            if found[0][0] is None:
                self._compared[org] = 0
                return True
            last = int(found[0][0]) + 1
            first = last - DAYS
            of = [
                {int(day): int(number) for day, number in self._store.rows(_COUNTED.format(table=table), given)}
                for table in ("archive_tally", "archive_daily")
                for given in [(own, first, last)]
            ]
            packed = packing.counted(self._store, own, first, last)
        if of[0] == of[1] and packed == {day: of[0].get(day, 0) for day in packed}:
            self._compared[org] = max(first, 0)
            return self._compared[org] == 0
        log.event("sums-differ", first=first, last=last)
        with self._store.writing():
            self._put(own, NEVER, NEVER)
            packing.forget(self._store, own)
        return False
