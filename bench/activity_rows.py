"""Rows of history by the ten million, as the database itself makes them: messages, their keys, deliveries and the
search index, over 180 days that are over.

One message in forty is real: sealed, openable and indexed as the journal does it. The others have the columns that
stand in clear, sealed columns of the usual sizes that do not open, and entries of the index that no word leads to; as
many segments and blocks a day as a journal leaves. A day is one transaction: a run that was cut goes on with the
next."""

import os
import random
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

DAYS: Final = 180
DAY_US: Final = 86_400_000_000
REAL: Final = 40
#: entries of the index a message has, and shares of a day's segments by level: 118 commits a day, eight become one
ENTRIES: Final = 13
_SHARES: Final = ((2, 64), *(((1, 8),) * 6), *(((0, 1),) * 6))
#: of row i: providers, states and methods as those of `activity_bench`
_H: Final = "((i * 48271) % 10007 % 100)"
_PROVIDER: Final = (
    f"CASE WHEN {_H} < 40 THEN 'google' WHEN {_H} < 65 THEN 'microsoft' WHEN {_H} < 75 THEN 'yahoo' ELSE '' END"
)
_S: Final = "((i * 7919) % 100003 % 1000)"
_STATE: Final = (
    f"CASE WHEN {_S} < 20 THEN 'failed' WHEN {_S} < 25 THEN 'deferred' WHEN {_S} < 45 THEN 'deposited' ELSE 'sent' END"
)
_METHOD: Final = (
    f"CASE WHEN {_S} >= 25 AND {_S} < 45 THEN 'portal' WHEN (i * 104729) % 1009 % 100 = 7 THEN 'smime' ELSE 'tls' END"
)
#: one in ten was looked into; what is marketing is watched
_CONTENT: Final = (
    "CASE WHEN i % 10 <> 3 THEN '' WHEN i % 100 = 3 THEN 'phi-high' WHEN i % 100 = 13 THEN 'phi-likely' ELSE 'none' END"
)
_OPENED: Final = (
    "CASE WHEN i % 50 <> 1 THEN '' WHEN i % 250 = 1 THEN 'human' WHEN i % 250 = 51 THEN 'automated' ELSE 'no' END"
)


def _statements(postgres: bool) -> tuple[str, str, str]:
    """Of messages, keys and deliveries of the rows from ? to before ?, of a day that begins at ? milliseconds, each so
    many microseconds after the other."""
    if postgres:
        name = "(lpad(to_hex({0}), 12, '0') || '7000' || '8' || lpad(to_hex(i * 2 + {1}), 15, '0'))::uuid"
        blob, org, series = (
            "decode('{0}', 'hex')",
            "?::uuid",
            "generate_series(?::bigint, ?::bigint - 1) AS n(i)",
        )
        begin, width = "?::bigint", "?::bigint"
        head = ""
    else:
        name, blob, org, series = "printf('%012x70008%015x', {0}, i * 2 + {1})", "x'{0}'", "?", "n"
        begin, width = "?", "?"
        head = "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) "
    at = f"{begin} + (i - {begin}) * {width} / 1000"
    order = f"FROM (SELECT i, {at} AS ms, {org} AS org FROM {series}) AS one WHERE i % {REAL} <> 0"
    message, delivery = name.format("ms", 0), name.format("ms", 1)
    return (
        f"INSERT INTO archive_message (id, org_id, at, category, origin, size, header, held_at, disposed_at) {head}"
        f"SELECT {message}, org, ms * 1000, CASE WHEN i % 50 = 1 THEN 'marketing' ELSE 'transactional' END, 'api', "
        f"10240, {blob.format(_sealed(180))}, 0, 0 {order}",
        f"INSERT INTO archive_message_key (id, org_id, wrapped) {head}"
        f"SELECT {message}, org, {blob.format(_sealed(65))} {order}",
        "INSERT INTO archive_delivery (id, org_id, message, state, method, assurance, reason, rule, updated_at, "
        f"recipient, provider, content, tags, opened, clicked) {head}SELECT {delivery}, org, {message}, {_STATE}, "
        f"{_METHOD}, 'VERIFIED', '', 'default-floor', ms * 1000, {blob.format(_sealed(56))}, {_PROVIDER}, {_CONTENT}, "
        f"'', {_OPENED}, {_OPENED} {order}",
    )


def _sealed(size: int) -> str:
    """Hex of a sealed column that does not open. It names the first version of its key, which is there: a version that
    is not would be looked for in the office's tables for every row, as no journal leaves it."""
    return "00000001" + "00" * (size - 4)


def fill(org: bytes, count: int, today: int, row: Callable[[int, int, random.Random], Any]) -> None:
    """`count` messages on the 180 days before `today`. `row(at, number, chance)`: (message, delivery, …) as
    `archive.writing` takes them."""
    store = import_module("carepost.archive.store").store()
    segments, writing = import_module("carepost.archive.segments"), import_module("carepost.archive.writing")
    owner = import_module("carepost.archive.tables").org_value(store, org)
    postgres = not isinstance(owner, bytes)
    if not postgres:
        store.rows("PRAGMA synchronous = OFF")
        store.rows("PRAGMA cache_size = -300000")
    statements, each = _statements(postgres), count // DAYS
    width = DAY_US // each
    idle = [_idle(each * share // 118) for _, share in _SHARES]
    with store.reading(org):
        done = {int(day) for (day,) in store.rows("SELECT DISTINCT day FROM archive_segment")}
    for n, day in enumerate(range(today - DAYS, today)):
        if day in done:
            continue
        first, begin = n * each, day * DAY_US // 1000
        chance = random.Random(day)
        real = [row(begin * 1000 + (i - first) * width, i, chance) for i in range(first, first + each) if i % REAL == 0]
        parts, at = [], 0
        for _, share in _SHARES:
            part = real[at : at + len(real) * share // 118 + 1]
            parts.append([token + m.id for m, _, _ in part for token in m.tokens])
            at += len(part)
        for message, _, _ in real:
            message.tokens = set()
        with store.writing():
            given = (begin, first, width, org.hex(), first, first + each)
            for statement in statements:
                if postgres:
                    store.rows(statement.replace("%", "%%"), given)
                else:
                    # the series stands first in SQLite's text
                    store.rows(statement, (*given[4:], *given[:4]))
            writing.write(store, [m for m, _, _ in real], [d for _, d, _ in real], (), (), begin * 1000)
            for number, ((level, _), more, some) in enumerate(zip(_SHARES, idle, parts, strict=True), 1):
                segments._write(store, owner, day, number, level, sorted(more + some))
    if postgres:
        for table in ("archive_message", "archive_message_key", "archive_delivery", "archive_block", "archive_segment"):
            store.rows(f"ANALYZE {table}")


def _idle(messages: int) -> list[bytes]:
    """Entries that no word leads to, in order: the same for every day."""
    some = os.urandom(24 * messages * ENTRIES)
    return sorted(some[at : at + 24] for at in range(0, len(some), 24))
