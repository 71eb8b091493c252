"""Sums of a day's deliveries by provider group alone (`archive_daily`), kept beside those by domain (`archive_tally`)
in the same commit: a page that shows months reads a few thousand rows instead of a million (decision 0051).

They are a function of `archive_tally` and nothing else. What happened before any server was reached has no group of
its own there; here it belongs to the group the domain's mail went to last: the one first seen on the latest day
(`archive_domain`). When a domain is seen with a new one, what it has without one moves, a day's few rows at a time.

`archive_summed` says from which day on the sums hold. A home that was here before them is summed by the clock
(`archive.summing`); until that is done, the slower sums answer."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from carepost.archive import packs
from carepost.archive.tables import org_value
from carepost.audit.store import Store
from carepost.crypto import index
from carepost.ground import clock

#: (organisation, day, domain, provider, measure) -> deliveries
Fine = Mapping[tuple[bytes, int, str, str, str], int]
#: of a sum: (organisation, day, provider or domain, measure), or what else stands in these places
Key = TypeVar("Key")
#: `known_from`, `from_day` of a home whose days are not known, or not summed yet: after every day there is
NEVER: Final = 10_000_000
_TOGETHER: Final = 400
#: domains remembered by one process
_REMEMBERED: Final = 50_000

_ADD: Final = (
    "INSERT INTO archive_daily (org_id, day, provider, measure, number) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (org_id, day, provider, measure) DO UPDATE SET number = archive_daily.number + excluded.number"
)
SEEN: Final = (
    "INSERT INTO archive_domain (org_id, domain, provider, since) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (org_id, domain, provider) DO UPDATE SET since = CASE WHEN excluded.since < archive_domain.since "
    "THEN excluded.since ELSE archive_domain.since END"
)
BEGIN: Final = "INSERT INTO archive_summed (org_id, known_from, from_day) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


def group(seen: Mapping[str, int]) -> str:
    """The group a domain's mail went to last, of groups and the days they were first seen on; "" before any was."""
    known = [(since, provider) for provider, since in seen.items() if provider]
    return max(known)[1] if known else ""


class Sums:
    """Of one journal, which remembers what it knows of domains; nothing of an organisation that is not known whole."""

    def __init__(self) -> None:
        self._seen: dict[tuple[bytes, str], dict[str, int]] = {}

    def write(self, store: Store, fine: Fine) -> None:
        """Inside `store.writing()`, before the rows of `fine` go into `archive_tally`."""
        try:
            self._write(store, fine)
        except BaseException:
            # nothing of this transaction will have been
            self._seen.clear()
            raise

    def _write(self, store: Store, fine: Fine) -> None:
        from_day: dict[bytes, int] = {}
        packed: dict[bytes, int] = {}
        whole = True
        for org in {key[0] for key in fine}:
            state = _state(store, org)
            if state is None:
                continue
            whole = whole and state[0] == 0
            from_day[org], packed[org] = state[1], state[2]
        mine = {key: number for key, number in fine.items() if key[0] in from_day}
        if not mine:
            return
        packs.late(store, _late(mine, packed))
        sums: dict[tuple[bytes, int, str, str], int] = {}
        changed = self._learn(store, mine, from_day, sums)
        for (org, day, domain, provider, measure), number in mine.items():
            if day >= from_day[org]:
                where = provider or (group(self._seen.get((org, domain), {})) if domain else "")
                _add(sums, (org, day, where, measure), number)
        add(store, sums)
        # what this transaction changed is read again: it may not come to its end. Of a home that is not known whole
        # nothing is remembered, since its days are read by another
        if not whole or len(self._seen) > _REMEMBERED:
            self._seen.clear()
        for key in changed:
            self._seen.pop(key, None)

    def _learn(
        self,
        store: Store,
        fine: Fine,
        from_day: Mapping[bytes, int],
        sums: dict[tuple[bytes, int, str, str], int],
    ) -> list[tuple[bytes, str]]:
        """The domains seen with a group, or on an earlier day, as not before; what moves by it goes into `sums`."""
        fresh: dict[tuple[bytes, str], dict[str, int]] = {}
        for org, day, domain, provider, _ in fine:
            if domain:
                days = fresh.setdefault((org, domain), {})
                days[provider] = min(day, days.get(provider, day))
        self._remember(store, fresh)
        changed: list[tuple[bytes, str]] = []
        rows: list[tuple[object, ...]] = []
        for (org, domain), days in fresh.items():
            seen = self._seen[org, domain]
            new = {provider: day for provider, day in days.items() if day < seen.get(provider, NEVER)}
            if not new:
                continue
            changed.append((org, domain))
            rows += [(org_value(store, org), domain, provider, day) for provider, day in new.items()]
            before, first = group(seen), seen.get("", NEVER)
            seen.update(new)
            after = group(seen)
            if before != after and first < NEVER:
                _move(store, org, domain, (max(first, from_day[org]), before, after), sums)
        if rows:
            store.many(SEEN, rows)
        return changed

    def _remember(self, store: Store, wanted: Iterable[tuple[bytes, str]]) -> None:
        missing: dict[bytes, list[str]] = {}
        for org, domain in wanted:
            if (org, domain) not in self._seen:
                self._seen[org, domain] = {}
                missing.setdefault(org, []).append(domain)
        for org, domains in missing.items():
            for start in range(0, len(domains), _TOGETHER):
                some = domains[start : start + _TOGETHER]
                places = ", ".join("?" * len(some))
                sql = f"SELECT domain, provider, since FROM archive_domain WHERE org_id = ? AND domain IN ({places})"  # noqa: S608
                for domain, provider, since in store.rows(sql, (org_value(store, org), *some)):
                    self._seen[org, domain][provider] = int(since)


def add(store: Store, sums: Mapping[tuple[bytes, int, str, str], int]) -> None:
    rows = [(org_value(store, key[0]), *key[1:], number) for key, number in sorted(sums.items()) if number]
    if rows:
        store.many(_ADD, rows)


def since(store: Store, org: bytes) -> int:
    """From which day on the sums hold; NEVER: they are not made yet. Inside `store.reading(org)` or `writing()`."""
    rows = store.rows("SELECT from_day FROM archive_summed WHERE org_id = ?", (org_value(store, org),))
    return int(rows[0][0]) if rows else NEVER


def _late(fine: Fine, packed: Mapping[bytes, int]) -> list[tuple[bytes, int, str, str, int]]:
    """What is counted of days that are packed already (`archive.packs`)."""
    found: dict[tuple[bytes, int, str, str], int] = {}
    for (org, day, domain, _, measure), number in fine.items():
        if day < packed[org]:
            _add(found, (org, day, domain, measure), number)
    return [(*key, number) for key, number in sorted(found.items())]


def _state(store: Store, org: bytes) -> tuple[int, int, int] | None:
    """(domains are known from this day on, days are summed from this day on, days before this one are packed); None:
    the clock will begin."""
    own = org_value(store, org)
    rows = store.rows("SELECT known_from, from_day, packed FROM archive_summed WHERE org_id = ?", (own,))
    if rows:
        return int(rows[0][0]), int(rows[0][1]), int(rows[0][2])
    if store.rows("SELECT 1 FROM archive_tally WHERE org_id = ? LIMIT 1", (own,)):
        return None
    # nothing was counted yet: the sums begin with it
    store.rows(BEGIN, (own, 0, 0))
    return 0, 0, 0


def _move(
    store: Store,
    org: bytes,
    domain: str,
    how: tuple[int, str, str],
    sums: dict[tuple[bytes, int, str, str], int],
) -> None:
    """`how`: (first day, group before, group now)."""
    first, before, after = how
    days = list(range(first, index.day_of(clock.now()) + 2))
    for start in range(0, len(days), _TOGETHER):
        some = days[start : start + _TOGETHER]
        sql = (
            "SELECT day, measure, number FROM archive_tally WHERE org_id = ? "  # noqa: S608
            f"AND day IN ({', '.join('?' * len(some))}) AND domain = ? AND provider = ''"
        )
        for day, measure, number in store.rows(sql, (org_value(store, org), *some, domain)):
            _add(sums, (org, int(day), before, measure), -int(number))
            _add(sums, (org, int(day), after, measure), int(number))


def _add(sums: dict[Key, int], key: Key, number: int) -> None:
    sums[key] = sums.get(key, 0) + number
