"""The letter that says that recipients' keys changed: mail for them is held until somebody decides. Called by the
journal. It is made of constants and a count: whose keys they are stands in the console."""

from typing import Final

from django.db import transaction

from carepost.keyring.acts import CHANGED
from carepost.keyring.models import RecipientKey
from carepost.tenancy import letters, scope, select
from carepost.tenancy.letters import HOUR_US, Door
from carepost.tenancy.models import Organisation

_TEXT: Final = (
    "Another key was found for recipients whose key is known.\r\n\r\n"
    "- Recipients' keys that differ: {count}.\r\n\r\n"
    "Messages for them that have to be encrypted wait until somebody decides which key holds. Ask each of them by\r\n"
    "telephone: a key that differs may be a new one, or somebody else's.\r\n\r\n"
    "Which recipients these are stands in the console under Certificates{where}.\r\n"
)


def mail(door: Door, now: int, where: str = "") -> int:
    """Tells each organisation's alert address what nobody was told yet; how many letters. `where`: the console's
    address. Raises Unavailable, Refused: what was not taken is tried again."""
    return sum(_mail(org, door, now, where) for org in select.organisations() if org.alerts)


def _mail(org: Organisation, door: Door, now: int, where: str) -> int:
    with scope.organisation(org.pk):
        mine = RecipientKey.objects.filter(org_id=org.pk)
        fresh = list(mine.filter(state=CHANGED, told_at=0).order_by("pk").values_list("pk", flat=True)[:1000])
        if not fresh:
            return 0
        last = mine.order_by("-told_at").values_list("told_at", flat=True).first() or 0
    if now - last < HOUR_US:
        return 0
    text = _TEXT.format(count=len(fresh), where=f" ({where}/certificates?attention=1)" if where else "")
    key, subject = f"keyring:{org.pk}:{fresh[-1]}", "Keys of recipients need your eyes"
    if not letters.tell(org, door, key=key, to=[org.alerts], subject=subject, text=text):
        return 0
    # COMMIT POINT: a crash before it sends the same letter again under the same key, which the door knows.
    with scope.organisation(org.pk), transaction.atomic():
        RecipientKey.objects.filter(org_id=org.pk, pk__in=fresh).update(told_at=now)
    return 1
