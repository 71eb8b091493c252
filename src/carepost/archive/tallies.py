"""What became of a day's deliveries, counted as the journal reads of it: by the recipient's domain and the group of
its mail servers. A number belongs to the day its message was accepted on, so that rates compare like with like.

Measures, each a word of a row of `archive_tally`:
    accepted  sent  deposited  tested  suppressed  complaint  unsubscribed      deliveries
    deferral                                        attempts put off
    failed:<reason>  bounced:<reason>               for good, at once or by a report that came back later (rfc.bounces)
    method:<method>  assurance:<label>              of what was sent or deposited
    took:<n>                                        of what was sent: time from acceptance here to acceptance there,
                                                    `slot` of its milliseconds"""

import math
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from carepost.archive import recipient, timeline
from carepost.archive.sums import Sums
from carepost.archive.tables import org_value, raw_value
from carepost.audit import reader
from carepost.audit.store import Store
from carepost.crypto import index
from carepost.crypto.rest import Damaged
from carepost.ground import ids
from carepost.ground.errors import NotFound
from carepost.proof import kinds
from carepost.proof.event import Event
from carepost.queue.sealing import OrgKeyBook

#: slots an octave: a slot's ends differ by 9 %
OCTAVE: Final = 8
_TOGETHER: Final = 400
_ADD: Final = (
    "INSERT INTO archive_tally (org_id, day, domain, provider, measure, number) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (org_id, day, domain, provider, measure) DO UPDATE SET number = archive_tally.number + excluded.number"
)
_PLAIN: Final = {
    kinds.DELIVERY_DEFERRED: "deferral",
    kinds.DELIVERY_UNCERTAIN: "deferral",
    kinds.DELIVERY_TESTED: "tested",
    kinds.DELIVERY_COMPLAINED: "complaint",
    kinds.UNSUBSCRIBED: "unsubscribed",
}
_ENDED: Final = {kinds.DELIVERY_FAILED: "failed", kinds.DELIVERY_REFUSED: "failed", kinds.DELIVERY_BOUNCED: "bounced"}
_REACHED: Final = {kinds.DELIVERY_SENT: "sent", kinds.DELIVERY_DEPOSITED: "deposited"}


class Count(msgspec.Struct):
    """One delivery's part. `domain`: None where the batch did not say whose it is."""

    org: bytes
    delivery: bytes
    domain: str | None = None
    provider: str = ""
    measures: list[str] = []


def of_event(event: Event, delivery: bytes) -> tuple[str, ...]:
    """What one event of a delivery counts as."""
    kind = event.kind
    if (plain := _PLAIN.get(kind)) is not None:
        return (plain,)
    if (reached := _REACHED.get(kind)) is not None:
        return (reached, *_shares(event, delivery))
    ended = _ENDED.get(kind)
    if ended is None:
        return ()
    if event.facts.get("state") == "suppressed" or event.cause == "suppressed":
        return ("suppressed",)
    return (f"{ended}:{event.facts.get('bounce') or event.cause or 'unknown'}"[:80],)


def _shares(event: Event, delivery: bytes) -> Iterable[str]:
    method, reached = event.facts.get("method", ""), timeline.assurance_after(event)
    if method:
        yield f"method:{method}"
    if reached:
        yield f"assurance:{reached}"
    if event.kind == kinds.DELIVERY_SENT:
        yield f"took:{slot((event.at - ids.made_at(delivery)) // 1000)}"


def slot(milliseconds: int) -> int:
    return round(math.log2(max(1, milliseconds)) * OCTAVE)


def milliseconds(slot: int) -> float:
    return float(2.0 ** (slot / OCTAVE))


def write(store: Store, book: OrgKeyBook, counts: Mapping[bytes, Count], sums_: Sums | None = None) -> None:
    """Inside `store.writing()`, after the rows of history. `sums_`: what a journal remembers of domains."""
    for one in counts.values():
        if "unsubscribed" in one.measures:
            _once(store, one)
    unknown = [one for one in counts.values() if one.domain is None and one.measures]
    for start in range(0, len(unknown), _TOGETHER):
        _learn(store, book, unknown[start : start + _TOGETHER])
    sums: dict[tuple[bytes, int, str, str, str], int] = {}
    for one in counts.values():
        day = index.day_of(ids.made_at(one.delivery))
        for measure in one.measures:
            key = (one.org, day, (one.domain or "")[:255], one.provider, measure)
            sums[key] = sums.get(key, 0) + 1
    if sums:
        (sums_ or Sums()).write(store, sums)
        store.many(_ADD, [(org_value(store, key[0]), *key[1:], number) for key, number in sorted(sums.items())])


def _once(store: Store, one: Count) -> None:
    """Whoever follows a link again asks for nothing new: the log, which has these events already, says how often."""
    asked = one.measures.count("unsubscribed")
    told = reader.events_within(store, one.org, ids.text(one.delivery))
    before = sum(known.event.kind == kinds.UNSUBSCRIBED for known in told) > asked
    one.measures = [measure for measure in one.measures if measure != "unsubscribed"]
    if not before:
        one.measures.append("unsubscribed")


def _learn(store: Store, book: OrgKeyBook, some: list[Count]) -> None:
    """Domain and provider group of deliveries that earlier batches were first told of."""
    by_id = {one.delivery: one for one in some}
    sql = f"SELECT id, provider, recipient FROM archive_delivery WHERE id IN ({', '.join('?' * len(by_id))})"  # noqa: S608
    for id_, provider, sealed in store.rows(sql, [delivery.hex() for delivery in by_id]):
        one = by_id[raw_value(id_)]
        one.provider = one.provider or provider
        try:
            address = recipient.open_(book, one.org, one.delivery, bytes(sealed)) if sealed else ""
        except (Damaged, NotFound):
            address = ""
        one.domain = index.normalise("domain", address.rpartition("@")[2])
