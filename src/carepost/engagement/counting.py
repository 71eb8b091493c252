"""How many copies left marked, by day and category: counted once each, from the organisation's log."""

import uuid
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from carepost.audit import reader
from carepost.audit.store import Store
from carepost.engagement import acts
from carepost.engagement.models import Account, Sent, Watch
from carepost.ground import ids
from carepost.proof import event as events
from carepost.proof import kinds
from carepost.tenancy import scope

#: leaves of one step
STEP: Final = 2_000
_DAY_US: Final = 86_400_000_000
_MARK: Final = b'"tracked"'


class Counting:
    """`step` in one thread."""

    def __init__(self, store: Store) -> None:
        """`store`: a connection of the thread's own."""
        self._store = store

    def step(self) -> int:
        """How many leaves were looked at, of all organisations that watch, or did."""
        with scope.every("organisations that watch opens or clicks are counted for"):
            watching = set(Watch.objects.values_list("org_id", flat=True))
            begun = {row.org_id: row.leaf for row in Account.objects.all()}
        looked = 0
        for org in sorted({*watching, *(org for org, leaf in begun.items() if leaf >= 0)}):
            leaf = begun.get(org, -1)
            if leaf < 0:
                leaf = self._first(org)
            if leaf >= 0:
                looked += self._from(org, leaf)
        return looked

    def _first(self, org: uuid.UUID) -> int:
        """The leaf that tells of the first watching; -1: it does not stand in the log yet."""
        told = reader.events_on(self._store, org.bytes, ids.text(org.bytes))
        return next((one.index for one in told if one.event.kind == acts.WATCHED), -1)

    def _from(self, org: uuid.UUID, leaf: int) -> int:
        with self._store.reading(org.bytes):
            rows = self._store.rows(
                "SELECT idx, event FROM audit_leaf WHERE org = ? AND idx >= ? ORDER BY idx LIMIT ?",
                (org.bytes, leaf, STEP),
            )
        if not rows:
            return 0
        found: dict[tuple[int, str, str], int] = {}
        for _, raw in rows:
            if raw is None or _MARK not in bytes(raw):
                continue
            event = events.read(bytes(raw))
            if event.kind == kinds.DELIVERY_SENT:
                for what in event.facts.get("tracked", "").split():
                    key = (event.at // _DAY_US, event.category, what)
                    found[key] = found.get(key, 0) + 1
        with scope.organisation(org), transaction.atomic():
            account, _ = Account.objects.select_for_update().get_or_create(org_id=org)
            if account.leaf > leaf:
                return 0
            for (day, category, what), count in found.items():
                named: dict[str, Any] = {"org_id": org, "day": day, "category": category, "what": what}
                Sent.objects.get_or_create(**named)
                Sent.objects.filter(**named).update(count=F("count") + count)
            Account.objects.filter(pk=account.pk, org_id=org).update(leaf=int(rows[-1][0]) + 1)
            # COMMIT POINT: before it these leaves are counted again; after it they are counted
        return len(rows)
