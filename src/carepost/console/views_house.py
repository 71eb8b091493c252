"""The house: what needs a person, how the parts are, what an administrator must still decide, and what words mean."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from carepost.console import first_steps, house, words
from carepost.console.guard import shielded
from carepost.ground import clock
from carepost.tenancy.gates import StaffRequest, open_to_all, permission
from carepost.tenancy.permissions import Permission


@require_safe
@open_to_all("sends whoever is not signed in to the sign-in page")
def overview(request: StaffRequest) -> HttpResponseBase:
    desk = getattr(request, "desk", None)
    if desk is None:
        return redirect("account_login" if not request.user.is_authenticated else "mfa_index")
    return _overview(request)


@permission(Permission.HEALTH)
@shielded
def _overview(request: StaffRequest) -> HttpResponse:
    state = house.look(request.desk.org)
    steps = first_steps.steps(request.desk) if request.desk.may(Permission.ORGANISATION) else []
    context = {
        "house": state,
        "open_steps": [step for step in steps if not step.done],
        "may_search": request.desk.may(Permission.SEARCH),
        "now": clock.now(),
    }
    return render(request, "console/overview.html", context)


@require_safe
@permission(Permission.HEALTH)
@shielded
def health(request: StaffRequest) -> HttpResponse:
    return render(request, "console/health.html", {"house": house.look(request.desk.org), "now": clock.now()})


@require_safe
@permission(Permission.ORGANISATION)
@shielded
def first_run(request: StaffRequest) -> HttpResponse:
    steps = first_steps.steps(request.desk)
    context = {"steps": steps, "done": sum(step.done for step in steps), "now": clock.now()}
    return render(request, "console/first-run.html", context)


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
