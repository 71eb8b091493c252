"""Reading recipients' certificates, of one address or by page. Each look is an event before it is shown (law 7)."""

import uuid
from typing import Final

import msgspec
from django.db.models import Q, QuerySet

from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.keyring import renewal, words
from carepost.keyring.acts import CHANGED, IN_USE, of_address, opened
from carepost.keyring.models import RecipientKey
from carepost.tenancy import scope
from carepost.tenancy.act import act
from carepost.tenancy.actions.suppression import spelt
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
    #: last met where it came from, last encrypted to; 0: never
    seen_at: int = 0
    used_at: int = 0
    #: it differs, and is the same authority's next one for the same owner (`renewal`)
    renews: bool = False


class Page(msgspec.Struct, frozen=True):
    keys: tuple[Shown, ...]
    #: of the next page; "" on the last
    cursor: str = ""


def keys_of(org: uuid.UUID, actor: Actor, address: str) -> tuple[Shown, ...]:
    """All of one recipient, newest first. Raises AddressError, Forbidden."""
    who = spelt(address)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        rows = list(of_address(org, who).order_by("-pk"))
        doing.event("keyring.keys-viewed", on=[row.pk for row in rows] or [org], values={"address": who})
        return tuple([shown(row, renews=_renews(row)) for row in rows])


def beside(org: uuid.UUID, actor: Actor, key: uuid.UUID) -> tuple[Shown, ...]:
    """All of the recipient whose certificate this is, newest first. Raises NotFound, Forbidden."""
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = RecipientKey.objects.filter(org_id=org, pk=key).first()
        if row is None:
            raise NotFound("There is no such certificate.")
        rows = list(of_address(org, opened(row).address).order_by("-pk"))
        doing.event("keyring.keys-viewed", on=[one.pk for one in rows])
        return tuple([shown(one, renews=_renews(one)) for one in rows])


def listing(org: uuid.UUID, actor: Actor, *, after: str = "", limit: int = PAGE, attention: bool = False) -> Page:
    """Newest first; `attention`: only those somebody must do something about. Raises Forbidden, NotFound for a cursor
    that is none."""
    with act(org, Permission.KEYRING, actor=actor) as doing:
        found = (_attention(org, doing.at) if attention else RecipientKey.objects.filter(org_id=org)).order_by("-pk")
        if after:
            try:
                found = found.filter(pk__lt=uuid.UUID(after))
            except ValueError:
                raise NotFound("There is no such page.") from None
        rows = list(found[: limit + 1])
        doing.event("keyring.keys-listed", on=[org], facts={"count": str(min(len(rows), limit))})
    cursor = str(rows[limit - 1].pk) if len(rows) > limit else ""
    return Page(tuple([shown(row) for row in rows[:limit]]), cursor)


def attention(org: uuid.UUID) -> int:
    """How many need somebody: changed ones, and those in use that ran out or will within 30 days."""
    with scope.organisation(org):
        return _attention(org, clock.now()).count()


def settled(org: uuid.UUID, key: uuid.UUID) -> str:
    """The address whose certificate this is, where none that is known of it waits for a decision; "" otherwise, and
    where there is no such certificate. For the journal, which shows it to nobody: no event. Raises Damaged."""
    with scope.organisation(org):
        row = RecipientKey.objects.filter(org_id=org, pk=key).first()
        if row is None:
            return ""
        address = opened(row).address
        return "" if of_address(org, address).filter(state=CHANGED).exists() else address


def _attention(org: uuid.UUID, now: int) -> "QuerySet[RecipientKey]":
    ends = Q(state=IN_USE, not_after__gt=0, not_after__lte=now + (words.SOON + 1) * words.DAY_US)
    return RecipientKey.objects.filter(ends | Q(state=CHANGED), org_id=org)


def _renews(row: RecipientKey) -> bool:
    before = renewal.current(row)
    return before is not None and renewal.renews(row.org_id, before, row)


def shown(row: RecipientKey, *, renews: bool = False) -> Shown:
    """For an act's own answer; whoever only looks goes by the functions above, which say so."""
    kept = opened(row)
    return Shown(
        str(row.pk), kept.address, row.method, row.source, row.state, row.pinned, kept.fingerprint, row.not_after,
        row.found_at, row.changed_at, row.seen_at, row.used_at, renews,
    )  # fmt: skip
