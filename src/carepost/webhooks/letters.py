"""The letter that says that an endpoint is told nothing any more. Called by the journal. Made of constants and a count:
which endpoint it is stands in the console."""

from typing import Final, Protocol

from django.db import transaction

from carepost.intake.letters import letter
from carepost.tenancy import scope, select
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import Permission, permissions_of_roles
from carepost.webhooks.models import DISABLED, Endpoint
from carepost.wire.types import Accepted, Actor, Submission

#: addresses one letter goes to at most
MOST: Final = 50
_ACTOR: Final = Actor("system", "journal")
_TEXT: Final = (
    "Webhooks that are told nothing any more: {count}.\r\n\r\n"
    "Their address did not take anything for a day, or answered that it is gone. Programs that wait for news of your "
    "mail get none there.\r\n\r\n"
    "Which they are, and what the address answered, stands in the console under Webhooks{where}. When it is mended, "
    "press Resume there: everything that happened meanwhile is told then.\r\n"
)


class Door(Protocol):
    """The one door (`intake.client.Client`). Raises Unavailable, Refused."""

    def accept(self, submission: Submission) -> Accepted: ...


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
        domain = next((row.domain for row in select.domains(org.pk)), "")
        to = [org.alerts] if org.alerts else _administrators(org)
    if not fresh or not domain or not to:
        return 0
    text = _TEXT.format(count=len(fresh), where=f" ({where}/webhooks)" if where else "")
    for number, address in enumerate(to):
        door.accept(
            letter(
                org.pk.bytes,
                key=f"webhooks:{org.pk}:{fresh[-1].pk}:{fresh[-1].state_at}:{number}",
                name=org.notice_name or org.name,
                domain=domain,
                to=address,
                subject="A webhook was disabled",
                text=text,
                actor=_ACTOR,
            )
        )
    # COMMIT POINT: a crash before it hands in the same letters again under the same keys, which the door knows.
    with scope.organisation(org.pk), transaction.atomic():
        mine.filter(pk__in=[row.pk for row in fresh]).update(told_at=now)
    return len(to)


def _administrators(org: Organisation) -> list[str]:
    found = {
        member.staff.email
        for member in select.staff(org.pk)
        if Permission.WEBHOOKS in permissions_of_roles(frozenset({member.role}))
    }
    return sorted(found)[:MOST]
