"""Who works here: added, given roles, disabled, given a new one-time link."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from allauth.mfa.models import Authenticator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.console import acting
from carepost.console.guard import shielded
from carepost.console.people_forms import PersonForm, RolesForm
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy import select
from carepost.tenancy.actions import staff as actions
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.models import Staff
from carepost.tenancy.permissions import GRANTS, Permission, Role
from carepost.tenancy.pressed import MadeAlready

_WORDS: Final = {
    Permission.SEARCH: "find messages", Permission.READ: "read messages", Permission.RELEASE: "hold and release",
    Permission.RETRACT: "take back", Permission.PROOF: "proofs", Permission.PREVIEW: "preview", Permission.SEND: "send",
    Permission.HEALTH: "health", Permission.AUDIT: "audit log", Permission.ORGANISATION: "organisation",
    Permission.DOMAINS: "domains", Permission.STAFF: "people", Permission.KEYS: "programs", Permission.POLICY: "rules",
    Permission.KEYRING: "certificates and keys", Permission.ROUTES: "routes and gateway",
    Permission.SUPPRESSION: "addresses that get no mail", Permission.WEBHOOKS: "webhooks",
    Permission.TEMPLATES: "templates", Permission.TRACKING: "opens and clicks", Permission.SENDING: "sending",
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
    matrix = [
        {"word": word, "roles": [permission_ in GRANTS[role] for role in Role]} for permission_, word in _WORDS.items()
    ]
    rows = sorted(_people(request).values(), key=lambda one: one.name.casefold())
    context = {"people": rows, "roles": [role.value for role in Role], "matrix": matrix, "now": clock.now()}
    return render(request, "console/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.STAFF)
@shielded
def new(request: StaffRequest) -> HttpResponse:
    form = PersonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            made = actions.add_staff(
                request.desk.org, given["email"], given["name"], given["role"], actor=request.desk.actor,
                page=acting.mark(request),
            )  # fmt: skip
        except MadeAlready:
            return _linked_already(request, "This person was added already", "console:people")
        except Refused as refused:
            form.add_error("email", refused.public)
        else:
            return _link(request, made)
    return render(request, "console/person-new.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.STAFF)
@shielded
def person(request: StaffRequest, person: UUID) -> HttpResponse:
    """One person; POST: their roles."""
    one = _people(request).get(person)
    if one is None:
        raise NotFound
    form = RolesForm(request.POST) if request.method == "POST" else RolesForm(initial={"roles": list(one.roles)})
    if form.is_bound and form.is_valid():
        given, taken = form.changes(frozenset(one.roles))
        org, actor, reason = request.desk.org, request.desk.actor, form.cleaned_data["reason"]
        try:
            # given first: a person never stands without any in between
            for role in given:
                actions.grant_role(org, person, role, actor=actor, reason=reason)
            for role in taken:
                actions.revoke_role(org, person, role, actor=actor, reason=reason)
        except Refused as refused:
            form.add_error(None, refused.public)
        else:
            return acting.done(request, "Saved. It holds from the next page they open.", "console:person", person)
    context = {"one": one, "form": form, "now": clock.now()}
    return render(request, "console/person.html", context, status=422 if form.is_bound else 200)


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
    reason, mark = acting.reason(request), acting.mark(request)
    try:
        made = actions.new_link(request.desk.org, person, actor=request.desk.actor, reason=reason, page=mark)
    except MadeAlready:
        return _linked_already(request, "This link was made already", "console:person", person)
    return _link(request, made)


def _linked_already(request: StaffRequest, title: str, to: str, *args: object) -> HttpResponse:
    said = (
        "The link that was shown still works. If you have not copied it, make a new one on the person’s own page; it "
        "ends this one."
    )
    return acting.made_already(request, title, said, to, *args, label="Go on")


def _link(request: StaffRequest, made: actions.Invitation) -> HttpResponse:
    whom = Staff.objects.get(pk=made.staff)
    context = {"url": request.build_absolute_uri(made.path), "until": made.expires_at, "whom": whom}
    return render(request, "console/link-made.html", context)


def _people(request: StaffRequest) -> dict[UUID, Person]:
    found: dict[UUID, tuple[Staff, list[str]]] = {}
    for row in select.staff(request.desk.org):
        found.setdefault(row.staff_id, (row.staff, []))[1].append(row.role)
    return {id_: _person(person, roles, request.desk.staff.pk) for id_, (person, roles) in found.items()}


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
