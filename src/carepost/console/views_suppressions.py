"""The suppression list for staff: seen, searched, added to, undone, imported after a look, exported (decision 0028)."""

import itertools
from typing import Final, cast
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from carepost.console import acting
from carepost.console.guard import shielded
from carepost.console.suppression_forms import BY, WHAT, WHY, AddForm, ImportForm, ListForm
from carepost.destinations import suppressions as listed
from carepost.destinations.suppressions import Imported, Suppressed
from carepost.ground import clock
from carepost.ground.errors import CarepostError, Refused
from carepost.jobs import importing
from carepost.tenancy.actions import suppression
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.ui.uploads import TOO_LARGE

_PAGE: Final = 50
#: how long what was taken off can be put back by a button
_UNDO_US: Final = 7 * 86_400_000_000


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.SUPPRESSION)
@shielded
def suppressions(request: StaffRequest) -> HttpResponse:
    """A search comes by POST: no address stands in a URL (law 10)."""
    form = ListForm(request.POST if request.method == "POST" else {})
    return _page(request, form, AddForm())


@require_POST
@permission(Permission.SUPPRESSION)
@shielded
def add(request: StaffRequest) -> HttpResponse:
    form = AddForm(request.POST)
    if not form.is_valid():
        return _page(request, ListForm({}), form, 422)
    given = form.cleaned_data
    try:
        added = suppression.suppress(
            request.desk.org, given["address"], actor=request.desk.actor, reason="request", scope=given["scope"],
            expires_at=form.end(), note=given["note"],
        )  # fmt: skip
    except CarepostError as error:
        form.add_error("address", error.public)
        return _page(request, ListForm({}), form, 422)
    said = "The address is on the list: it holds for mail handed over from now on, and for what waits."
    return acting.done(request, said if added else "It was on the list already.", "console:suppressions")


@require_POST
@permission(Permission.SUPPRESSION)
@shielded
def remove(request: StaffRequest, row: UUID) -> HttpResponse:
    found = listed.one(request.desk.org.bytes, request.desk.actor, row)
    reason = acting.needed(request)
    suppression.unsuppress(request.desk.org, found.address, actor=request.desk.actor, reason=reason, scope=found.scope)
    return acting.done(request, "The address is off the list. Below it can be put back.", "console:suppressions")


@require_POST
@permission(Permission.SUPPRESSION)
@shielded
def restore(request: StaffRequest, row: UUID) -> HttpResponse:
    back = suppression.restore(request.desk.org, row, actor=request.desk.actor)
    said = "The address is on the list again, as it was." if back else "It is on the list already."
    return acting.done(request, said, "console:suppressions")


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.SUPPRESSION)
@shielded
def import_(request: StaffRequest) -> HttpResponse:
    """First what would happen; nothing changes before somebody agrees."""
    if request.method != "POST":
        return render(request, "console/suppression-import.html", {"form": ImportForm()})
    form = ImportForm(request.POST, request.FILES)
    form.too_large = bool(request.META.get(TOO_LARGE))
    if not form.is_valid():
        return render(request, "console/suppression-import.html", {"form": form}, status=422)
    agreed = request.POST.get("do") == "import"
    if agreed or form.large():
        return _job(request, form, dry_run=not agreed)
    raw = form.raw()
    try:
        told = listed.import_(request.desk.org.bytes, request.desk.actor, raw, dry_run=True, reason="request")
    except Refused as error:
        form.add_error("file", error.public)
        return render(request, "console/suppression-import.html", {"form": form}, status=422)
    return render(request, "console/suppression-import.html", _told(told, raw))


@require_POST
@permission(Permission.SUPPRESSION)
@shielded
def export(request: StaffRequest) -> HttpResponse:
    lines = listed.export(request.desk.org.bytes, request.desk.actor)
    # the first page before the answer begins: its event stands first
    whole = itertools.chain((next(lines),), lines)
    answer = StreamingHttpResponse(whole, content_type="application/x-ndjson")
    answer["Content-Disposition"] = 'attachment; filename="carepost-suppressions.ndjson"'
    return cast(HttpResponse, answer)


def _job(request: StaffRequest, form: ImportForm, *, dry_run: bool) -> HttpResponse:
    """A large file is looked at in the background, and the job's page offers the import then; every import is a job,
    whose page offers to take it back."""
    raw = form.raw()
    kind = "ndjson" if raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" else "csv"
    try:
        begun = importing.begin(
            request.desk.org, importing.octets(raw), actor=request.desk.actor, form=kind, dry_run=dry_run
        )
    except Refused as error:
        form.add_error("file", error.public)
        return render(request, "console/suppression-import.html", {"form": form}, status=422)
    said = "The import has begun; this page says how far it is, and can take it back for a week."
    if dry_run:
        said = "The file is looked at in the background; nothing changes before you agree."
    return acting.done(request, said, "console:job", begun.id)


def _told(told: Imported, raw: bytes) -> dict[str, object]:
    carried = raw.decode("utf-8-sig", "replace") if told.added else ""
    return {"told": told, "carried": carried, "now": clock.now()}


def _page(request: StaffRequest, form: ListForm, adding: AddForm, status: int = 200) -> HttpResponse:
    org, actor = request.desk.org.bytes, request.desk.actor
    if not form.is_valid():
        return render(request, "console/suppressions.html", {"form": form, "adding": adding}, status=422)
    given = form.cleaned_data
    try:
        page = listed.page(
            org, actor, after=given["cursor"], address=given["address"].strip(), reason=given["reason"],
            scope_=given["scope"], ends={"yes": True, "no": False}.get(given["ends"]),
            standing="ended" if given["ends"] == "over" else "current", limit=_PAGE,
        )  # fmt: skip
    except CarepostError as error:
        form.add_error("address", error.public)
        return render(request, "console/suppressions.html", {"form": form, "adding": adding}, status=422)
    now = clock.now()
    gone = listed.page(org, actor, removed_since=now - _UNDO_US, limit=10)
    context = {
        "form": form, "adding": adding, "rows": [_row(row, now) for row in page.rows], "more": page.cursor,
        "later": bool(given["cursor"]), "kept": form.kept(), "searched": form.asked(), "now": now,
        "gone": [_row(row, now) for row in gone.rows],
    }  # fmt: skip
    return render(request, "console/suppressions.html", context, status=status)


def _row(row: Suppressed, now: int) -> dict[str, object]:
    return {
        "id": row.id, "address": row.address, "why": WHY.get(row.reason, row.reason), "at": row.at,
        "what": WHAT.get(row.scope, row.scope), "by": BY.get(row.source, row.source), "note": row.note,
        "until": row.expires_at, "over": bool(row.expires_at) and row.expires_at <= now,
    }  # fmt: skip
