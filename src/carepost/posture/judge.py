"""Pure: how a record changes with a measurement, and whether its destination is weakened (DESIGN 2, posture)."""

from collections.abc import Sequence

import msgspec

from carepost.policy.types import Assurance, MtaSts, Seen, Ternary
from carepost.posture.types import Measured, Record, Side

DAY = 86_400_000_000
#: how long what TLS reached is worth expecting again
FRESH = 30 * DAY
#: hosts of a domain that are kept
SIDES = 12


def learn(record: Record, measured: Measured, now: int) -> Record:
    """`record` after `measured` at `now`."""
    changes: dict[str, object] = {}
    if measured.hosts:
        changes.update(_hosts(record, measured, now))
    if measured.starttls is True:
        changes["starttls_at"] = record.starttls_at or now
        if record.lost_at and not record.back_at:
            changes["back_at"] = now
        elif record.lost_at and now - record.back_at >= DAY:
            changes.update(lost_at=0, back_at=0)
    elif measured.starttls is False and record.starttls_at:
        changes.update(lost_at=now, back_at=0)
    if measured.tls is not None and (measured.tls is not record.tls or now - record.tls_at > DAY):
        # Not at every attempt: each change is a write.
        changes.update(tls=measured.tls, tls_at=now)
    if measured.mta_sts != "unknown":
        changes["mta_sts"] = measured.mta_sts
    if measured.dane != "unknown":
        changes["dane"] = measured.dane
    if measured.sides and (sides := _sides(record, measured.sides, now)) != record.sides:
        changes["sides"] = sides
    return msgspec.structs.replace(record, **changes) if changes else record


def _hosts(record: Record, measured: Measured, now: int) -> dict[str, object]:
    hosts = tuple(sorted(set(measured.hosts)))
    settled: dict[str, object] = {"hosts": hosts, "moved_hosts": (), "moved_at": 0}
    if measured.secure or not record.hosts or not moved(record.hosts, hosts):
        return settled
    if record.moved_hosts and not moved(record.moved_hosts, hosts):
        return settled if now - record.moved_at >= DAY else {}
    return {"moved_hosts": hosts, "moved_at": now}


def _sides(record: Record, met: Sequence[Side], now: int) -> tuple[Side, ...]:
    """A host that is as it was keeps its time; hosts the domain no longer names go, pinned ones after a while."""
    kept = {(side.host, side.pinned): side for side in record.sides}
    for side in met:
        key = (side.host, side.pinned)
        old = kept.get(key)
        same = old is not None and msgspec.structs.replace(old, at=0) == msgspec.structs.replace(side, at=0)
        kept[key] = old if same and old is not None else msgspec.structs.replace(side, at=now)
    named = {*record.hosts, *record.moved_hosts, *(side.host for side in met)}
    return tuple(side for side in kept.values() if side.pinned or side.host in named)[-SIDES:]


def moved(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """A host is new, and is no sibling of a known one: `mx2.mail.example` beside `mx1.mail.example` is no move."""
    known = set(before)
    parents = {parent for host in before if "." in (parent := host.partition(".")[2])}
    return any(host not in known and host.partition(".")[2] not in parents for host in after)


def weakened(record: Record, now: int) -> str:
    """Why the destination is not VERIFIED for now: tls-lost, mx-moved, or ""."""
    if record.lost_at and not (record.back_at and now - record.back_at >= DAY):
        return "tls-lost"
    if record.moved_at and now - record.moved_at < DAY:
        return "mx-moved"
    return ""


def proved(record: Record) -> dict[tuple[str, str], Assurance]:
    """(host, what it was held to) of pinned next hops -> what they proved when they were last met."""
    return {(side.host, side.pin): side.assurance for side in record.sides if side.pinned}


_STS = ("unknown", "none", "testing", "enforce")
_DANE = ("unknown", "no", "yes")


def merge(own: Record, others: Sequence[Record]) -> Record:
    """`own` with what other engines saw of the same domain: the newer measurement, the older first sight of STARTTLS,
    every warning, and the stricter word where they differ."""
    for other in others:
        newer = other.tls is not None and other.tls_at > own.tls_at
        lost = other.lost_at > own.lost_at
        moved_ = other.moved_at > own.moved_at
        policy = max(filter(None, (own.policy, other.policy)), key=lambda p: p.fetched, default=None)
        own = msgspec.structs.replace(
            own,
            hosts=own.hosts or other.hosts,
            moved_hosts=other.moved_hosts if moved_ else own.moved_hosts,
            moved_at=other.moved_at if moved_ else own.moved_at,
            starttls_at=min(filter(None, (own.starttls_at, other.starttls_at)), default=0),
            lost_at=other.lost_at if lost else own.lost_at,
            back_at=other.back_at if lost else own.back_at,
            tls=other.tls if newer else own.tls,
            tls_at=other.tls_at if newer else own.tls_at,
            mta_sts=max(own.mta_sts, other.mta_sts, key=_STS.index),
            dane=max(own.dane, other.dane, key=_DANE.index),
            policy=policy,
            sides=_newer(own.sides, other.sides),
        )
    return own


def _newer(own: tuple[Side, ...], others: tuple[Side, ...]) -> tuple[Side, ...]:
    if not others or others == own:
        return own
    kept = {(side.host, side.pinned): side for side in own}
    for side in others:
        known = kept.get((side.host, side.pinned))
        if known is None or side.at > known.at:
            kept[side.host, side.pinned] = side
    return tuple(kept.values())[-SIDES:]


def seen(record: Record, now: int) -> Seen:
    """What the decision may know of it."""
    fresh = record.tls is not None and now - record.tls_at < FRESH
    starttls = Ternary.UNKNOWN
    if record.starttls_at:
        # Once seen, also where it is lost now: then it may be lost on the way (DESIGN 3).
        starttls = Ternary.YES
    elif record.tls is Assurance.NONE:
        starttls = Ternary.NO
    return Seen(
        tls=record.tls if fresh else None,
        starttls=starttls,
        mta_sts=MtaSts(record.mta_sts),
        dane=Ternary(record.dane),
        weakened=bool(weakened(record, now)),
    )
