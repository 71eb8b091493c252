"""Events of the office: appended inside the transaction they tell of, drained by the journal (DESIGN 4)."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import connection, transaction

from carepost.ground import ids
from carepost.proof import event, openings
from carepost.proof.event import Draft
from carepost.queue.sealing import month_key
from carepost.tenancy import keys
from carepost.tenancy.models import OutboxEvent
from carepost.wire.types import Drained

SOURCE: Final = "office"

_NEXT = """
    INSERT INTO tenancy_outboxhead (source, seq) VALUES (%s, %s)
    ON CONFLICT (source) DO UPDATE SET seq = tenancy_outboxhead.seq + excluded.seq RETURNING seq"""
#: rows of one statement
_TOGETHER: Final = 200
Personal = Mapping[str, tuple[bytes, bytes]]


class OutsideTransaction(RuntimeError):
    """An event that is not in the transaction of its act could be lost, or tell of what never happened."""


def append(draft: Draft, personal: Personal | None = None) -> int:
    """Numbers the event, fixes its bytes and seals its openings. Returns its number in the source `office`."""
    return append_all([(draft, personal or {})])


def append_all(drafts: Sequence[tuple[Draft, Personal]]) -> int:
    """Events of one organisation, in this order, with one number after the other. Returns the last."""
    if not connection.in_atomic_block:
        raise OutsideTransaction(drafts[0][0].kind)
    org = uuid.UUID(drafts[0][0].org)
    version, key = keys.current(org, "evidence") if any(personal for _, personal in drafts) else (0, b"")
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [SOURCE, len(drafts)])
        last: int = cursor.fetchone()[0]
    rows = []
    for seq, (draft, personal) in enumerate(drafts, last - len(drafts) + 1):
        sealed = b""
        if personal:
            sealed = openings.seal(month_key(key, draft.at), version, org.bytes, draft.id, personal)
        rows.append(OutboxEvent(seq=seq, organisation=org, event=event.finish(draft, SOURCE, seq), sealed=sealed))
    OutboxEvent.objects.bulk_create(rows, batch_size=_TOGETHER)
    return last


def waiting() -> int:
    """How many the journal has not taken yet."""
    first = OutboxEvent.objects.order_by("seq").values_list("seq", flat=True).first()
    return head() - first + 1 if first is not None else 0


def drain(after: int, limit: int = 2000) -> list[Drained]:
    """Events after `after`, in order."""
    rows = OutboxEvent.objects.filter(seq__gt=after).order_by("seq")[:limit]
    return [Drained(row.seq, row.organisation.bytes, bytes(row.event), bytes(row.sealed)) for row in rows]


def acknowledge(upto: int) -> None:
    """The journal has what stands up to `upto`: it may be forgotten here."""
    with transaction.atomic():
        OutboxEvent.objects.filter(seq__lte=upto).delete()


def head() -> int:
    """The last number given; 0 when nothing happened yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM tenancy_outboxhead WHERE source = %s", [SOURCE])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def new_id() -> str:
    return ids.text(ids.new())
