"""The letter that says that recipients' keys changed: mail for them is held until somebody decides. Called by the
journal. It is made of constants and a count: whose keys they are stands in the console."""

from typing import Final, Protocol

from django.db import transaction

from carepost.intake.letters import letter
from carepost.keyring.acts import CHANGED
from carepost.keyring.models import RecipientKey
from carepost.tenancy import scope, select
from carepost.tenancy.models import Organisation
from carepost.wire.types import Accepted, Actor, Submission

#: between two letters to one organisation
HOUR_US: Final = 3_600_000_000
_ACTOR: Final = Actor("system", "journal")
_TEXT: Final = (
    "Another key was found for recipients whose key is known.\r\n\r\n"
    "- Recipients' keys that differ: {count}.\r\n\r\n"
    "Messages for them that have to be encrypted wait until somebody decides which key holds. Ask each of them by\r\n"
    "telephone: a key that differs may be a new one, or somebody else's.\r\n\r\n"
    "Which recipients these are stands in the console under Certificates{where}.\r\n"
)


class Door(Protocol):
    """The one door (`intake.client.Client`). Raises Unavailable, Refused."""

    def accept(self, submission: Submission) -> Accepted: ...


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
        domain = next((row.domain for row in select.domains(org.pk)), "")
    if not domain or now - last < HOUR_US:
        return 0
    door.accept(
        letter(
            org.pk.bytes,
            key=f"keyring:{org.pk}:{fresh[-1]}",
            name=org.notice_name or org.name,
            domain=domain,
            to=org.alerts,
            subject="Keys of recipients need your eyes",
            text=_TEXT.format(count=len(fresh), where=f" ({where}/certificates?attention=1)" if where else ""),
            actor=_ACTOR,
        )
    )
    # COMMIT POINT: a crash before it sends the same letter again under the same key, which the door knows.
    with scope.organisation(org.pk), transaction.atomic():
        RecipientKey.objects.filter(org_id=org.pk, pk__in=fresh).update(told_at=now)
    return 1
