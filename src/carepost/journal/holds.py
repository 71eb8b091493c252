"""Legal holds, carried out in history by its one writer: before anything is disposed of in the same round."""

from typing import Final

from carepost.archive import retention
from carepost.audit.store import Store
from carepost.mailbox import forgetting
from carepost.tenancy import scope
from carepost.tenancy.models import LegalHold

#: holds of one round
STEP: Final = 200


def step(store: Store) -> int:
    """How many were placed or lifted. One whose message was disposed of before is marked so: nobody is told that
    something is kept which is gone."""
    with scope.every("legal holds of every organisation are carried out by one journal"):
        rows = list(LegalHold.objects.filter(state__in=("placing", "lifting")).order_by("pk")[:STEP])
    for row in rows:
        placing = row.state == "placing"
        there = retention.mark(store, row.org_id.bytes, row.message.bytes, row.placed_at if placing else 0)
        if not placing:
            # before the state says so: a crash in between does it again
            forgetting.lifted(row.org_id.bytes, row.message.bytes)
        state = ("placed" if there else "late") if placing else "lifted"
        with scope.organisation(row.org_id):
            # COMMIT POINT: a crash before it marks the same again; one lifted meanwhile waits for the next round
            LegalHold.objects.filter(pk=row.pk, state=row.state).update(state=state)
    return len(rows)
