"""How people outside get their tokens anew after a change of the portal key (`tenancy.retokening`, decision 0059)."""

from collections.abc import Sequence
from typing import Final

from carepost.mailbox import people, sealing
from carepost.mailbox.models import Challenge, Deposit, Mailed, PortalSession, Recipient, Thread
from carepost.tenancy import retokening
from carepost.tenancy.address_tokens import Standing

#: what belongs to a person
_THEIRS: Final = (Thread, Deposit, Challenge, PortalSession)


def recipients(row: Recipient, keys: Standing, _at: int) -> Sequence[str]:
    """What the hourly limit counted goes along. Who stands there twice, made by a node of a version before while two
    ran side by side, becomes one."""
    before, after = bytes(row.token), sealing.address_tokens_of(keys, people.address(row))[0]
    Mailed.objects.filter(org_id=row.org_id, token=before).update(token=after)
    other = Recipient.objects.filter(org_id=row.org_id, token=after).exclude(pk=row.pk).first()
    if other is None:
        row.token, row.under = after, keys.version
        return ("token", "under")
    for table in _THEIRS:
        table._default_manager.filter(org_id=row.org_id, recipient=row).update(recipient=other)
    if row.quiet and not other.quiet:
        other.quiet = True
        other.save(update_fields=["quiet"])
    row.delete()
    return ()


PLACES: Final = (retokening.Place("people in the portal", Recipient, recipients, sealing.PURPOSE),)
