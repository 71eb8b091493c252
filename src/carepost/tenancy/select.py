"""Reads of tenancy for commands and pages: rows of one organisation, nothing personal besides staff."""

import uuid

from carepost.ground.errors import NotFound
from carepost.tenancy import scope
from carepost.tenancy.models import (
    ApiKey,
    Credential,
    Membership,
    Organisation,
    OrgKey,
    Route,
    SenderDomain,
    Suppression,
    Unit,
)


def organisations() -> list[Organisation]:
    """All that are open, by short name: for the command line and the supervisor."""
    with scope.every("the installation's own list"):
        return list(Organisation.objects.filter(closed_at=0).order_by("slug"))


def organisation(slug: str) -> Organisation:
    """By short name or id. Raises NotFound."""
    for row in organisations():
        if slug in (row.slug, str(row.pk)):
            return row
    raise NotFound(f"There is no organisation {slug!r}.")


def units(org: uuid.UUID) -> list[Unit]:
    with scope.organisation(org):
        return list(Unit.objects.filter(org_id=org).order_by("name"))


def unit(org: uuid.UUID, name: str) -> Unit:
    """By name or id. Raises NotFound."""
    for row in units(org):
        if name in (row.name, str(row.pk)):
            return row
    raise NotFound(f"There is no unit {name!r} in this organisation.")


def domains(org: uuid.UUID) -> list[SenderDomain]:
    """With unit and the DKIM keys in use (`dkim_keys.all()`)."""
    with scope.organisation(org):
        live = SenderDomain.objects.select_related("unit").prefetch_related("dkim_keys")
        return list(live.filter(org_id=org, removed_at=0).order_by("domain"))


def staff(org: uuid.UUID) -> list[Membership]:
    """Live grants, with the person."""
    with scope.organisation(org):
        live = Membership.objects.select_related("staff").filter(org_id=org, revoked_at=0)
        return list(live.order_by("staff__email", "role"))


def api_keys(org: uuid.UUID) -> list[ApiKey]:
    with scope.organisation(org):
        return list(ApiKey.objects.select_related("owner").filter(org_id=org, revoked_at=0).order_by("created_at"))


def credentials(org: uuid.UUID) -> list[Credential]:
    with scope.organisation(org):
        return list(Credential.objects.select_related("owner").filter(org_id=org, revoked_at=0).order_by("created_at"))


def routes(org: uuid.UUID) -> list[Route]:
    with scope.organisation(org):
        return list(Route.objects.filter(org_id=org, removed_at=0).order_by("domain"))


def suppressions(org: uuid.UUID) -> list[Suppression]:
    """Newest first; the addresses are opened by `actions.suppression.address_of`."""
    with scope.organisation(org):
        return list(Suppression.objects.filter(org_id=org, removed_at=0).order_by("-created_at"))


def org_keys(org: uuid.UUID) -> list[OrgKey]:
    """The organisation's keys by purpose, the newest version of each last."""
    with scope.organisation(org):
        return list(OrgKey.objects.filter(org_id=org).order_by("purpose", "version"))
