"""Programs that hand mail over or ask: their API keys and SMTP credentials. A secret is shown once."""

from typing import Any, Final, TypeVar
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.console import acting
from carepost.console.guard import shielded
from carepost.console.program_forms import CredentialForm, KeyForm, LimitForm
from carepost.directory import keywords
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy import select
from carepost.tenancy.actions import access
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.models import ApiKey, Credential
from carepost.tenancy.permissions import Permission
from carepost.tenancy.pressed import MadeAlready

Row = TypeVar("Row", ApiKey, Credential)
_LIST: Final = "console:programs"


@require_safe
@permission(Permission.KEYS)
@shielded
def programs(request: StaffRequest) -> HttpResponse:
    org = request.desk.org
    context = {
        "keys": [_key(row) for row in select.api_keys(org)],
        "credentials": [_credential(row) for row in select.credentials(org)],
        "now": clock.now(),
        **_doors(),
    }
    return render(request, "console/programs.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.KEYS)
@shielded
def new_key(request: StaffRequest) -> HttpResponse:
    form = KeyForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            made = access.add_key(
                request.desk.org, given["name"], form.words(), actor=request.desk.actor,
                per_minute=given["per_minute"] or 0, page=acting.mark(request),
            )  # fmt: skip
        except MadeAlready as twice:
            said = "If you have not copied the secret, end that key and add another."
            return acting.made_already(
                request, "This key was made already", said, "console:program-key", twice.made, label="See the key"
            )
        except Refused as refused:
            form.add_error(None, refused.public)
        else:
            context = {"name": given["name"], "made": made, "test": given["test"], **_doors()}
            return render(request, "console/program-made.html", context)
    return _form(request, "console/program-key.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.KEYS)
@shielded
def new_credential(request: StaffRequest) -> HttpResponse:
    domains = [row.domain for row in select.domains(request.desk.org)]
    form = CredentialForm(request.POST if request.method == "POST" else None, domains=domains)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            made = access.add_credential(
                request.desk.org, given["name"], actor=request.desk.actor, domains=given["domains"],
                page=acting.mark(request),
            )  # fmt: skip
        except MadeAlready as twice:
            said = "If you have not copied the password, end that credential and add another."
            return acting.made_already(
                request, "This credential was made already", said, "console:program-credential", twice.made,
                label="See the credential",
            )  # fmt: skip
        except Refused as refused:
            form.add_error(None, refused.public)
        else:
            context = {"name": given["name"], "credential": made, **_doors()}
            return render(request, "console/program-made.html", context)
    return _form(request, "console/program-credential.html", form, domains=domains)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.KEYS)
@shielded
def key(request: StaffRequest, row: UUID) -> HttpResponse:
    """One key: its limit, and its end."""
    one = _one(select.api_keys(request.desk.org), row)
    shown = _key(one)
    form = LimitForm(request.POST) if request.method == "POST" else LimitForm(initial={"per_minute": shown["most"]})
    if form.is_bound and form.is_valid():
        try:
            access.limit_key(
                request.desk.org, row, form.cleaned_data["per_minute"] or 0, actor=request.desk.actor
            )  # fmt: skip
        except Refused as refused:
            form.add_error(None, refused.public)
        else:
            return acting.done(request, "Changed. It holds from the next request.", "console:program-key", row)
    return _form(request, "console/program.html", form, one=shown, kind="key")


@require_safe
@permission(Permission.KEYS)
@shielded
def credential(request: StaffRequest, row: UUID) -> HttpResponse:
    one = _one(select.credentials(request.desk.org), row)
    return render(request, "console/program.html", {"one": _credential(one), "kind": "credential"})


@require_POST
@permission(Permission.KEYS)
@shielded
def end(request: StaffRequest, row: UUID, kind: str) -> HttpResponse:
    """`kind`: key | credential."""
    revoke = access.revoke_key if kind == "key" else access.revoke_credential
    revoke(request.desk.org, row, actor=request.desk.actor, reason=acting.needed(request))
    return acting.done(request, "It was ended: nothing more is taken from it.", _LIST)


def _form(request: StaffRequest, template: str, form: Any, **more: Any) -> HttpResponse:
    return render(request, template, {"form": form, **more}, status=422 if form.is_bound else 200)


def _one(rows: list[Row], id_: UUID) -> Row:
    for row in rows:
        if row.pk == id_:
            return row
    raise NotFound


def _key(row: ApiKey) -> dict[str, Any]:
    words = tuple(row.scopes.split())
    scopes = [word for word in keywords.without_limit(words) if word != keywords.TEST]
    return {
        "id": row.pk, "name": row.name, "scopes": scopes, "most": keywords.limit_of(words) or None,
        "test": keywords.TEST in words, "owner": row.owner.name if row.owner is not None else "",
        "made": row.created_at, "used": row.last_used_at,
    }  # fmt: skip


def _credential(row: Credential) -> dict[str, Any]:
    return {
        "id": row.pk, "name": row.name, "username": row.username, "domains": row.domains.split(),
        "owner": row.owner.name if row.owner is not None else "", "made": row.created_at, "used": row.last_used_at,
    }  # fmt: skip


def _doors() -> dict[str, Any]:
    """Where programs connect to, as far as the settings say."""
    config = settings.CAREPOST_CONFIG
    return {
        "host": config.hostname, "api": config.port_api, "submission": config.port_submission,
        "submission_tls": config.port_submission_tls,
    }  # fmt: skip
