"""Events of the office: appended inside the transaction they tell of, drained by the journal (DESIGN 4)."""

import uuid
from collections.abc import Mapping
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
    INSERT INTO tenancy_outboxhead (source, seq) VALUES (%s, 1)
    ON CONFLICT (source) DO UPDATE SET seq = tenancy_outboxhead.seq + 1 RETURNING seq"""


class OutsideTransaction(RuntimeError):
    """An event that is not in the transaction of its act could be lost, or tell of what never happened."""


def append(draft: Draft, personal: Mapping[str, tuple[bytes, bytes]] | None = None) -> int:
    """Numbers the event, fixes its bytes and seals its openings. Returns its number in the source `office`."""
    if not connection.in_atomic_block:
        raise OutsideTransaction(draft.kind)
    org = uuid.UUID(draft.org)
    sealed = b""
    if personal:
        version, key = keys.current(org, "evidence")
        sealed = openings.seal(month_key(key, draft.at), version, org.bytes, draft.id, personal)
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [SOURCE])
        seq: int = cursor.fetchone()[0]
    OutboxEvent.objects.create(seq=seq, organisation=org, event=event.finish(draft, SOURCE, seq), sealed=sealed)
    return seq


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
