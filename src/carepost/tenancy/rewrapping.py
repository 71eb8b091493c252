"""Keys in tables, brought under the newest master key a few at a time (DESIGN 5): each row alone, so that a crash
leaves every key opened by one version or the other, and the next step goes on."""

import uuid
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from django.db import transaction

from carepost.ground import log, orgkeys
from carepost.ground.keys import PurposeKeys, WrongKey, version_of
from carepost.tenancy import scope
from carepost.tenancy.models import DkimKey, OrgKey

#: rows looked at in one step
STEP: Final = 100


class Place(NamedTuple):
    """A table whose column `wrapped` is under a purpose's key."""

    table: Any
    purpose: Callable[[Any], str]
    aad: Callable[[Any], bytes]
    related: tuple[str, ...] = ()


def _dkim_aad(row: DkimKey) -> bytes:
    return b"dkim|" + row.org_id.bytes + b"|" + row.domain.domain.encode() + b"|" + row.selector.encode()


#: rooms above add theirs when their models are loaded
PLACES: Final = [
    Place(OrgKey, lambda row: str(row.purpose), lambda row: orgkeys.aad(row.org_id.bytes, row.purpose, row.version)),
    Place(DkimKey, lambda _: "dkim", _dkim_aad, ("domain",)),
]


class Walk:
    """`step` until it answers None. After a restart a new walk begins again: what is done is passed over."""

    def __init__(self, keys: PurposeKeys) -> None:
        """`keys`: with every purpose of the tables."""
        self._keys = keys
        self._place = 0
        self._after = uuid.UUID(int=0)

    def step(self) -> int | None:
        """How many keys were wrapped anew; None: the walk is over."""
        if self._place >= len(PLACES):
            return None
        place = PLACES[self._place]
        with scope.every("the master key is the installation's, and wraps the keys of every organisation"):
            rows = place.table.objects.select_related(*place.related) if place.related else place.table.objects
            found = list(rows.filter(pk__gt=self._after).order_by("pk")[:STEP])
            done = sum(self._one(place, row) for row in found)
        if len(found) < STEP:
            self._place, self._after = self._place + 1, uuid.UUID(int=0)
        else:
            self._after = found[-1].pk
        return done

    def _one(self, place: Place, row: Any) -> bool:
        old = bytes(row.wrapped)
        try:
            new = self._keys.rewrap(place.purpose(row), old, place.aad(row))
        except WrongKey as error:
            # one that nothing opens must not keep the others from being done; `left` goes on counting it
            log.failure("key-not-rewrapped", error, row=str(row.pk))
            return False
        if new is None:
            return False
        with transaction.atomic():
            # COMMIT POINT: before it the row opens by its former version, after it by the newest; both are at hand
            return bool(place.table.objects.filter(pk=row.pk, wrapped=old).update(wrapped=new))


def left(current: int) -> int:
    """Keys that an older version still wraps."""
    with scope.every("the master key is the installation's, and wraps the keys of every organisation"):
        return sum(
            version_of(bytes(wrapped)) != current
            for place in PLACES
            for wrapped in place.table.objects.values_list("wrapped", flat=True).iterator(chunk_size=500)
        )
