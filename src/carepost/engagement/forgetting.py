"""How long hits are kept: features go with the content of their message, and after LIFE at the latest; verdicts, which
say nothing of who or where, stay as long as the evidence."""

import uuid
from typing import Final

from django.db import transaction

from carepost.archive.models import Message
from carepost.engagement.models import Copy, Hit, Sent, Session
from carepost.tenancy import scope, select
from carepost.tenancy.actions.retention import evidence_days

_DAY_US: Final = 86_400_000_000
#: of features, whatever is kept of messages: links end then too
LIFE_US: Final = 400 * _DAY_US
#: rows of one step
STEP: Final = 1_000


def forget(org: bytes, message: bytes) -> int:
    """The content of a message was disposed of: so are the features of hits on it. How many."""
    owner = uuid.UUID(bytes=org)
    with scope.organisation(owner), transaction.atomic():
        copies = Copy.objects.filter(org_id=owner, message=uuid.UUID(bytes=message)).values_list("delivery", flat=True)
        return Hit.objects.filter(org_id=owner, delivery__in=list(copies)).delete()[0]


def sweep(now: int) -> int:
    """What is over by time, a bounded number. How many rows went."""
    gone = 0
    for org in select.organisations():
        days = evidence_days(org.pk)
        with scope.organisation(org.pk), transaction.atomic():
            old = Hit.objects.filter(org_id=org.pk, at__lte=now - LIFE_US).exclude(delivery__in=_held(org.pk))
            hits = old.values_list("pk", flat=True)[:STEP]
            gone += Hit.objects.filter(org_id=org.pk, pk__in=list(hits)).delete()[0]
            ended = Session.objects.filter(org_id=org.pk, at__lte=now - LIFE_US).values_list("pk", flat=True)[:STEP]
            gone += Session.objects.filter(org_id=org.pk, pk__in=list(ended)).delete()[0]
            if days:
                over = Copy.objects.filter(org_id=org.pk, day__gt=0, day__lt=now // _DAY_US - days)
                gone += Copy.objects.filter(
                    org_id=org.pk, pk__in=list(over.values_list("pk", flat=True)[:STEP])
                ).delete()[0]
                gone += Sent.objects.filter(org_id=org.pk, day__lt=now // _DAY_US - days).delete()[0]
    return gone


def _held(org: uuid.UUID) -> list[uuid.UUID]:
    """Copies of messages under legal hold: they stay whole."""
    held = list(Message.objects.filter(org_id=org, held_at__gt=0).values_list("id", flat=True))
    return list(Copy.objects.filter(org_id=org, message__in=held).values_list("delivery", flat=True)) if held else []
