"""Which messages fit by what stands in clear in their rows: state, method, provider group, assurance, what was found in
them, whether it was opened or a link followed, category, origin.

Whatever is asked for, a page costs a bounded number of rows: an index that leads to few of them where there is one,
then windows of neighbours, and where the windows are used up the page says how far back it looked."""

from collections.abc import Sequence
from typing import Final

from carepost.archive.tables import raw_value
from carepost.archive.wanted import Wanted
from carepost.audit.store import Store

#: rows of one window, and windows of one page
WINDOW: Final = 2500
WINDOWS: Final = 3
#: messages whose own rows one page compares, so many of them in a statement
COMPARED: Final = 400
_TOGETHER: Final = 100
#: methods most deliveries have: no index leads to them (migration 0004)
_MOST: Final = ("tls", "")
#: how sparse the rows of an index lie: each of these is a page of the file of its own, and its window is the smaller
_SPARSE: Final = {"provider": 1000, "method": 250}
#: more rows than a window has; a limit keeps an inner SELECT by itself
_WHOLE: Final = 10_000_000
_COLUMNS: Final = ("state", "provider", "method", "assurance")
#: those of which any of several values may be asked for
_SETS: Final = ("content", "opened", "clicked")
#: the conditions of partial indexes, word for word: SQLite takes them for nothing less
_PARTS: Final = {
    "provider": " AND d.provider > ''", "method": " AND NOT (d.method IN ('', 'tls'))",
    **{name: f" AND d.{name} > ''" for name in _SETS},
}  # fmt: skip

Found = tuple[list[bytes], bytes]


def walk(log: Store, org: bytes, wanted: Wanted, below: bytes, above: bytes, limit: int) -> Found:
    """(messages newest first, `limit` at most; where it stopped, b"" where all there is was looked at)."""
    with log.reading(org):
        return _walk(log, org.hex(), wanted, below, above.hex(), limit)


def fitting(log: Store, org: bytes, wanted: Wanted, messages: Sequence[bytes]) -> set[bytes]:
    """Those whose rows fit."""
    found: set[bytes] = set()
    owner = org.hex()
    _, column, _, _ = _lead(wanted)
    table = "archive_delivery" if wanted.of_delivery else "archive_message"
    where, values = _rest(wanted, led=False)
    with log.reading(org):
        for start in range(0, len(messages), _TOGETHER):
            part = [one.hex() for one in messages[start : start + _TOGETHER]]
            among = ", ".join("?" * len(part))
            # `id` stands in no index of states: for one message alone SQLite would else walk through all of an
            # organisation's rows in that index (5.7 s of processor at ten million)
            sql = f"SELECT d.{column}, d.id FROM {table} d WHERE d.org_id = ? AND d.{column} IN ({among}){where}"  # noqa: S608
            found.update(raw_value(row[0]) for row in log.rows(sql, (owner, *part, *values)))
    return found


def _walk(log: Store, owner: str, wanted: Wanted, below: bytes, first: str, limit: int) -> Found:
    found: list[bytes] = []
    compared = 0
    where = _rest(wanted, led=True)[0] + _about(wanted)[0]
    # (message, whether it is part of the window)
    high = (below, False)
    for _ in range(WINDOWS):
        edge = _edge(log, owner, wanted, first, high) if where else None
        # the message at the edge is looked at whole: with the next window, or with this one where it fills it
        fills = edge == high[0]
        low = (first, True) if edge is None else (edge.hex(), fills)
        if not (wanted.of_delivery and _about(wanted)[0]):
            found += _window(log, owner, wanted, low, high, limit - len(found))
        else:
            some = _window(log, owner, wanted, low, high, _WHOLE)
            for start in range(0, len(some), _TOGETHER):
                part = some[start : start + _TOGETHER]
                fit = _of_messages(log, owner, wanted, part)
                found += [one for one in part if one in fit]
                compared += len(part)
                if len(found) >= limit:
                    return found[:limit], b""
                if compared >= COMPARED:
                    return found, part[-1]
        if edge is None or len(found) >= limit:
            return found, b""
        high = (edge, not fills)
    return found, _after(high[0]) if high[1] else high[0]


def _of_messages(log: Store, owner: str, wanted: Wanted, some: Sequence[bytes]) -> set[bytes]:
    """Those whose own row fits: category and origin."""
    about, values = _about(wanted)
    among = ", ".join("?" * len(some))
    sql = f"SELECT d.id FROM archive_message d WHERE d.org_id = ? AND d.id IN ({among}){about}"  # noqa: S608
    return {raw_value(row[0]) for row in log.rows(sql, (owner, *(one.hex() for one in some), *values))}


def _edge(log: Store, owner: str, wanted: Wanted, first: str, high: tuple[bytes, bool]) -> bytes | None:
    """The message a window ends at; None: what is left fits into it."""
    table, column, lead, values = _lead(wanted)
    size = min(WINDOW, _SPARSE.get(_led(wanted) or "", WINDOW))
    sql = (
        f"SELECT d.{column} FROM {table} d WHERE d.org_id = ?{lead} AND d.{column} >= ? "  # noqa: S608
        f"AND d.{column} {'<=' if high[1] else '<'} ? ORDER BY d.{column} DESC LIMIT 1 OFFSET {size}"
    )
    rows = log.rows(sql, (owner, *values, first, high[0].hex()))
    return raw_value(rows[0][0]) if rows else None


def _window(
    log: Store, owner: str, wanted: Wanted, low: tuple[str, bool], high: tuple[bytes, bool], limit: int
) -> list[bytes]:
    table, column, lead, values = _lead(wanted)
    where, more = _rest(wanted, led=True)
    span = f"d.{column} {'>=' if low[1] else '>'} ? AND d.{column} {'<=' if high[1] else '<'} ?"
    rows = f"{table} d WHERE d.org_id = ?{lead} AND {span}"
    if lead and where:
        # by the index the window was measured by, whatever the planner thinks of the others
        # and what stands in it alone: a row of the table is a page of the file (2,500 of them: two seconds)
        columns = ("message", *_COLUMNS, *[name for name in _SETS if getattr(wanted, name)])
        inner = f"SELECT {', '.join(columns)} FROM {rows} ORDER BY d.message DESC LIMIT {_WHOLE}"  # noqa: S608
        rows = f"({inner}) d WHERE 1 = 1"
    sql = f"SELECT DISTINCT d.{column} FROM {rows}{where} ORDER BY d.{column} DESC LIMIT {limit}"  # noqa: S608
    return [raw_value(row[0]) for row in log.rows(sql, (owner, *values, low[0], high[0].hex(), *more))]


def _lead(wanted: Wanted) -> tuple[str, str, str, tuple[str, ...]]:
    """(table, its column of the message, the condition an index serves, its values)."""
    name = _led(wanted)
    if name is None:
        table, column = ("archive_delivery", "message") if wanted.of_delivery else ("archive_message", "id")
        return table, column, "", ()
    part = _PARTS.get(name, "")
    if name in _SETS:
        # its index is in the order of messages
        return "archive_delivery", "message", part, ()
    return "archive_delivery", "message", f" AND d.{name} = ?{part}", (getattr(wanted, name),)


def _led(wanted: Wanted) -> str | None:
    for name in _SETS:
        if getattr(wanted, name):
            return name
    if wanted.state and wanted.state != "sent":
        return "state"
    if wanted.provider:
        return "provider"
    if wanted.method and wanted.method not in _MOST:
        return "method"
    return "state" if wanted.state else None


def _rest(wanted: Wanted, *, led: bool) -> tuple[str, tuple[str, ...]]:
    """The conditions on a row `d` besides that of `_lead` (all of them unless `led`). Their columns are expressions: no
    index may be taken for them but the one the window was measured by."""
    if not wanted.of_delivery:
        return _about(wanted)
    taken = _led(wanted) if led else None
    names = [name for name in _COLUMNS if getattr(wanted, name) and name != taken]
    where = "".join(f" AND (d.{name} || '') = ?" for name in names)
    several = [(name, values) for name in _SETS if (values := getattr(wanted, name))]
    where += "".join(f" AND (d.{name} || '') IN ({', '.join('?' * len(values))})" for name, values in several)
    return where, (*(getattr(wanted, name) for name in names), *(one for _, values in several for one in values))


def _about(wanted: Wanted) -> tuple[str, tuple[str, ...]]:
    """The conditions on a message's own row `d`; "" where there are none."""
    where = " AND d.category = ?" if wanted.category else ""
    if wanted.without:
        where += f" AND d.origin NOT IN ({', '.join('?' * len(wanted.without))})"
    return where, (*((wanted.category,) if wanted.category else ()), *wanted.without)


def _after(message: bytes) -> bytes:
    """The id right after: what is below it begins with `message` itself."""
    return (int.from_bytes(message, "big") + 1).to_bytes(16, "big")
