"""Content past its organisation's retention is disposed of, day by day, a few messages at a time (DESIGN 5)."""

import uuid
from typing import Final

from carepost.archive import retention
from carepost.archive.marks import Marks
from carepost.archive.models import Delivery, Message
from carepost.audit.store import Store
from carepost.engagement import forgetting as engagement
from carepost.ground import ids, log, metrics
from carepost.mailbox import forgetting
from carepost.tenancy import scope, select
from carepost.tenancy.actions.holds import ACTIVE
from carepost.tenancy.actions.retention import content_days
from carepost.tenancy.models import LegalHold
from carepost.wire.types import Actor

_ACTOR: Final = Actor("system", "journal")
_DAY_US: Final = 86_400_000_000
#: messages looked at in one step
STEP: Final = 100
#: their content is still needed
_MOVING: Final = ("queued", "claimed", "deferred", "held")


class Disposal:
    """`step` until it answers 0: then everything of today is done."""

    def __init__(self, store: Store, marks: Marks) -> None:
        self._store = store
        self._marks = marks
        #: organisation -> the last message looked at today; after a restart it begins again, which changes nothing
        self._after: dict[uuid.UUID, uuid.UUID] = {}

    def step(self, now: int) -> int:
        """How many messages were looked at: at most STEP of one organisation."""
        day = now // _DAY_US
        for org in select.organisations():
            name = f"retention:{org.pk}"
            if self._marks.get(name) >= day:
                continue
            days = content_days(org.pk)
            due = self._due(org.pk, now - days * _DAY_US) if days else []
            for message in due:
                self._dispose(org.pk, message, days)
                self._after[org.pk] = message
            if due:
                return len(due)
            self._after.pop(org.pk, None)
            self._marks.put(name, day)
        return 0

    def _due(self, org: uuid.UUID, before: int) -> list[uuid.UUID]:
        """Ids are in the order of time."""
        end = uuid.UUID(bytes=(max(0, before) // 1000 << 80).to_bytes(16, "big"))
        with scope.organisation(org):
            rows = Message.objects.filter(org_id=org, disposed_at=0, held_at=0, id__lt=end)
            rows = rows.filter(id__gt=self._after.get(org, uuid.UUID(int=0)))
            return list(rows.order_by("id").values_list("id", flat=True)[:STEP])

    def _dispose(self, org: uuid.UUID, message: uuid.UUID, days: int) -> None:
        with scope.organisation(org):
            if Delivery.objects.filter(org_id=org, message=message, state__in=_MOVING).exists():
                return
            if LegalHold.objects.filter(org_id=org, message=message, state__in=ACTIVE).exists():
                # asked for, and not in history yet
                return
        if forgetting.readable(org.bytes, message.bytes):
            return
        reason = f"It was kept {days} days, as the organisation's retention says."
        try:
            done = retention.dispose(self._store, org.bytes, message.bytes, actor=_ACTOR, reason=reason)
        except retention.Held:
            # placed since it was looked for
            return
        if done:
            forgetting.message(org.bytes, message.bytes)
            engagement.forget(org.bytes, message.bytes)
            metrics.count("journal_disposed")
        else:
            log.event("disposal-unreadable", message=ids.text(message.bytes))
