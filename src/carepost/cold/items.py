"""What becomes of one object, as rows say it. Each step is the caller's transaction, and speaks for its organisation.

    sending -> kept -> going -> (no row)      the object is made after `sending`, and deleted before the row

A row in `sending` or `going` says what is still to be done; whoever was interrupted does it again, which changes
nothing."""

import hashlib
import secrets
import uuid
from collections.abc import Iterable, Mapping

from carepost.cold.models import GOING, KEPT, Item, Target
from carepost.ground import clock, ids
from carepost.proof import kinds
from carepost.tenancy import events
from carepost.wire.types import Actor

JOURNAL = Actor("system", "journal")


def begin(org: uuid.UUID, target: Target, message: uuid.UUID, data: bytes) -> Item:
    """Before anything is sent."""
    name = secrets.token_hex(20)
    return Item.objects.create(
        org_id=org, target=target, message=message, name=f"{name[:2]}/{name[2:]}", size=len(data),
        digest=hashlib.sha256(data).digest(),
    )  # fmt: skip


def kept(item: Item) -> None:
    """The object was read back and is right."""
    item.state, item.changed_at = KEPT, clock.now()
    item.save(update_fields=["state", "changed_at"])
    record(kinds.BODY_COLD, item, {"size": str(item.size)})


def drop(org: uuid.UUID, items: Iterable[uuid.UUID]) -> None:
    """What they hold is disposed of, or lies here again: the journal deletes the objects."""
    Item.objects.filter(org_id=org, pk__in=list(items)).update(state=GOING, changed_at=clock.now())


def gone(item: Item) -> None:
    """The object is not there any more."""
    record(kinds.BODY_COLD_DELETED, item)
    Item.objects.filter(org_id=item.org_id, pk=item.pk).delete()


def record(kind: str, item: Item, facts: Mapping[str, str] | None = None) -> None:
    draft, openings = kinds.make(
        kind, id=ids.text(ids.new()), org=str(item.org_id), at=clock.now(), actor=(JOURNAL.kind, JOURNAL.id),
        on=[str(item.message)], facts=facts,
    )  # fmt: skip
    events.append(draft, openings)
