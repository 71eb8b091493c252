"""What people do about destinations. Pinning is `tenancy.actions.routes`: the engine must know of it."""

import uuid

from carepost.destinations.models import Alert, Destination
from carepost.ground.errors import NotFound
from carepost.tenancy.act import act
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor


def see_alerts(org: uuid.UUID, destination: uuid.UUID, *, actor: Actor) -> int:
    """Somebody looked at a destination's alerts: they are no longer open; how many. Raises NotFound, Forbidden."""
    with act(org, Permission.RELEASE, actor=actor) as doing:
        row = Destination.objects.filter(org_id=org, pk=destination).first()
        if row is None:
            raise NotFound("There is no such destination.")
        open_ = Alert.objects.filter(org_id=org, destination=row, seen_at=0)
        seen = open_.update(seen_by=f"{actor.kind}:{actor.id}", seen_at=doing.at)
        doing.event("destination.alerts-seen", on=[row.pk], facts={"domain": row.domain, "count": str(seen)})
    return seen
