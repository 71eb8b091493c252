"""After a change of the index or portal key: rows without a day get their tokens anew from the address they hold
sealed, a few at a time, until nothing stands under the former key (decisions 0039, 0059). Called by the journal.

Every batch is a transaction under the organisation's lock, which every writer of these rows takes: a crash leaves each
row under one key or the other, both are asked, and the next step goes on. The oldest key is emptied first."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from django.db import IntegrityError, transaction

from carepost.ground import clock, log
from carepost.ground.errors import CarepostError, NotFound
from carepost.tenancy import address_tokens, scope
from carepost.tenancy.act import act
from carepost.tenancy.actions import suppression
from carepost.tenancy.address_tokens import INDEX, PORTAL, Standing
from carepost.tenancy.models import Organisation, OrgKey, Suppression
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: rows of one transaction; seconds between looks for keys that must be emptied
STEP: Final = 100
_LOOK_S: Final = 10.0
#: from a key's end to the end of what engines drop by: by then each has read that, or starts anew
SETTLED_US: Final = 600_000_000
#: after rows that nothing opens: not in every round
_AGAIN_US: Final = 3_600_000_000
_ACTOR: Final = Actor("system", "journal")
#: whose keys make tokens without a day
PURPOSES: Final = (INDEX, PORTAL)
_Which = tuple[uuid.UUID, str]


class Place(NamedTuple):
    """A table whose rows have `under`, and tokens of an address that they hold."""

    name: str
    table: Any
    #: gives the row what it has under the newest key and names the fields; raises CarepostError where it is unreadable
    move: Callable[[Any, Standing, int], Sequence[str]]
    #: of the key that makes the tokens
    purpose: str = INDEX


def _suppression(row: Suppression, keys: Standing, at: int) -> Sequence[str]:
    suppression.retoken(row, keys, suppression.address_of(row))
    row.changed_at = at
    return ("token", "under", "former", "changed_at")


SUPPRESSION: Final = Place("suppression list", Suppression, _suppression)


class Work:
    """`step` a round: at most one batch of one organisation, in turn."""

    def __init__(self, places: Sequence[Place]) -> None:
        """`places`: all there are (`engagement.retokening.PLACES`); a table that is missing here would be forgotten."""
        self._places = {purpose: of(places, purpose) for purpose in PURPOSES}
        self._looked_at = -_LOOK_S
        #: organisation, purpose
        self._waiting: list[_Which] = []
        #: where the walk through an organisation's rows is: (version, place, after)
        self._at: dict[_Which, tuple[int, int, uuid.UUID]] = {}
        self._again: dict[_Which, int] = {}
        self._settled: set[_Which] = set()

    def step(self) -> int:
        """How many rows got their tokens anew."""
        if not self._waiting:
            if clock.monotonic() - self._looked_at < _LOOK_S:
                return 0
            self._looked_at = clock.monotonic()
            self._waiting = self._look()
            if not self._waiting:
                return 0
        which = self._waiting.pop(0)
        try:
            moved, more = self._one(which)
        except NotFound:
            return 0
        if more:
            self._waiting.append(which)
        return moved

    def _look(self) -> list[_Which]:
        """Keys that are retired and not empty, or (of an index) empty and not settled."""
        with scope.every("the index and portal keys of every organisation are changed"):
            rows = OrgKey.objects.filter(purpose__in=PURPOSES, retired_at__gt=0, org__closed_at=0)
            found = list(rows.order_by("org_id").values_list("org_id", "purpose", "emptied_at"))
            now = clock.now()
            busy = {
                (org, purpose)
                for org, purpose, emptied in found
                if not emptied or (purpose == INDEX and (org, purpose) not in self._settled)
            }
        return sorted(one for one in busy if self._again.get(one, 0) <= now)

    def _one(self, which: _Which) -> tuple[int, bool]:
        """(rows moved, whether to come again at once)."""
        org, purpose = which
        with scope.organisation(org):
            keys = list(OrgKey.objects.filter(org_id=org, purpose=purpose).order_by("version"))
        standing = [row for row in keys if not row.emptied_at]
        before = max((row.emptied_at for row in keys), default=0)
        if purpose == INDEX and before and clock.now() < before + SETTLED_US:
            # what engines drop by is one token a row: the next key waits until they have read of this one
            return 0, False
        if len(standing) < 2:
            return self._settle(org) if purpose == INDEX else (0, False)
        return self._batch(which, standing[0])

    def _batch(self, which: _Which, oldest: OrgKey) -> tuple[int, bool]:
        self._settled.discard(which)
        org, purpose = which
        places = self._places[purpose]
        version, number, after = self._at.get(which, (0, 0, uuid.UUID(int=0)))
        if version != oldest.version:
            number, after = 0, uuid.UUID(int=0)
        if number >= len(places):
            self._at.pop(which, None)
            if not empty(places, org, oldest.version, purpose):
                # what nothing opens keeps its key in use; `left` goes on counting it
                self._again[which] = clock.now() + _AGAIN_US
            return 0, False
        place = places[number]
        with scope.organisation(org), transaction.atomic(durable=True):
            _lock(org)
            rows = place.table.objects.filter(org_id=org, under=oldest.version, pk__gt=after).order_by("pk")
            found = list(rows[:STEP])
            keys = address_tokens.standing(org, purpose)
            moved = sum(_move(place, row, keys) for row in found)
            # COMMIT POINT: before it these rows stand under the former key, after it under the newest; both are asked
        if len(found) < STEP:
            number, after = number + 1, uuid.UUID(int=0)
        else:
            after = found[-1].pk
        self._at[which] = (oldest.version, number, after)
        return moved, True

    def _settle(self, org: uuid.UUID) -> tuple[int, bool]:
        """Nothing is left of the former tokens, once every engine has dropped them."""
        with scope.organisation(org), transaction.atomic(durable=True):
            _lock(org)
            rows = Suppression.objects.filter(org_id=org).exclude(former=b"").order_by("pk")
            some = list(rows.values_list("pk", flat=True)[: STEP * 10])
            Suppression.objects.filter(org_id=org, pk__in=some).update(former=b"")
        if len(some) == STEP * 10:
            return 0, True
        self._settled.add((org, INDEX))
        return 0, False


def _lock(org: uuid.UUID) -> None:
    """As `act` does. Raises NotFound for an organisation that is closed."""
    if Organisation.objects.select_for_update().filter(pk=org, closed_at=0).first() is None:
        raise NotFound


def _move(place: Place, row: Any, keys: Standing) -> bool:
    try:
        with transaction.atomic():
            row.save(update_fields=list(place.move(row, keys, clock.now())))
    except (CarepostError, IntegrityError) as error:
        # one that nothing opens must not keep the others from being done
        log.failure("row-not-retokened", error, row=str(row.pk))
        return False
    return True


def of(places: Sequence[Place], purpose: str) -> tuple[Place, ...]:
    return tuple([one for one in places if one.purpose == purpose])


def left(places: Sequence[Place], org: uuid.UUID, version: int, purpose: str = INDEX) -> dict[str, int]:
    """How many rows of each table stand under this version of the purpose's key; only those that have any."""
    with scope.organisation(org):
        counts = {one.name: one.table.objects.filter(org_id=org, under=version).count() for one in of(places, purpose)}
    return {name: count for name, count in counts.items() if count}


def empty(places: Sequence[Place], org: uuid.UUID, version: int, purpose: str = INDEX) -> bool:
    """The key makes and finds no token without a day any more, where no row stands under it: with its event. False
    where one does."""
    if left(places, org, version, purpose):
        return False
    with act(org, Permission.ORGANISATION, actor=_ACTOR) as doing:
        row = OrgKey.objects.get(org_id=org, purpose=purpose, version=version)
        row.emptied_at = doing.at
        row.save(update_fields=["emptied_at"])
        doing.event("orgkey.emptied", on=[row.pk], facts={"key": purpose, "version": str(version)})
        doing.tell_engine()
        # COMMIT POINT: before it the key is asked though nothing stands under it, after it no more
    return True


class Behind(msgspec.Struct, frozen=True):
    """A former key under which rows still stand. `rows`: (table in words, how many)."""

    version: int
    rows: tuple[tuple[str, int], ...]

    @property
    def words(self) -> str:
        return ", ".join(f"{name}: {count:,}" for name, count in self.rows) or "nothing any more"


def behind(places: Sequence[Place], org: uuid.UUID, purpose: str = INDEX) -> tuple[Behind, ...]:
    """The former keys of a purpose that are asked still, oldest first; none where the organisation never changed it."""
    with scope.organisation(org):
        found = OrgKey.objects.filter(org_id=org, purpose=purpose, retired_at__gt=0, emptied_at=0)
        versions = sorted(found.values_list("version", flat=True))
    return tuple([Behind(one, tuple(left(places, org, one, purpose).items())) for one in versions])
