"""How recipients' and own keys get their tokens anew after a change of the index key (`tenancy.retokening`)."""

from collections.abc import Sequence
from typing import Final

from carepost.keyring import acts, own_acts, own_making
from carepost.keyring.models import OwnKey, RecipientKey
from carepost.policy.types import Method
from carepost.tenancy import retokening
from carepost.tenancy.address_tokens import Standing

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


#: this room's, and the suppression list, which belongs to no record
PLACES: Final = (
    retokening.SUPPRESSION,
    retokening.Place("recipients’ keys", RecipientKey, recipients),
    retokening.Place("own keys", OwnKey, own),
)
