"""Letters about sender domains: records that were right and are wrong, and keys that are to be published. Called by the
journal. Made of constants and counts: which domain it is stands in the console."""

from typing import Final

import msgspec
from django.db import transaction

from carepost.senders.models import Check, Choice
from carepost.tenancy import letters, scope, select
from carepost.tenancy.letters import Door
from carepost.tenancy.models import DkimKey, Organisation
from carepost.tenancy.permissions import Permission

_TURNED: Final = (
    "Records of your sender domains in DNS that were right yesterday are not right now, or protect less than they "
    "did: {count}.\r\n\r\n"
    "Receivers may put your mail aside, or let mail of others in your name through, until they are mended. Nothing was "
    "changed here because of it: mail is signed and protected as before.\r\n\r\n"
    "Which they are, what stood there and what stands there now, is in the console under Domains{where}, and is said "
    "by: carepost domain check DOMAIN, and carepost domain history DOMAIN\r\n"
)
_NEXT: Final = (
    "By their schedule, new keys were made that your mail will be signed with. Domains: {count}.\r\n\r\n"
    "Publish their records in DNS: they stand in the console under Domains{where}, and are said by: "
    "carepost domain records DOMAIN\r\n\r\n"
    "Mail is signed with the former keys until DNS shows the new ones; then signing changes by itself. Leave the "
    "former records in DNS until the console says that they may go.\r\n"
)


def mail(door: Door, now: int, where: str = "") -> int:
    """Tells each organisation what nobody was told yet; how many letters. `where`: the console's address. Raises
    Unavailable, Refused: what was not taken is tried again."""
    with scope.every("records of every organisation's domains may have turned, and keys may wait"):
        turned = set(Check.objects.exclude(turned="[]").values_list("org_id", flat=True)[:1000])
        waiting = DkimKey.objects.filter(active_at=0, retired_at=0, domain__removed_at=0)
        scheduled = set(Choice.objects.filter(rotate_days__gt=0).values_list("org_id", flat=True))
        waits = set(waiting.values_list("org_id", flat=True)[:1000]) & scheduled
    if not turned and not waits:
        return 0
    link = f" ({where}/domains)" if where else ""
    sent = 0
    for org in select.organisations():
        sent += _turned(org, door, link) if org.pk in turned else 0
        sent += _next(org, door, now, link) if org.pk in waits else 0
    return sent


def _to(org: Organisation) -> list[str]:
    return [org.alerts] if org.alerts else letters.holders(org, Permission.DOMAINS)


def _turned(org: Organisation, door: Door, link: str) -> int:
    with scope.organisation(org.pk):
        fresh = list(Check.objects.filter(org_id=org.pk).exclude(turned="[]").order_by("pk"))
        to = _to(org)
    count = sum(len(msgspec.json.decode(row.turned, type=list[str])) for row in fresh)
    if not count:
        return 0
    key = f"domains:{org.pk}:{max(row.at for row in fresh)}"
    text = _TURNED.format(count=count, where=link)
    sent = letters.tell(org, door, key=key, to=to, subject="Records of your domains are not right", text=text)
    if sent:
        # COMMIT POINT: a crash before it hands in the same letters again under the same keys, which the door knows.
        with scope.organisation(org.pk), transaction.atomic():
            for row in fresh:
                # what turned meanwhile is told by the next letter
                Check.objects.filter(org_id=org.pk, pk=row.pk, turned=row.turned).update(turned="[]")
    return sent


def _next(org: Organisation, door: Door, now: int, link: str) -> int:
    with scope.organisation(org.pk):
        fresh = []
        for row in Choice.objects.filter(org_id=org.pk, rotate_days__gt=0).order_by("pk"):
            waiting = DkimKey.objects.filter(org_id=org.pk, domain_id=row.domain_id, active_at=0, retired_at=0)
            if waiting.filter(created_at__gt=row.told_at).exists():
                fresh.append(row)
        to = _to(org)
    if not fresh:
        return 0
    key = f"domain-keys:{org.pk}:{fresh[-1].pk}:{fresh[-1].told_at}:{len(fresh)}"
    text = _NEXT.format(count=len(fresh), where=link)
    sent = letters.tell(org, door, key=key, to=to, subject="New signing keys are to be published", text=text)
    if sent:
        # COMMIT POINT: as above.
        with scope.organisation(org.pk), transaction.atomic():
            Choice.objects.filter(org_id=org.pk, pk__in=[row.pk for row in fresh]).update(told_at=now)
    return sent
