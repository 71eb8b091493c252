"""Every table whose rows follow the index key or the portal key (`tenancy.retokening`): this room is the highest that
has one, and so names them all.

A copy that was fetched from holds no address: its domain is read again from the log, where the recipient stands sealed.
What the log does not say any more is not compared any more."""

from collections.abc import Sequence
from typing import Final

from carepost.archive.store import store
from carepost.engagement import known
from carepost.engagement.models import Copy
from carepost.keyring import retokening as keyring
from carepost.mailbox import retokening as mailbox
from carepost.tenancy.address_tokens import Standing
from carepost.tenancy.retokening import Place


def copies(row: Copy, keys: Standing, _at: int) -> Sequence[str]:
    domain = known.domain_of(store(), row.org_id, row.delivery)
    row.domain, row.under = (keys.domains(domain)[0], keys.version) if domain else (b"", 0)
    return ("domain", "under")


PLACES: Final = (*keyring.PLACES, *mailbox.PLACES, Place("copies that were opened or clicked", Copy, copies))
