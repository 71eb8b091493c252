"""How long the content of an organisation's messages is kept; the evidence about them is kept longer (DESIGN 5)."""

import uuid
from typing import Final

from carepost.tenancy import names, scope
from carepost.tenancy.act import act
from carepost.tenancy.models import Retention
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: six years, where nobody has said otherwise: as long as 45 CFR 164.316(b)(2)(i) wants documentation kept
DEFAULT: Final = 2192
_MOST: Final = 36_500


def content_days(org: uuid.UUID) -> int:
    """0: for ever."""
    with scope.organisation(org):
        row = Retention.objects.filter(org_id=org).first()
    return DEFAULT if row is None else row.content_days


def evidence_days(org: uuid.UUID) -> int:
    """How long events and recipients' addresses are kept: as long as content, and six years at least (45 CFR
    164.316(b)(2)(i)). 0: for ever."""
    days = content_days(org)
    return max(days, DEFAULT) if days else 0


def keep_content(org: uuid.UUID, days: int, *, actor: Actor, reason: str) -> None:
    """Content older than `days` is disposed of within a day, for good; 0 keeps all. Legal hold comes first."""
    if not 0 <= days <= _MOST:
        raise names.Wrong("bad-days", f"Content is kept 0 (for ever) to {_MOST} days.")
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.ORGANISATION, actor=actor) as doing:
        row = Retention.objects.filter(org_id=org).first() or Retention(org_id=org, content_days=DEFAULT)
        old, row.content_days, row.changed_at = row.content_days, days, doing.at
        row.save()
        values = {"old": str(old), "new": str(days), "reason": why}
        doing.event("org.changed", on=[org], facts={"setting": "content-days"}, values=values)
