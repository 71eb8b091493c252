"""Connections in front of the organisation's own mail system: set up step by step, each step with how it was seen."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.console import acting
from carepost.console.gateway_forms import CheckForm, GatewayForm, LoginForm, NewGatewayForm
from carepost.console.guard import shielded
from carepost.directory.gateways import Login
from carepost.gateway import acts, probing, select
from carepost.gateway.steps import Here, steps
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.intake.returning import Returning
from carepost.mailbox import door
from carepost.tenancy import keys
from carepost.tenancy import select as tenancy
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.tenancy.pressed import MadeAlready
from carepost.wire import probes

_SOON = "The engines know within two seconds."


@require_safe
@permission(Permission.ROUTES)
@shielded
def gateways(request: StaffRequest) -> HttpResponse:
    found = select.connections(request.desk.org, request.desk.actor)
    here = _here(request)
    lines = [(one, steps(one, here)) for one in found]
    return render(request, "console/gateways.html", {"lines": lines, "now": clock.now()})


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.ROUTES)
@shielded
def new(request: StaffRequest) -> HttpResponse:
    form = NewGatewayForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return render(request, "console/gateway-new.html", {"form": form}, status=422 if form.is_bound else 200)
    given = form.cleaned_data
    mark = acting.mark(request)
    try:
        made = acts.add_connection(
            request.desk.org, given["name"], given["provider"], actor=request.desk.actor, page=mark
        )
    except MadeAlready as twice:
        return _made_already(request, "This connection was made already", twice.made)
    return _page(request, made.connection, secret=made.value)


@require_safe
@permission(Permission.ROUTES)
@shielded
def gateway(request: StaffRequest, row: UUID) -> HttpResponse:
    return _page(request, row)


@require_POST
@permission(Permission.ROUTES)
@shielded
def change(request: StaffRequest, row: UUID) -> HttpResponse:
    form = GatewayForm(request.POST)
    if not form.is_valid():
        return _page(request, row, form=form, status=422)
    try:
        acts.change_connection(
            request.desk.org, row, form.settings(), actor=request.desk.actor, reason=form.cleaned_data["reason"]
        )
    except Refused as refused:
        form.add_error(None, refused.public)
        return _page(request, row, form=form, status=422)
    return acting.done(request, f"Changed. {_SOON}", "console:gateway", row)


@require_POST
@permission(Permission.ROUTES)
@shielded
def check(request: StaffRequest, row: UUID) -> HttpResponse:
    """Tries every step now; takes up to half a minute."""
    form = CheckForm(request.POST)
    if not form.is_valid():
        return _page(request, row, check=form, status=422)
    given = form.cleaned_data
    try:
        found = probing.probe(
            request.desk.org, row, actor=request.desk.actor, engine=door.client(),
            host=settings.CAREPOST_HOSTNAME, mailbox=given["mailbox"], send=given["send"],
        )  # fmt: skip
    except Refused as refused:
        form.add_error(None, refused.public)
        return _page(request, row, check=form, status=422)
    wrong = sum(one.state == probes.BAD for one in found)
    if not wrong:
        return acting.done(request, "Checked. Every step that was tried works.", "console:gateway", row)
    # what does not work is no success
    said = f"Checked. {wrong} of {len(found)} steps {'does' if wrong == 1 else 'do'} not work."
    messages.warning(request, said, extra_tags="console")
    return redirect("console:gateway", row)


@require_POST
@permission(Permission.ROUTES)
@shielded
def sign_in(request: StaffRequest, row: UUID) -> HttpResponse:
    form = LoginForm(request.POST)
    if not form.is_valid():
        return _page(request, row, login=form, status=422)
    try:
        acts.set_login(request.desk.org, row, form.login(), actor=request.desk.actor)
    except Refused as refused:
        form.add_error(None, refused.public)
        return _page(request, row, login=form, status=422)
    said = "We sign in nowhere now." if form.login() == Login() else f"We sign in that way. {_SOON}"
    return acting.done(request, said, "console:gateway", row)


@require_POST
@permission(Permission.ROUTES)
@shielded
def rotate(request: StaffRequest, row: UUID) -> HttpResponse:
    try:
        made = acts.rotate_secret(request.desk.org, row, actor=request.desk.actor, page=acting.mark(request))
    except MadeAlready:
        return _made_already(request, "This value was made already", row)
    return _page(request, row, secret=made.value)


def _made_already(request: StaffRequest, title: str, row: UUID) -> HttpResponse:
    said = "If you have not copied the header’s value, make a new one on the connection’s page."
    return acting.made_already(request, title, said, "console:gateway", row, label="See the connection")


@require_POST
@permission(Permission.ROUTES)
@shielded
def end(request: StaffRequest, row: UUID) -> HttpResponse:
    acts.end_secret(request.desk.org, row, actor=request.desk.actor)
    return acting.done(request, f"The older value counts no more. {_SOON}", "console:gateway", row)


@require_POST
@permission(Permission.ROUTES)
@shielded
def remove(request: StaffRequest, row: UUID) -> HttpResponse:
    acts.remove_connection(request.desk.org, row, actor=request.desk.actor, reason=acting.needed(request))
    return acting.done(request, "Nothing is taken by that connection any more.", "console:gateways")


def _here(request: StaffRequest) -> Here:
    domains = tuple(one.domain for one in tenancy.domains(request.desk.org))
    return Here(settings.CAREPOST_HOSTNAME, settings.CAREPOST_PORT_GATEWAY, settings.CAREPOST_PORT_MX, domains)


def _page(
    request: StaffRequest, row: UUID, *, secret: str = "", form: GatewayForm | None = None,
    login: LoginForm | None = None, check: CheckForm | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    one = select.connection(request.desk.org, request.desk.actor, row)
    context = {
        "one": one, "steps": steps(one, _here(request), secret), "secret": secret, "now": clock.now(),
        "form": form or GatewayForm.of(one.settings), "wrong": form is not None, "signing": login is not None,
        "check": check or CheckForm(),
        "address": Returning(keys.purposes(), settings.CAREPOST_HOSTNAME).address(one.id),
        "login": login or LoginForm(initial={"kind": one.login, "username": one.user}),
    }  # fmt: skip
    return render(request, "console/gateway.html", context, status=status)
