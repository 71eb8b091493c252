"""Reading jobs: their kinds, states and figures. Whoever may do one thing that jobs do sees the organisation's jobs."""

import uuid

from carepost.jobs.acts import found, view
from carepost.jobs.models import Job
from carepost.jobs.types import NEEDED, Kind, View
from carepost.tenancy import scope
from carepost.tenancy.permissions import Forbidden, authorise
from carepost.wire.types import Actor


def listing(org: uuid.UUID, actor: Actor) -> tuple[View, ...]:
    """Newest first. Raises Forbidden."""
    _allowed(org, actor)
    with scope.organisation(org):
        return tuple([view(row) for row in Job.objects.filter(org_id=org).order_by("-created_at", "-pk")[:200]])


def one(org: uuid.UUID, job: uuid.UUID, actor: Actor) -> View:
    """Raises NotFound, Forbidden."""
    _allowed(org, actor)
    return view(found(org, job))


def _allowed(org: uuid.UUID, actor: Actor) -> None:
    with scope.organisation(org):
        for kind in Kind:
            try:
                return authorise(actor, NEEDED[kind][0], org)
            except Forbidden:
                continue
    raise Forbidden
