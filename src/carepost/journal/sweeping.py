"""Rows that have had their time: expired sessions of staff and recipients, used sign-in links, counts of notices,
messages begun and left, features of hits on links.

What is evidence is never among them: each of these stands in the log as an event."""

from datetime import UTC, datetime
from typing import Final

from django.contrib.sessions.models import Session
from django.db.models import Q

from carepost.drafts import acts as drafts
from carepost.engagement import forgetting as engagement
from carepost.jobs import acts as jobs
from carepost.mailbox import forgetting
from carepost.tenancy import select
from carepost.tenancy.models import SignInLink
from carepost.uploads import acts as uploads

#: a used or expired link is kept so long, so that whoever tries it is told what became of it
_LINKS_US: Final = 30 * 86_400_000_000


def sweep(now: int) -> int:
    """How many rows went. `now`: UTC microseconds."""
    gone, _ = Session.objects.filter(expire_date__lt=datetime.fromtimestamp(now / 1e6, UTC)).delete()
    old = now - _LINKS_US
    links, _ = SignInLink.objects.filter(Q(expires_at__lt=old) | Q(used_at__gt=0, used_at__lt=old)).delete()
    begun = sum(drafts.ended(org.pk, now) for org in select.organisations())
    begun += sum(uploads.ended(org.pk, now) + jobs.ended(org.pk, now) for org in select.organisations())
    begun += engagement.sweep(now)
    return gone + links + begun + sum(forgetting.ended(org.pk.bytes) for org in select.organisations())
