"""The house: what needs a person, how the parts are, what an administrator must still decide, and what words mean."""

from typing import Final

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from carepost.console import first_steps, house, navigation, words
from carepost.console.forms import SettingsForm
from carepost.console.guard import shielded
from carepost.destinations import reading
from carepost.ground import clock
from carepost.ground.errors import Refused, Unavailable
from carepost.keyring import own_select, select
from carepost.review import held
from carepost.tenancy.actions import organisations, policy
from carepost.tenancy.gates import StaffRequest, open_to_all, permission
from carepost.tenancy.permissions import Permission
from carepost.webhooks import select as hooks

_SETTINGS: Final = ("notice_name", "phone", "portal_url", "auditor", "alerts")


@require_safe
@open_to_all("sends whoever is not signed in to the sign-in page, and a sender to the page for writing")
def overview(request: StaffRequest) -> HttpResponseBase:
    desk = getattr(request, "desk", None)
    if desk is None:
        return redirect("account_login" if not request.user.is_authenticated else "mfa_index")
    if not desk.may(Permission.HEALTH) and (start := navigation.first(desk.may)):
        return redirect(start)
    return _overview(request)


@permission(Permission.HEALTH)
@shielded
def _overview(request: StaffRequest) -> HttpResponse:
    state = house.look(request.desk.org)
    steps = first_steps.steps(request.desk) if request.desk.may(Permission.ORGANISATION) else []
    decides = request.desk.may(Permission.RELEASE)
    context = {
        "house": state,
        "open_steps": [step for step in steps if not step.done],
        "may_search": request.desk.may(Permission.SEARCH),
        "waiting": _waiting(request) if decides else 0,
        "held_elsewhere": 0 if decides else state.held,
        "weakened": reading.open_count(request.desk.org),
        "certificates": select.attention(request.desk.org) if request.desk.may(Permission.KEYRING) else 0,
        "own_keys": own_select.attention(request.desk.org) if request.desk.may(Permission.KEYRING) else 0,
        "webhooks": hooks.attention(request.desk.org) if request.desk.may(Permission.WEBHOOKS) else 0,
        "now": clock.now(),
    }
    return render(request, "console/overview.html", context)


def _waiting(request: StaffRequest) -> int:
    """Of this organisation; 0 where nobody answers, which stands on the page already."""
    try:
        return held.count(request.desk.org)
    except Unavailable:
        return 0


@require_safe
@permission(Permission.HEALTH)
@shielded
def health(request: StaffRequest) -> HttpResponse:
    return render(request, "console/health.html", {"house": house.look(request.desk.org), "now": clock.now()})


@require_safe
@permission(Permission.ORGANISATION)
@shielded
def first_run(request: StaffRequest) -> HttpResponse:
    return _first_run(request)


@require_POST
@permission(Permission.ORGANISATION)
@shielded
def change_settings(request: StaffRequest) -> HttpResponse:
    form = SettingsForm(request.POST)
    if not form.is_valid():
        return _first_run(request, form, 422)
    given = form.cleaned_data
    row = request.desk.organisation
    changes = {name: given[name] for name in _SETTINGS if given[name] != getattr(row, name)}
    try:
        organisations.change_settings(row.pk, actor=request.desk.actor, reason=given["reason"], **changes)
    except Refused as refused:
        form.add_error(None, refused.public)
        return _first_run(request, form, 422)
    messages.success(request, "The settings were changed; the engines know within two seconds.", extra_tags="console")
    return redirect("console:first-run")


@require_POST
@permission(Permission.POLICY)
@shielded
def portal_by_mail(request: StaffRequest) -> HttpResponse:
    """Whether a code sent by e-mail alone opens the portal (DESIGN 3): an administrator decides it, with a reason."""
    on = request.POST.get("on") == "1"
    policy.set_portal_by_mail(request.desk.org, on, actor=request.desk.actor, reason=request.POST.get("reason", ""))
    said = (
        "A code sent by e-mail now opens the portal." if on else "The portal now asks for what was agreed beforehand."
    )
    messages.success(request, said, extra_tags="console")
    return redirect("console:first-run")


def _first_run(request: StaffRequest, form: SettingsForm | None = None, status: int = 200) -> HttpResponse:
    steps = first_steps.steps(request.desk)
    row = request.desk.organisation
    context = {
        "steps": steps,
        "done": sum(step.done for step in steps),
        "now": clock.now(),
        "form": form or SettingsForm(initial={name: getattr(row, name) for name in _SETTINGS}),
        "by_mail": first_steps.portal_by_mail(request.desk),
        "may_policy": request.desk.may(Permission.POLICY),
    }
    return render(request, "console/first-run.html", context, status=status)


@require_safe
@open_to_all("explains words; holds nothing of anybody")
def help_(request: StaffRequest) -> HttpResponse:
    context = {
        "assurances": list(words.ASSURANCES.items()),
        "states": [
            words.state(name) for name in ("queued", "deferred", "held", "sent", "deposited", "opened", "failed")
        ],
    }
    return render(request, "console/help.html", context)
