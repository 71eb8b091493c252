"""New sending addresses day by day: what they did, and what they may do next (`pace.warmup`). The journal counts."""

import uuid
from collections.abc import Mapping
from typing import Final

from django.db import transaction
from django.db.models import F

from carepost.destinations.models import Asked, Bounce, SendingAddress, WarmDay
from carepost.pace import warmup
from carepost.pace.warmup import Day
from carepost.tenancy import scope
from carepost.tenancy.act import act
from carepost.tenancy.models import OrgEpoch
from carepost.tenancy.permissions import Permission
from carepost.wire.pacing import Noticed
from carepost.wire.types import Actor

DAY_US: Final = 86_400_000_000
#: replies that say the address is believed too little: the plan goes back to half
NAMED: Final = frozenset({"gmail-rate", "yahoo-ts04", "yahoo-tss04", "yahoo-tss05", "microsoft-listed", "ip-deferred"})
#: days that are kept
_KEPT: Final = 60
_ACTOR: Final = Actor("system", "journal")


def asked(org: uuid.UUID, said: Noticed) -> bool:
    """A provider asked for less: it holds for every engine. Told again, nothing happens again. The event is the
    engine's own (`provider.asked`)."""
    with scope.organisation(org), transaction.atomic(durable=True):
        row = Asked.objects.filter(
            org_id=org, source=said.source, provider=said.provider, reaction=said.reaction
        ).first()
        if row is not None and row.since >= said.since:
            return False
        row = row or Asked(org_id=org, source=said.source, provider=said.provider, reaction=said.reaction)
        row.since, row.until, row.lifted_at, row.lifted_by = said.since, said.until, 0, ""
        row.save()
        if said.reaction in NAMED:
            WarmDay.objects.filter(
                org_id=org, ip=said.source, provider=warmup.group(said.provider), day=said.since // DAY_US
            ).update(named=True)
        # COMMIT POINT: before it no engine but the one that was told knows; the effect comes again. After it all do.
        OrgEpoch.objects.filter(org=org).update(epoch=F("epoch") + 1)
    return True


def count(org: uuid.UUID, ip: str, provider: str, day: int, counts: Mapping[str, int]) -> None:
    """`counts`: delivered, deferred, hard of one address at one provider; nothing for an address that is not new."""
    with scope.organisation(org), transaction.atomic(durable=True):
        address = SendingAddress.objects.filter(org_id=org, ip=ip, warms_from__gt=0).first()
        if address is None:
            return
        row = WarmDay.objects.filter(org_id=org, ip=ip, provider=provider, day=day).first()
        if row is None:
            row = WarmDay(org_id=org, ip=ip, provider=provider, day=day, cap=_cap(address, provider, day))
        for name, number in counts.items():
            setattr(row, name, getattr(row, name) + number)
        row.save()


def plan(now: int) -> int:
    """What each new address may send today, once a day and again when there is something newer; how many changed."""
    today = now // DAY_US
    with scope.every("new sending addresses of every organisation"):
        rows = list(SendingAddress.objects.filter(warms_from__gt=0).order_by("org_id", "ip"))
        done = set(WarmDay.objects.filter(day=today).values_list("org_id", "ip", "provider"))
        known = set(WarmDay.objects.filter(day__gte=today - _KEPT).values_list("org_id", "ip", "provider"))
    changed = 0
    for row in rows:
        for provider in sorted(p for org, ip, p in known - done if (org, ip) == (row.org_id, row.ip)):
            _begin(row, provider, today)
            changed += 1
    return changed


def _begin(address: SendingAddress, provider: str, today: int) -> None:
    org = address.org_id
    with act(org, Permission.SENDING, actor=_ACTOR) as doing:
        _complaints(org, address.ip, provider)
        cap = _cap(address, provider, today)
        row, _ = WarmDay.objects.get_or_create(
            org_id=org, ip=address.ip, provider=provider, day=today, defaults={"cap": cap}
        )
        WarmDay.objects.filter(org_id=org, ip=address.ip, day__lt=today - _KEPT).delete()
        facts = {"address": address.ip, "provider": provider, "count": str(cap)}
        doing.event("sending.warmed", on=[row.pk], facts=facts)
        doing.tell_engine()


def _complaints(org: uuid.UUID, ip: str, provider: str) -> None:
    """Nobody says which address a complaint is about: every new one of the organisation pauses for it."""
    last = WarmDay.objects.filter(org_id=org, ip=ip, provider=provider).order_by("-day").first()
    if last is None:
        return
    begin = last.day * DAY_US
    last.complained = Bounce.objects.filter(org_id=org, kind="complaint", at__gte=begin, at__lt=begin + DAY_US).count()
    last.save(update_fields=["complained"])


def _cap(address: SendingAddress, provider: str, today: int) -> int:
    before = WarmDay.objects.filter(
        org_id=address.org_id, ip=address.ip, provider=provider, day__lt=today, day__gte=address.warms_from
    ).order_by("-day")[: warmup.IDLE]
    days = [
        Day(one.day, one.cap, one.delivered, one.deferred, one.hard, one.complained, one.named)
        for one in reversed(before)
    ]
    return warmup.cap(days, today, usual=address.usual)
