"""Reading what an organisation told detection, and what its people called wrong. Each look is an event (law 7)."""

import uuid

import msgspec
from django.db.models import Count, Sum

from carepost.detection.acts import NEW, current, masked_place
from carepost.detection.models import WrongFinding
from carepost.directory.words import Told
from carepost.tenancy import scope, sealing
from carepost.tenancy.act import act
from carepost.tenancy.models import SenderDomain
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire.types import Actor


class Wrong(msgspec.Struct, frozen=True):
    """One value that was called wrong. `masked`: as it may be shown. Times: UTC microseconds."""

    id: str
    kind: str
    place: str
    masked: str
    times: int
    first_at: int
    last_at: int
    state: str


class Counted(msgspec.Struct, frozen=True):
    """Of one kind, place and state: different values, and how often they were called wrong. Nothing of a message."""

    kind: str
    place: str
    state: str
    values: int
    times: int


def access_words(org: uuid.UUID, actor: Actor) -> Told:
    """Raises Forbidden."""
    with act(org, Permission.POLICY, actor=actor) as doing:
        _, told = current(org)
        doing.event("detection.words-viewed", on=[org])
    return told


def own_domains(org: uuid.UUID) -> frozenset[str]:
    """Of which an exception is worth a warning (`entries.warns`)."""
    with scope.organisation(org):
        return frozenset(SenderDomain.objects.filter(org_id=org, removed_at=0).values_list("domain", flat=True))


def access_reports(org: uuid.UUID, actor: Actor, *, limit: int = 200) -> tuple[Wrong, ...]:
    """New ones first, then the newest. Raises Forbidden."""
    with act(org, Permission.POLICY, actor=actor) as doing:
        rows = list(WrongFinding.objects.filter(org_id=org).order_by("-last_at", "-pk")[:limit])
        found = [_wrong(row) for row in rows]
        doing.event("detection.reports-listed", on=[org], facts={"count": str(len(found))})
    return tuple(sorted(found, key=lambda one: one.state != NEW))


def counts(org: uuid.UUID, actor: Actor) -> tuple[Counted, ...]:
    """For export: figures alone. Raises Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.POLICY, org)
        rows = (
            WrongFinding.objects.filter(org_id=org)
            .values("kind", "place", "state")
            .annotate(values_=Count("id"), times_=Sum("times"))
            .order_by("kind", "place", "state")
        )
        return tuple([Counted(r["kind"], r["place"], r["state"], r["values_"], r["times_"]) for r in rows])


def _wrong(row: WrongFinding) -> Wrong:
    masked = sealing.open_(row.org_id, "evidence", bytes(row.masked), masked_place(row)).decode()
    return Wrong(str(row.pk), row.kind, row.place, masked, row.times, row.first_at, row.last_at, row.state)
