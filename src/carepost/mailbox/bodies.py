"""Where a deposited message's ciphertext lies: in its row or in the cold store; its key is in the row always.

    warm (chunks)  --frozen-->  cold (an item)  --thawed-->  warm        dropped: row and key go, the object after them

Nothing is fetched inside a transaction: `brought` first, then the gate opens what it brought."""

import uuid
from collections.abc import Iterable

import msgspec

from carepost.cold import fetching, items
from carepost.cold.fetching import Away
from carepost.cold.models import Item
from carepost.mailbox import sealing
from carepost.mailbox.models import Body, Deposit
from carepost.mailbox.within import within
from carepost.tenancy.actions.holds import ACTIVE
from carepost.tenancy.models import LegalHold


def brought(row: Deposit) -> bytes:
    """Its chunks where they lie in the cold store, b"" where they lie here. `row` with its body, as `access.deposit_of`
    finds it. With no transaction open. Raises Away."""
    if row.body is None or row.body.cold_id is None:
        return b""
    with within(row.org_id.bytes):
        item = Item.objects.select_related("target").filter(org_id=row.org_id, pk=row.body.cold_id).first()
    if item is None:
        # brought back meanwhile, or disposed of: whoever opens it sees which
        return b""
    return fetching.fetch(item)


def opened(body: Body, brought: bytes) -> bytes:
    """The message as deposited. Raises Damaged, NotFound; Away when it was moved since `brought` looked."""
    packed = bytes(body.chunks) or brought
    if not packed:
        raise Away("moved")
    return sealing.open_body(body, msgspec.msgpack.decode(packed, type=list[bytes]))


def due(org: uuid.UUID, before: int, limit: int) -> list[uuid.UUID]:
    """Those that lie here and were laid down before a time (UTC microseconds), oldest first; ids are in its order."""
    end = uuid.UUID(bytes=(max(0, before) // 1000 << 80).to_bytes(16, "big"))
    with within(org.bytes):
        rows = Body.objects.filter(org_id=org, cold=None, id__lt=end).order_by("id")
        return list(rows.values_list("pk", flat=True)[:limit])


def drop(org: uuid.UUID, rows: Iterable[Body]) -> None:
    """Inside the caller's transaction: bodies that nobody reads any more. Under legal hold one stays as it is, and goes
    when the hold is lifted (`forgetting.lifted`)."""
    for row in rows:
        if LegalHold.objects.filter(org_id=org, message=row.message, state__in=ACTIVE).exists():
            continue
        # under its lock: the journal may be moving it at this moment
        found = Body.objects.select_for_update().defer("chunks").filter(org_id=org, pk=row.pk).first()
        if found is not None and found.cold_id is not None:
            # the key goes now, the object as soon as the store can be reached
            items.drop(org, [found.cold_id])
        Body.objects.filter(org_id=org, pk=row.pk).delete()
