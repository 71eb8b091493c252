"""Sums by domain over months, packed: everything of 1, 4, 16 or 64 days in one row, so that a page by domain over a
million messages reads some twenty rows instead of three million (decision 0060).

They are a function of `archive_tally` without its provider. Days before `archive_summed.packed` are packed, by the
clock (`archive.packing`); what is counted of such a day later (a bounce, a complaint) is written into `archive_late`
in the same commit, and added when a page is read, until the clock folds it in. Days from `packed` on are read as they
are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from heapq import nsmallest
from typing import Final

import msgspec

from carepost.archive.tables import org_value
from carepost.audit.store import Store

#: days of a piece, by level; each piece begins at a multiple of them
SIZES: Final = (1, 4, 16, 64)
ACCEPTED: Final = "accepted"

#: domain -> measure -> deliveries
Sums = dict[str, dict[str, int]]
_PUT: Final = (
    "INSERT INTO archive_pack (org_id, level, first, number, data) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (org_id, level, first) DO UPDATE SET number = excluded.number, data = excluded.data"
)
_LATE: Final = (
    "INSERT INTO archive_late (org_id, day, domain, measure, number) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (org_id, day, domain, measure) DO UPDATE SET number = archive_late.number + excluded.number"
)


class Piece(msgspec.Struct, array_like=True):
    """`domains`: domain -> (accepted, numbers of its other measures: place in `measures`, number, …). What is not asked
    for stays unread."""

    measures: list[str] = []
    domains: dict[str, tuple[int, msgspec.Raw]] = {}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Piece).decode
_numbers = msgspec.msgpack.Decoder(list[int]).decode


def find(store: Store, own: bytes | str, level: int, first: int) -> Piece | None:
    """None: there is no mail of these days."""
    sql = "SELECT data FROM archive_pack WHERE org_id = ? AND level = ? AND first = ?"
    rows = store.rows(sql, (own, level, first))
    return _decode(bytes(rows[0][0])) if rows else None


def put(store: Store, own: bytes | str, level: int, first: int, piece: Piece) -> None:
    number = sum(accepted + sum(_numbers(raw)[1::2]) for accepted, raw in piece.domains.values())
    store.many(_PUT, [(own, level, first, number, _encode(piece))])


def add(piece: Piece, sums: Mapping[str, Mapping[str, int]]) -> None:
    """Into the piece; domains that are not in `sums` are not read."""
    places = {measure: place for place, measure in enumerate(piece.measures)}
    for domain, measures in sums.items():
        accepted, raw = piece.domains.get(domain, (0, None))
        flat = _numbers(raw) if raw is not None else []
        known = dict(zip(flat[::2], flat[1::2], strict=True))
        for measure, number in measures.items():
            if measure == ACCEPTED:
                accepted += number
                continue
            place = places.setdefault(measure, len(places))
            known[place] = known.get(place, 0) + number
        packed = [value for pair in sorted(known.items()) for value in pair]
        piece.domains[domain] = (accepted, msgspec.Raw(_encode(packed)))
    piece.measures = list(places)


def of(piece: Piece, domain: str) -> dict[str, int]:
    """Empty for a domain it knows nothing of."""
    accepted, raw = piece.domains.get(domain, (0, None))
    if raw is None:
        return {}
    flat = _numbers(raw)
    found = {piece.measures[place]: number for place, number in zip(flat[::2], flat[1::2], strict=True)}
    return found | ({ACCEPTED: accepted} if accepted else {})


def late(store: Store, rows: Iterable[tuple[bytes, int, str, str, int]]) -> None:
    """(organisation, day, domain, measure, number) of days that are packed already; inside `store.writing()`."""
    store.many(_LATE, [(org_value(store, org), *rest) for org, *rest in rows])


def packed(store: Store, own: bytes | str) -> int:
    """Days before it are packed; 0: none are."""
    rows = store.rows("SELECT packed FROM archive_summed WHERE org_id = ?", (own,))
    return int(rows[0][0]) if rows else 0


def cover(first: int, end: int) -> Iterator[tuple[int, int]]:
    """(level, first day) of the fewest pieces that are the days from `first` to before `end`."""
    while first < end:
        level = next(n for n in reversed(range(len(SIZES))) if first % SIZES[n] == 0 and first + SIZES[n] <= end)
        yield level, first
        first += SIZES[level]


def largest(store: Store, org: bytes, first: int, last: int, most: int) -> Sums:
    """All that is counted of the `most` domains with most mail on these days. Inside `store.reading(org)`."""
    own = org_value(store, org)
    end = packed(store, own)
    pieces = [find(store, own, level, day) for level, day in cover(first, min(last + 1, end))]
    there = [piece for piece in pieces if piece is not None]
    rest = _rows(store, "archive_late", own, first, last)
    if last >= end:
        rest += _rows(store, "archive_tally", own, max(first, end), last)
    loose: Sums = {}
    for domain, measure, number in rest:
        counts = loose.setdefault(domain, {})
        counts[measure] = counts.get(measure, 0) + number
    totals: dict[str, int] = defaultdict(int)
    for domain, counts in loose.items():
        totals[domain] = counts.get(ACCEPTED, 0)
    for piece in there:
        for domain, pair in piece.domains.items():
            totals[domain] += pair[0]
    # plain loops: this is where a page over months spends its time
    found: Sums = {}
    for _, domain in nsmallest(most, [(-number, domain) for domain, number in totals.items()]):
        summed = defaultdict(int, loose.get(domain, ()))
        for piece in there:
            known = piece.domains.get(domain)
            if known is not None:
                if known[0]:
                    summed[ACCEPTED] += known[0]
                measures, places = piece.measures, iter(_numbers(known[1]))
                for place in places:
                    summed[measures[place]] += next(places)
        found[domain] = summed
    return found


def _rows(store: Store, table: str, own: bytes | str, first: int, last: int) -> list[tuple[str, str, int]]:
    sql = (
        f"SELECT domain, measure, sum(number) FROM {table} WHERE org_id = ? AND day >= ? AND day <= ? "  # noqa: S608
        "GROUP BY domain, measure"
    )
    return [(str(domain), str(measure), int(number)) for domain, measure, number in store.rows(sql, (own, first, last))]
