"""By the clock: certificates that end, and the mail to the organisation's alert address. Called by the journal.

The mail is made of constants and counts: which domain it is about stands in the console."""

import uuid
from typing import Final

from django.db import transaction

from carepost.destinations.merging import warn
from carepost.destinations.models import Alert, Destination
from carepost.tenancy import endings, letters, scope, select
from carepost.tenancy.endings import DAY_US, STEPS
from carepost.tenancy.letters import HOUR_US, Door
from carepost.tenancy.models import Organisation

ENDING: Final = "destination.certificate-ending"
#: a destination that was not used for so long is nobody's worry
UNUSED: Final = 45 * DAY_US
_TEXT: Final = (
    "The protection of mail to other organisations needs your eyes.\r\n\r\n"
    "{lines}\r\n"
    "Nothing was sent with less protection than is required: such mail takes the next safe way, or waits.\r\n\r\n"
    "Which destinations these are, and what to do, stands in the console under Destinations{where}.\r\n"
)


def ending(now: int) -> int:
    """Warns of certificates that end within 30, 7 and 0 days, each threshold once; how many warnings."""
    with scope.every("certificates of every organisation's destinations end"):
        due = Destination.objects.filter(
            ends_at__gt=0, ends_at__lte=now + (STEPS[0] + 1) * DAY_US, used_at__gte=now - UNUSED, warned__gt=0
        )
        rows = list(due.values_list("org_id", "pk"))
    return sum(_ending(org, pk, now) for org, pk in rows)


def _ending(org: uuid.UUID, pk: uuid.UUID, now: int) -> int:
    with scope.organisation(org), transaction.atomic():
        row = Destination.objects.select_for_update().filter(org_id=org, pk=pk).first()
        if row is None:
            return 0
        due = endings.step(row.ends_at, now, row.warned)
        if due is None:
            return 0
        left, row.warned = due
        row.save(update_fields=["warned"])
        warn(row, "certificate-ending", str(left), ENDING, {"days": str(left)})
    return 1


def mail(door: Door, now: int, where: str = "") -> int:
    """Tells each organisation's alert address of what nobody was told yet; how many mails. `where`: the console's
    address. Raises Unavailable, Refused: what was not taken is tried again."""
    sent = 0
    for org in select.organisations():
        if org.alerts:
            sent += _mail(org, door, now, where)
    return sent


def _mail(org: Organisation, door: Door, now: int, where: str) -> int:
    with scope.organisation(org.pk):
        mine = Alert.objects.filter(org_id=org.pk)
        last = mine.order_by("-mailed_at").values_list("mailed_at", flat=True).first() or 0
        fresh = list(mine.filter(mailed_at=0, seen_at=0).order_by("at"))
    if not fresh or now - last < HOUR_US:
        return 0
    key, text = f"destinations:{org.pk}:{fresh[-1].pk}", _text(fresh, where)
    if not letters.tell(org, door, key=key, to=[org.alerts], subject="Destinations need your eyes", text=text):
        return 0
    # COMMIT POINT: a crash before it sends the same mail again under the same key, which the door knows.
    with scope.organisation(org.pk), transaction.atomic():
        Alert.objects.filter(org_id=org.pk, pk__in=[alert.pk for alert in fresh]).update(mailed_at=now)
    return 1


def _text(fresh: list[Alert], where: str) -> str:
    weakened = len({alert.destination_id for alert in fresh if alert.kind == "weakened"})
    ends = len({alert.destination_id for alert in fresh if alert.kind == "certificate-ending"})
    lines = ""
    if weakened:
        lines += f"- Destinations that can prove less than before: {weakened}.\r\n"
    if ends:
        lines += f"- Destinations whose certificate ends soon: {ends}.\r\n"
    return _TEXT.format(lines=lines, where=f" ({where}/destinations)" if where else "")
