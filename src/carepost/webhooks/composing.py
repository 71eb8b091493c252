"""From what is pending to one call: opened, filtered by what only the content says, shaped and signed."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from carepost.audit.store import Store
from carepost.ground import clock, ids
from carepost.rfc import address
from carepost.webhooks import checking, payload, sendgrid, signing
from carepost.webhooks.calls.rows import Pending
from carepost.webhooks.filters import TESTED
from carepost.webhooks.known import Known, Leaf
from carepost.webhooks.payload import About
from carepost.webhooks.targets import Target
from carepost.wire.types import HistoryRecord

#: octets of a body of several events
MOST: Final = 500_000


class Told(msgspec.Struct, frozen=True):
    row: Pending
    kind: str


class Parcel(msgspec.Struct, frozen=True):
    """One call and what it tells of. `left_out`: rows that are told of in no call, with a code."""

    told: tuple[Told, ...] = ()
    left_out: tuple[tuple[Told, str], ...] = ()
    body: bytes = b""
    headers: dict[str, str] = {}


def compose(store: Store, target: Target, rows: Sequence[Pending]) -> Parcel:
    """`rows`: one, in the format `carepost`. Inside no transaction. Raises Unavailable while keys cannot be read."""
    told: list[Told] = []
    left_out: list[tuple[Told, str]] = []
    several: list[dict[str, Any]] = []
    body, size = b"", 0
    with store.reading(None):
        known = Known(store)
        for row in rows:
            leaf = known.leaf(row)
            if leaf is None:
                left_out.append((Told(row, ""), "past-retention"))
                continue
            here, event = Told(row, leaf.event.kind), leaf.event
            about = _about(known, target, row, leaf)
            if about is None:
                left_out.append((here, "filtered"))
                continue
            if target.format == checking.CAREPOST:
                body = payload.body(target, event, about)
                told.append(here)
                continue
            one = sendgrid.one(target, event, about)
            if one is None:
                left_out.append((here, "no-counterpart"))
                continue
            size += len(msgspec.json.encode(one)) + 1
            if several and size > MOST:
                break
            several.append(one)
            told.append(here)
    if several:
        body = sendgrid.body(several)
    return Parcel(tuple(told), tuple(left_out), body, _headers(target, told, body) if told else {})


def _headers(target: Target, told: Sequence[Told], body: bytes) -> dict[str, str]:
    now = clock.now()
    keys, at = target.keys(now), now // 1_000_000
    if target.format == checking.CAREPOST:
        return signing.headers(keys, ids.text(told[0].row.event), at, body)
    # the same events again are the same batch
    batch = hashlib.sha256(b"".join(one.row.event for one in told)).hexdigest()[:32]
    return signing.headers(keys, batch, at, body) | signing.sendgrid_headers(keys, at, body)


def _about(known: Known, target: Target, row: Pending, leaf: Leaf) -> About | None:
    """None: the filter leaves it out."""
    event = leaf.event
    if event.kind == TESTED:
        return About("")
    org, message = row.org, event.on[0]
    category, origin = known.kind(org, message)
    category = event.category or category
    header: HistoryRecord | None = None
    if target.agreed or (target.filter.content and not row.forced):
        header = known.header(org, message)
    if not row.forced and not _passes(target, category, header):
        return None
    return About(
        category,
        known.recipient(org, event.on[1]) if len(event.on) > 1 else "",
        header if target.agreed else None,
        known.openings(org, leaf) if target.agreed else {},
        origin,
    )


def _passes(target: Target, category: str, header: HistoryRecord | None) -> bool:
    """What is not known passes no filter that asks for it."""
    chosen = target.filter
    if chosen.categories and category not in chosen.categories:
        return False
    if not chosen.content:
        return True
    if header is None:
        return False
    if chosen.tags and not set(chosen.tags) & set(header.tags):
        return False
    return not chosen.domains or _domain(header) in chosen.domains


def _domain(header: HistoryRecord) -> str:
    return address.domain(header.from_ or header.sender).lower()
