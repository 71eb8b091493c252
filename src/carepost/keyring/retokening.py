"""How recipients' and own keys get their tokens anew after a change of the index key (`tenancy.retokening`)."""

import uuid
from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.keyring import acts, own_acts, own_making
from carepost.keyring.models import OwnKey, RecipientKey
from carepost.policy.types import Method
from carepost.tenancy import retokening, scope
from carepost.tenancy.address_tokens import Standing
from carepost.tenancy.models import OrgKey

_FIELDS = ("token", "mark", "under")


def recipients(row: RecipientKey, keys: Standing, _at: int) -> Sequence[str]:
    kept = acts.opened(row)
    acts.place(row, keys, kept.address, kept.fingerprint)
    return _FIELDS


def own(row: OwnKey, keys: Standing, _at: int) -> Sequence[str]:
    kept = own_acts.opened(row)
    public = own_making.public_of(Method(row.method), kept)
    own_acts.place(row, keys, kept.address if row.token else "", public)
    return _FIELDS


#: every table whose rows follow the index key
PLACES: Final = (
    retokening.SUPPRESSION,
    retokening.Place("recipients’ keys", RecipientKey, recipients),
    retokening.Place("own keys", OwnKey, own),
)


class Behind(msgspec.Struct, frozen=True):
    """A former index key under which rows still stand. `rows`: (table in words, how many)."""

    version: int
    rows: tuple[tuple[str, int], ...]

    @property
    def words(self) -> str:
        return ", ".join(f"{name}: {count:,}" for name, count in self.rows) or "nothing any more"


def behind(org: uuid.UUID) -> tuple[Behind, ...]:
    """The former index keys that are asked still, oldest first; none where the organisation never changed its key."""
    with scope.organisation(org):
        found = OrgKey.objects.filter(org_id=org, purpose="index", retired_at__gt=0, emptied_at=0)
        versions = sorted(found.values_list("version", flat=True))
    return tuple([Behind(one, tuple(retokening.left(PLACES, org, one).items())) for one in versions])
