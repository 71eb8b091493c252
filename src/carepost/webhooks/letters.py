"""The letter that says that an endpoint is told nothing any more. Called by the journal. Made of constants and a count:
which endpoint it is stands in the console."""

from typing import Final

from django.db import transaction

from carepost.tenancy import letters, scope, select
from carepost.tenancy.letters import Door
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import Permission
from carepost.webhooks.models import DISABLED, Endpoint

_TEXT: Final = (
    "Webhooks that are told nothing any more: {count}.\r\n\r\n"
    "Their address did not take anything for a day, or answered that it is gone. Programs that wait for news of your "
    "mail get none there.\r\n\r\n"
    "Which they are, and what the address answered, stands in the console under Webhooks{where}. When it is mended, "
    "press Resume there: everything that happened meanwhile is told then.\r\n"
)


def mail(door: Door, now: int, where: str = "") -> int:
    """Tells each organisation's administrators what nobody was told yet; how many letters. `where`: the console's
    address. Raises Unavailable, Refused: what was not taken is tried again."""
    with scope.every("endpoints of every organisation may have been disabled"):
        orgs = set(
            Endpoint.objects.filter(state=DISABLED, told_at=0, removed_at=0).values_list("org_id", flat=True)[:1000]
        )
    if not orgs:
        return 0
    return sum(_mail(org, door, now, where) for org in select.organisations() if org.pk in orgs)


def _mail(org: Organisation, door: Door, now: int, where: str) -> int:
    with scope.organisation(org.pk):
        mine = Endpoint.objects.filter(org_id=org.pk, state=DISABLED, removed_at=0)
        fresh = list(mine.filter(told_at=0).order_by("state_at", "pk"))
        to = [org.alerts] if org.alerts else letters.holders(org, Permission.WEBHOOKS)
    if not fresh:
        return 0
    text = _TEXT.format(count=len(fresh), where=f" ({where}/webhooks)" if where else "")
    key = f"webhooks:{org.pk}:{fresh[-1].pk}:{fresh[-1].state_at}"
    sent = letters.tell(org, door, key=key, to=to, subject="A webhook was disabled", text=text)
    if sent:
        # COMMIT POINT: a crash before it hands in the same letters again under the same keys, which the door knows.
        with scope.organisation(org.pk), transaction.atomic():
            mine.filter(pk__in=[row.pk for row in fresh]).update(told_at=now)
    return sent
