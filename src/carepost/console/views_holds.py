"""Legal holds: which messages retention must leave alone, why, and since when."""

from typing import Final
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from carepost.archive import holds as kept
from carepost.console import acting, fields
from carepost.console.guard import shielded
from carepost.console.words import Mark
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy.actions.holds import ACTIVE, lift_hold
from carepost.tenancy.actions.retention import content_days
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission

_MARKS: Final = {
    "placing": Mark("Being placed", "wait", "It holds within seconds."),
    "placed": Mark("In force", "good", ""),
    "late": Mark("Too late", "bad", "Its content was disposed of before the hold could take."),
    "lifting": Mark("Being lifted", "wait", ""),
    "lifted": Mark("Lifted", "plain", ""),
}


class HoldForm(forms.Form):
    message = forms.UUIDField(
        label="Message number", error_messages={"invalid": "Copy the message number from the message’s page."},
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "class": "form-control cs-mono"}),
    )  # fmt: skip
    reason = fields.reason("The matter it belongs to")


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.ORGANISATION)
@shielded
def holds(request: StaffRequest) -> HttpResponse:
    """`?message=` fills in the number; nothing is done before somebody says why."""
    if request.method != "POST":
        number = request.GET.get("message", "")
        return _page(request, HoldForm(initial={"message": number}) if number else HoldForm())
    form = HoldForm(request.POST)
    if not form.is_valid():
        return _page(request, form, 422)
    given = form.cleaned_data
    try:
        kept.place(request.desk.org, given["message"], actor=request.desk.actor, reason=given["reason"])
    except (Refused, NotFound) as refused:
        form.add_error("message", refused.public)
        return _page(request, form, 422)
    said = "The message is under legal hold: retention leaves it alone until somebody lifts the hold."
    return acting.done(request, said, "console:holds")


@require_POST
@permission(Permission.ORGANISATION)
@shielded
def lift(request: StaffRequest, row: UUID) -> HttpResponse:
    lift_hold(request.desk.org, row, actor=request.desk.actor, reason=acting.needed(request))
    return acting.done(request, "The hold is lifted; retention decides about the message again.", "console:holds")


def _page(request: StaffRequest, form: HoldForm, status: int = 200) -> HttpResponse:
    found = kept.listing(request.desk.org, request.desk.actor)
    context = {
        "form": form,
        "holds": [(hold, _MARKS[hold.state], hold.state in ACTIVE) for hold in found],
        "count": sum(hold.state in ACTIVE for hold in found),
        "days": content_days(request.desk.org),
        "may_read": request.desk.may(Permission.READ),
        "now": clock.now(),
    }
    return render(request, "console/holds.html", context, status=status)
