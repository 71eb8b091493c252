"""Destinations: where mail goes, how the other side stands, what changed, what would happen now; pinning a next hop."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.console import acting, expect
from carepost.console.forms import DestinationSearch, PinForm
from carepost.console.guard import shielded
from carepost.destinations import acts, reading
from carepost.destinations.reading import Page
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy.actions import routes
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.HEALTH)
@shielded
def destinations(request: StaffRequest) -> HttpResponse:
    """A search is a POST: what somebody looks for stands in no address."""
    form = DestinationSearch(request.POST if request.method == "POST" else None)
    search, attention = "", False
    if form.is_bound and form.is_valid():
        search, attention = form.cleaned_data["domain"], form.cleaned_data["attention"]
    found = reading.listing(request.desk.org, search, attention=attention)
    context = {
        "form": form,
        "found": found,
        "searched": bool(search or attention),
        "now": clock.now(),
        "alerts_to": request.desk.organisation.alerts,
    }
    return render(request, "console/destinations.html", context)


@require_safe
@permission(Permission.HEALTH)
@shielded
def destination(request: StaffRequest, row: UUID) -> HttpResponse:
    return _page(request, row)


@require_POST
@permission(Permission.RELEASE)
@shielded
def see_alerts(request: StaffRequest, row: UUID) -> HttpResponse:
    acts.see_alerts(request.desk.org, row, actor=request.desk.actor)
    return acting.done(request, "The alerts are marked as seen, under your name.", "console:destination", row)


@require_POST
@permission(Permission.ROUTES)
@shielded
def pin(request: StaffRequest, row: UUID) -> HttpResponse:
    page = reading.page(request.desk.org, row)
    form = PinForm(request.POST)
    if not form.is_valid():
        return _page(request, row, form, 422)
    given = form.cleaned_data
    try:
        routes.add_route(
            request.desk.org,
            page.line.domain,
            given["host"],
            given["port"],
            actor=request.desk.actor,
            ca=given["ca"],
            pins=given["keys"].split(),
            else_hold=given["else_hold"],
            reason=given["reason"],
        )
    except Refused as refused:
        form.add_error(None, refused.public)
        return _page(request, row, form, 422)
    said = "The next hop is pinned; the engines know within two seconds."
    return acting.done(request, said, "console:destination", row)


@require_POST
@permission(Permission.ROUTES)
@shielded
def unpin(request: StaffRequest, row: UUID) -> HttpResponse:
    page = reading.page(request.desk.org, row)
    reason = acting.needed(request)
    routes.remove_route(request.desk.org, page.line.domain, actor=request.desk.actor, reason=reason)
    return acting.done(request, "DNS decides again where this domain’s mail goes.", "console:destination", row)


def _page(request: StaffRequest, row: UUID, form: PinForm | None = None, status: int = 200) -> HttpResponse:
    page = reading.page(request.desk.org, row)
    may_pin = request.desk.may(Permission.ROUTES)
    try:
        expected = expect.now(request.desk.org, page.line.domain, request.desk.actor)
    except NotFound:
        expected = expect.Expected("Not known", "plain", "The engines do not know this organisation yet.")
    context = {
        "page": page,
        "expected": expected,
        "now": clock.now(),
        "may_pin": may_pin,
        "may_see": request.desk.may(Permission.RELEASE),
        "form": form or (PinForm(initial=_initial(page)) if may_pin else None),
        "days": reading.COUNTED_DAYS,
    }
    return render(request, "console/destination.html", context, status=status)


def _initial(page: Page) -> dict[str, object]:
    """The host met now, so that an administrator confirms rather than types; no key: that is a decision."""
    if page.pin is not None:
        return {
            "host": page.pin.host, "port": page.pin.port, "keys": " ".join(page.pin.keys),
            "ca": page.pin.ca, "else_hold": page.pin.else_hold,
        }  # fmt: skip
    return {"host": page.hosts[0].side.host if page.hosts else "", "port": 25, "else_hold": True}
