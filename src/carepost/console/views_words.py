"""Detection: the organisation's own words, patterns and exceptions; a text to try them on; findings called wrong."""

import csv
import io
from typing import Final
from uuid import UUID

import msgspec
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.archive import books, inspected
from carepost.archive.inspected import Inspected
from carepost.console import records
from carepost.console import words as house_words
from carepost.console.guard import shielded
from carepost.console.word_forms import TryForm, WordForm
from carepost.crypto.rest import Damaged
from carepost.detection import acts, entries, looking, select
from carepost.detection.looking import Found
from carepost.ground import clock
from carepost.ground.errors import CarepostError, NotFound, Refused
from carepost.mailbox import door
from carepost.phi.explain import name, place
from carepost.phi.types import Shown, Strength
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.names import Wrong
from carepost.tenancy.permissions import Permission

_GONE: Final = "Its content is not here any more, so nothing can be compared."
_SAID: Final = "The engines know within two seconds."


class Line(msgspec.Struct, frozen=True):
    """One finding as the pages show it."""

    name: str
    place: str
    masked: str
    sure: bool
    token: str


@require_safe
@permission(Permission.POLICY)
@shielded
def words(request: StaffRequest) -> HttpResponse:
    return _page(request)


@require_POST
@permission(Permission.POLICY)
@shielded
def add(request: StaffRequest) -> HttpResponse:
    form = WordForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    try:
        entry = form.entry()
        acts.put(request.desk.org, entry, actor=request.desk.actor, reason=form.cleaned_data["reason"])
    except Wrong as wrong:
        form.refused(wrong)
        return _page(request, form=form, status=422)
    messages.success(request, f"“{entry.id}” holds from the next message on. {_SAID}", extra_tags="console")
    if warning := entries.warns(entry, select.own_domains(request.desk.org)):
        messages.warning(request, warning, extra_tags="console")
    return redirect("console:words")


@require_POST
@permission(Permission.POLICY)
@shielded
def remove(request: StaffRequest) -> HttpResponse:
    called, reason = request.POST.get("name", ""), request.POST.get("reason", "").strip()
    if not reason:
        return _page(request, unexplained=called, status=422)
    acts.remove(request.desk.org, called, actor=request.desk.actor, reason=reason[:500])
    messages.success(request, f"“{called}” is gone. {_SAID}", extra_tags="console")
    return redirect("console:words")


@require_POST
@permission(Permission.POLICY)
@shielded
def attempt(request: StaffRequest) -> HttpResponse:
    """A POST with no redirect after it: nothing is kept that another page could show."""
    form = TryForm(request.POST)
    if not form.is_valid():
        return _page(request, tried=form, status=422)
    given = form.cleaned_data
    try:
        found = looking.tried(request.desk.org, given["subject"], given["text"], request.desk.actor, door.client)
    except CarepostError as error:
        form.add_error(None, error.public)
        return _page(request, tried=form, status=422)
    return _page(request, tried=form, found=found)


@require_safe
@permission(Permission.POLICY)
@shielded
def reports(request: StaffRequest) -> HttpResponse:
    return _reports(request)


@require_POST
@permission(Permission.POLICY)
@shielded
def settle(request: StaffRequest, report: UUID) -> HttpResponse:
    exception, reason = request.POST.get("do") == "except", request.POST.get("reason", "").strip()
    if not reason:
        return _reports(request, unexplained=str(report), status=422)
    acts.settle(request.desk.org, report, exception=exception, actor=request.desk.actor, reason=reason[:500])
    said = (
        f"This value does not count any more. {_SAID}" if exception else "The report is put aside; this value counts."
    )
    messages.success(request, said, extra_tags="console")
    return redirect("console:words-reports")


@require_POST
@permission(Permission.POLICY)
@shielded
def export(request: StaffRequest) -> HttpResponse:
    """Figures alone, as a file."""
    made = io.StringIO()
    table = csv.writer(made)
    table.writerow(["kind", "place", "state", "values", "times"])
    table.writerows(msgspec.structs.astuple(one) for one in select.counts(request.desk.org, request.desk.actor))
    answer = HttpResponse(made.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="carepost-findings-called-wrong.csv"'
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.READ)
@shielded
def findings(request: StaffRequest, message: UUID) -> HttpResponse:
    """What is found in one message, masked; each finding can be called wrong. The look is on record first."""
    desk = request.desk
    view = records.access_message(desk, message)
    try:
        stored = door.client().body(desk.org.bytes, message.bytes)
        raw = books.opener().body(desk.org.bytes, message.bytes, stored)
    except (NotFound, Damaged):
        if request.method == "POST":
            raise Refused("content-gone", _GONE, status=409) from None
        known = inspected.of_message(desk.org.bytes, [one.id for one in view.deliveries])
        context = {"view": view, "gone": True, "known": [_known(one) for one in known], "now": clock.now()}
        return render(request, "console/findings.html", context)
    found = looking.of_message(
        desk.org,
        raw,
        desk.actor,
        door.client,
        sender=view.sender,
        recipients=[one.recipient for one in view.deliveries],
    )
    if request.method == "POST":
        chosen = [one for one in found.shown if one.token.hex() in request.POST.getlist("token")]
        if not chosen:
            raise Refused("nothing-chosen", "Choose at least one finding that is wrong.", status=422)
        for one in {one.token: one for one in chosen}.values():
            acts.report(desk.org, message, one, actor=desk.actor)
        said = "Thank you. An administrator sees it under Detection, and can make an exception of it."
        messages.success(request, said, extra_tags="console")
        return redirect("console:message", message)
    context = {"view": view, "found": _shown(found), "now": clock.now()}
    return render(request, "console/findings.html", context)


def _known(one: Inspected) -> dict[str, object]:
    if one.exception:
        return {"one": one, "level": "Its texts were not read", "tone": "plain"}
    return {"one": one, "level": house_words.CONTENT.get(one.level, "Not known"), "tone": _tone(one.level)}


def _tone(level: str) -> str:
    return "bad" if level == "phi-high" else "wait" if level in ("phi-likely", "") else "good"


def _shown(found: Found) -> dict[str, object]:
    level = found.findings.level_individual.word if found.findings is not None else ""
    return {
        "level": house_words.CONTENT.get(level, "Not known"),
        "tone": _tone(level),
        "lines": [_line(one) for one in found.shown],
        "unread": found.unread,
        "excepted": found.excepted,
    }


def _line(one: Shown) -> Line:
    return Line(name(one.kind), place(one.where, one.number, one.line), one.masked, one.strength is Strength.STRONG,
                one.token.hex())  # fmt: skip


def _page(
    request: StaffRequest,
    *,
    form: WordForm | None = None,
    tried: TryForm | None = None,
    found: Found | None = None,
    unexplained: str = "",
    status: int = 200,
) -> HttpResponse:
    told = select.access_words(request.desk.org, request.desk.actor)
    ours = select.own_domains(request.desk.org)
    context = {
        "entries": [
            (called, entries.what(one), entries.says(one), entries.warns(one, ours))
            for called, one in entries.named(told).items()
        ],
        "form": form or WordForm(),
        "open": form is not None,
        "tried": tried or TryForm(),
        "found": _shown(found) if found is not None else None,
        "unexplained": unexplained,
        "now": clock.now(),
    }
    return render(request, "console/words.html", context, status=status)


def _reports(request: StaffRequest, *, unexplained: str = "", status: int = 200) -> HttpResponse:
    found = select.access_reports(request.desk.org, request.desk.actor)
    context = {
        "lines": [(one, name(one.kind)) for one in found],
        "unexplained": unexplained,
        "now": clock.now(),
    }
    return render(request, "console/words-reports.html", context, status=status)
