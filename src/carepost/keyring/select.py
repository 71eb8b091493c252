"""Reading recipients' certificates, of one address or page by page. Each look is an event before it is shown (law 7)."""

import uuid
from typing import Final

import msgspec

from carepost.ground.errors import NotFound
from carepost.keyring.acts import opened
from carepost.keyring.models import RecipientKey
from carepost.tenancy.act import act
from carepost.tenancy.actions.suppression import spelt, token
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

PAGE: Final = 50


class Shown(msgspec.Struct, frozen=True):
    """One certificate. Times: UTC microseconds, `not_after` 0 for never."""

    id: str
    address: str
    method: str
    source: str
    state: str
    pinned: bool
    fingerprint: str
    not_after: int
    found_at: int
    changed_at: int


class Page(msgspec.Struct, frozen=True):
    keys: tuple[Shown, ...]
    #: of the next page; "" on the last
    cursor: str = ""


def keys_of(org: uuid.UUID, actor: Actor, address: str) -> tuple[Shown, ...]:
    """All of one recipient, newest first. Raises AddressError, Forbidden."""
    who = spelt(address)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        rows = list(RecipientKey.objects.filter(org_id=org, token=token(org, who)).order_by("-pk"))
        doing.event("keyring.keys-viewed", on=[row.pk for row in rows] or [org], values={"address": who})
    return tuple([_shown(row) for row in rows])


def listing(org: uuid.UUID, actor: Actor, *, after: str = "", limit: int = PAGE) -> Page:
    """Newest first. Raises Forbidden, NotFound for a cursor that is none."""
    with act(org, Permission.KEYRING, actor=actor) as doing:
        found = RecipientKey.objects.filter(org_id=org).order_by("-pk")
        if after:
            try:
                found = found.filter(pk__lt=uuid.UUID(after))
            except ValueError:
                raise NotFound("There is no such page.") from None
        rows = list(found[: limit + 1])
        doing.event("keyring.keys-listed", on=[org], facts={"count": str(min(len(rows), limit))})
    cursor = str(rows[limit - 1].pk) if len(rows) > limit else ""
    return Page(tuple([_shown(row) for row in rows[:limit]]), cursor)


def _shown(row: RecipientKey) -> Shown:
    kept = opened(row)
    return Shown(
        str(row.pk), kept.address, row.method, row.source, row.state, row.pinned, kept.fingerprint, row.not_after,
        row.found_at, row.changed_at,
    )  # fmt: skip
