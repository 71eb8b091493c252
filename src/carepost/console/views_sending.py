"""Sending: what holds mail back and lifting it, addresses in pools, limits of the organisation's own."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from carepost.console import acting
from carepost.console.guard import shielded
from carepost.console.sending_forms import (
    AddressForm,
    AheadForm,
    ChangeForm,
    LimitForm,
    PoolForm,
    ReasonForm,
    provider_names,
)
from carepost.destinations import ahead as far
from carepost.destinations import sending, ways
from carepost.destinations.ways import Line
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.mailbox import door
from carepost.pace import providers
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission

_POST = ["GET", "HEAD", "POST"]


@require_safe
@permission(Permission.HEALTH)
@shielded
def overview(request: StaffRequest) -> HttpResponse:
    org = request.desk.org
    lines, away = _lines(request)
    context = {
        "lines": lines,
        "away": away,
        "held": sum(one.held is not None for one in lines),
        "addresses": ways.addresses(org),
        "pools": ways.pools(org),
        "limits": ways.limits(org),
        "ahead": far.days(org),
        "may": request.desk.may(Permission.SENDING),
        "now": clock.now(),
    }
    return render(request, "console/sending.html", context)


@require_http_methods(_POST)
@permission(Permission.SENDING)
@shielded
def pool_new(request: StaffRequest) -> HttpResponse:
    form = PoolForm(request.POST or None)

    def add() -> str:
        given = form.cleaned_data
        made = sending.add_pool(
            request.desk.org, given["name"], actor=request.desk.actor, streams=given["streams"], domain=given["domain"]
        )
        return f"The pool {made.name} is there. Put sending addresses into it."

    lead = "Mail that is meant for a pool leaves by its addresses, and mail of other kinds does not."
    return _form(request, form, add, "Add a pool", lead, "Add")


@require_http_methods(_POST)
@permission(Permission.SENDING)
@shielded
def pool_remove(request: StaffRequest, name: str) -> HttpResponse:
    form = ReasonForm(request.POST or None)

    def remove() -> str:
        sending.remove_pool(request.desk.org, name, actor=request.desk.actor, reason=form.cleaned_data["reason"])
        return f"The pool {name} is no more."

    lead = "Its mail leaves by another pool that is meant for it, or by the system’s own address."
    return _form(request, form, remove, f"Remove the pool {name}", lead, "Remove")


@require_http_methods(_POST)
@permission(Permission.SENDING)
@shielded
def address_new(request: StaffRequest) -> HttpResponse:
    form = AddressForm(request.POST or None, pools=ways.pools(request.desk.org))

    def add() -> str:
        given = form.cleaned_data
        made = sending.add_address(
            request.desk.org, given["ip"], given["pool"], actor=request.desk.actor, helo=given["helo"],
            warm=given["warm"], usual=given["usual"] or 0,
        )  # fmt: skip
        return f"Mail of the pool {made.pool} leaves by {made.ip} within two seconds."

    lead = "It must be an address of the machine Carepost runs on, with a reverse DNS name that leads back to it."
    return _form(request, form, add, "Add a sending address", lead, "Add")


@require_http_methods(_POST)
@permission(Permission.SENDING)
@shielded
def address(request: StaffRequest, ip: str) -> HttpResponse:
    line = next((one for one in ways.addresses(request.desk.org) if one.ip == ip), None)
    if line is None:
        raise NotFound
    pools = ways.pools(request.desk.org)
    initial = {"state": line.state, "pool": line.pool, "helo": line.helo}
    form = ChangeForm(request.POST or None, pools=pools, initial=initial)

    def change() -> str:
        given = form.cleaned_data
        if "remove" in request.POST:
            sending.remove_address(request.desk.org, ip, actor=request.desk.actor, reason=given["reason"])
            return f"Nothing leaves by {ip} any more."
        sending.change_address(
            request.desk.org, ip, actor=request.desk.actor, state=given["state"], pool=given["pool"],
            helo=given["helo"], reason=given["reason"],
        )  # fmt: skip
        return f"{ip} is changed; the engines know within two seconds."

    return _form(request, form, change, f"Sending address {ip}", "", "Save", remove="Take it away")


@require_http_methods(_POST)
@permission(Permission.SENDING)
@shielded
def limit(request: StaffRequest, provider: str = "") -> HttpResponse:
    line = next((one for one in ways.limits(request.desk.org) if one.provider == provider), None)
    if request.method == "POST":
        form = LimitForm(request.POST)
    else:
        form = LimitForm.of(line) if line is not None else LimitForm(initial={"provider": provider})

    def put() -> str:
        given = form.cleaned_data
        if "remove" in request.POST:
            sending.clear_limits(request.desk.org, given["provider"], actor=request.desk.actor, reason=given["reason"])
            return "The table’s limits hold there again."
        sending.set_limits(
            request.desk.org, given["provider"], form.limits(), actor=request.desk.actor, reason=given["reason"]
        )
        return "Your limits hold there within two seconds."

    lead = "What stays empty is as the table of providers says. Mail that comes over a limit waits; nothing is lost."
    return _form(
        request, form, put, "Limits of your own", lead, "Save", names=provider_names(),
        remove="Back to the table" if line is not None else "",
    )  # fmt: skip


@require_http_methods(_POST)
@permission(Permission.SENDING)
@shielded
def lift(request: StaffRequest, provider: str, source: str = "") -> HttpResponse:
    form = ReasonForm(request.POST or None)
    name = providers.find(provider).name

    def end() -> str:
        sending.lift(
            request.desk.org, provider, actor=request.desk.actor, source=source, reason=form.cleaned_data["reason"]
        )
        return f"Mail to {name} leaves again within two seconds."

    lead = (
        f"{name} asked for less mail{f' from {source}' if source else ''}. If you send on at once it may ask for more, "
        "and think less of your address. What it asks from now on holds again."
    )
    return _form(request, form, end, f"Send to {name} again", lead, "Send again")


@require_http_methods(_POST)
@permission(Permission.SENDING)
@shielded
def ahead(request: StaffRequest) -> HttpResponse:
    form = AheadForm(request.POST or None, initial={"days": far.days(request.desk.org)})

    def put() -> str:
        given = form.cleaned_data
        far.put(request.desk.org, given["days"], actor=request.desk.actor, reason=given["reason"])
        return f"Messages may be scheduled {given['days']} days ahead."

    lead = (
        "A program that schedules later (send_at) is refused and told the latest time. What is scheduled already stays."
    )
    return _form(request, form, put, "How far ahead messages may be scheduled", lead, "Save")


def _lines(request: StaffRequest) -> tuple[list[Line], bool]:
    """Second: no engine answers, and what is on record is all that is known."""
    try:
        return ways.lines(request.desk.org, door.client()), False
    except Unavailable:
        return ways.asked(request.desk.org), True


def _form(
    request: StaffRequest, form: forms.Form, act: Callable[[], str], title: str, lead: str, verb: str, **more: Any
) -> HttpResponse:
    """A page of one form: shown, refused with its reasons, or carried out and back to the overview."""
    if form.is_bound and form.is_valid():
        try:
            return acting.done(request, act(), "console:sending")
        except Refused as refused:
            form.add_error(None, refused.public)
    context = {"form": form, "title": title, "lead": lead, "verb": verb, **more}
    return render(request, "console/sending-form.html", context, status=422 if form.errors else 200)
