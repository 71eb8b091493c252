"""Who works here: roles, second factors, last sign-in; disabling somebody, and a new one-time link."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from allauth.mfa.models import Authenticator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from carepost.console import acting
from carepost.console.guard import shielded
from carepost.ground import clock
from carepost.tenancy import select
from carepost.tenancy.actions import staff as actions
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.models import Staff
from carepost.tenancy.permissions import GRANTS, Permission, Role

_WORDS: Final = {
    Permission.SEARCH: "find messages", Permission.READ: "read messages", Permission.RELEASE: "hold and release",
    Permission.RETRACT: "take back", Permission.PROOF: "proofs", Permission.PREVIEW: "preview", Permission.SEND: "send",
    Permission.HEALTH: "health", Permission.AUDIT: "audit log", Permission.ORGANISATION: "organisation",
    Permission.DOMAINS: "domains", Permission.STAFF: "people", Permission.KEYS: "keys", Permission.POLICY: "rules",
    Permission.ROUTES: "routes", Permission.SUPPRESSION: "suppression", Permission.WEBHOOKS: "webhooks",
}  # fmt: skip


class Person(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    email: str
    roles: tuple[str, ...]
    #: in words
    factors: str
    #: UTC microseconds, 0: never
    last: int
    me: bool


@require_safe
@permission(Permission.STAFF)
@shielded
def people(request: StaffRequest) -> HttpResponse:
    found: dict[UUID, tuple[Staff, list[str]]] = {}
    for row in select.staff(request.desk.org):
        found.setdefault(row.staff_id, (row.staff, []))[1].append(row.role)
    rows = [_person(person, roles, request.desk.staff.pk) for person, roles in found.values()]
    matrix = [
        {"word": word, "roles": [permission_ in GRANTS[role] for role in Role]} for permission_, word in _WORDS.items()
    ]
    context = {"people": rows, "roles": [role.value for role in Role], "matrix": matrix, "now": clock.now()}
    return render(request, "console/people.html", context)


@require_POST
@permission(Permission.STAFF)
@shielded
def disable(request: StaffRequest, person: UUID) -> HttpResponse:
    """HS-06: everything the person holds here ends at once."""
    actions.disable_staff(request.desk.org, person, actor=request.desk.actor, reason=acting.reason(request))
    return acting.done(request, "The person was disabled: sessions, keys and credentials have ended.", "console:people")


@require_POST
@permission(Permission.STAFF)
@shielded
def new_link(request: StaffRequest, person: UUID) -> HttpResponse:
    """Shown once, to be handed over in person or by telephone."""
    made = actions.new_link(request.desk.org, person, actor=request.desk.actor, reason=acting.reason(request))
    context = {"url": request.build_absolute_uri(made.path), "until": made.expires_at}
    return render(request, "console/link-made.html", context)


def _person(person: Staff, roles: list[str], me: UUID) -> Person:
    types = list(Authenticator.objects.filter(user=person).values_list("type", flat=True))
    kinds = [word for type_, word in (("totp", "app"), ("webauthn", "passkey")) if type_ in types]
    return Person(
        person.pk,
        person.name,
        person.email,
        tuple(sorted(roles)),
        " and ".join(kinds) if kinds else "none yet",
        _micro(person.last_login),
        person.pk == me,
    )


def _micro(at: datetime | None) -> int:
    return int(at.timestamp() * 1_000_000) if at else 0
