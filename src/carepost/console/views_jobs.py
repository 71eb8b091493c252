"""Jobs: what is done in the background with all messages of a search, first with a look at how many; and exports."""

import itertools
from typing import Final, cast
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from carepost.console import acting
from carepost.console.guard import shielded
from carepost.console.job_forms import KINDS, JobForm
from carepost.console.search_form import SearchForm
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.jobs import acts, importing, select, undoing
from carepost.jobs.foreseen import Foreseen, foreseen
from carepost.jobs.types import FETCHED, IMPORTS, LISTED, NEEDED, Asked, Kind, View
from carepost.tenancy.gates import Desk, StaffRequest, permission
from carepost.tenancy.permissions import Forbidden, Permission

#: state -> (word, tone of its mark)
_STATES: Final = {
    "receiving": ("Being received", "wait"),
    "waiting": ("Waiting", "wait"), "running": ("Running", "wait"), "done": ("Done", "good"),
    "failed": ("Failed", "bad"), "cancelled": ("Cancelled", "plain"),
}  # fmt: skip
_MADE: Final = {
    Kind.RETRY: "recipients tried again", Kind.RETRACT: "recipients taken back from",
    Kind.RESEND: "recipients it was sent to again", Kind.MESSAGES: "rows written", Kind.EVENTS: "rows written",
    Kind.IMPORT: "addresses added", Kind.TRY: "addresses would be added",
    Kind.UNDO: "addresses off the list again",
}  # fmt: skip
_OTHERS: Final = {
    Kind.EVENTS: "Export of events", Kind.IMPORT: "Import of suppressed addresses",
    Kind.TRY: "A look at a file of suppressed addresses", Kind.UNDO: "Taking back an import of suppressed addresses",
}  # fmt: skip
#: why it failed: words, and what to do. What is not here is our fault, or rare: `_FAULT`
_CAUSES: Final = {
    "forbidden": "Who began it may not do this any more. Ask an administrator, or let somebody begin it who may.",
    "file-cut-off": "The file did not come here whole. Hand it in again.",
    "import-empty": "The file was empty. Look at it, then hand it in again.",
    "import-line": "A line of the file is far too long. Look at the file, then hand it in again.",
    "import-lines": "The file has too many lines. Hand it in as several smaller ones.",
    "import-size": "The file is too large. Hand it in as several smaller ones.",
}
_FAULT: Final = "Something went wrong here. Begin it once more; if that fails, tell your administrator its number."
_LOOKED: Final = {Kind.EVENTS: "events", Kind.IMPORT: "lines", Kind.TRY: "lines", Kind.UNDO: "lines"}
_ENDED: Final = ("done", "failed", "cancelled")
_MEDIA: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


@require_safe
@permission(Permission.SEARCH)
@shielded
def jobs(request: StaffRequest) -> HttpResponse:
    try:
        found = select.listing(request.desk.org, request.desk.actor)
    except Forbidden:
        raise NotFound from None
    return render(request, "console/jobs.html", {"rows": [_row(one) for one in found], "now": clock.now()})


@require_POST
@permission(Permission.SEARCH)
@shielded
def new(request: StaffRequest) -> HttpResponse:
    """The search comes with it; first the count is shown, and nothing happens before somebody agrees."""
    search = SearchForm(request.POST)
    offered = _offered(request.desk)
    if not search.is_valid() or not offered:
        raise NotFound
    if not search.anything():
        raise Refused("nothing-asked", "Search first: a job never acts on all messages there are.", status=422)
    wanted = search.wanted(request.desk.org)
    form = JobForm(request.POST) if request.POST.get("do") == "begin" else JobForm()
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        kind = Kind(given["kind"])
        asked = Asked(
            wanted, given["reason"].strip(), given["form"] or "csv",
            anew=given["as_today"] and kind is Kind.RESEND,
        )  # fmt: skip
        try:
            made = acts.begin(request.desk.org, kind, asked, actor=request.desk.actor, page=acting.mark(request))
        except Forbidden:
            raise NotFound from None
        return acting.done(request, "The job has begun; this page says how far it is.", "console:job", made.id)
    seen = foreseen(request.desk.org, request.desk.actor, wanted)
    context = {
        "form": form, "seen": seen, "choices": [_choice(kind, seen, form) for kind in offered], "kept": search.kept(),
        "mark": acting.mark(request), "now": clock.now(), "may_resend": Kind.RESEND in offered,
        "chosen": form.data.get("kind", ""),
    }  # fmt: skip
    return render(request, "console/job-new.html", context, status=422 if form.is_bound else 200)


@require_safe
@permission(Permission.SEARCH)
@shielded
def job(request: StaffRequest, job: UUID) -> HttpResponse:
    found = _one(request.desk, job)
    row = _row(found)
    row["undo"] = row["undo"] and request.desk.may(Permission.SUPPRESSION)
    context = {
        "job": row, "view": found, "now": clock.now(), "open": found.state in acts.OPEN,
        "mark": acting.mark(request),
    }  # fmt: skip
    return render(request, "console/job.html", context)


@require_POST
@permission(Permission.SEARCH)
@shielded
def cancel(request: StaffRequest, job: UUID) -> HttpResponse:
    try:
        acts.cancel(request.desk.org, job, actor=request.desk.actor)
    except Forbidden:
        raise NotFound from None
    return acting.done(request, "The job was cancelled; what it did so far stays done.", "console:job", job)


@require_POST
@permission(Permission.SUPPRESSION)
@shielded
def begin_tried(request: StaffRequest, job: UUID) -> HttpResponse:
    """What was looked at is imported; asked twice it is one import."""
    begun = importing.begin_tried(request.desk.org, job, actor=request.desk.actor)
    return acting.done(request, "The import has begun; this page says how far it is.", "console:job", begun.id)


@require_POST
@permission(Permission.SUPPRESSION)
@shielded
def undo(request: StaffRequest, job: UUID) -> HttpResponse:
    """What an import put on the list is taken off again, in the background."""
    begun = undoing.begin(
        request.desk.org, job, actor=request.desk.actor, reason=acting.needed(request), page=acting.mark(request)
    )
    return acting.done(request, "It is being taken back; this page says how far it is.", "console:job", begun.id)


@require_POST
@permission(Permission.SEARCH)
@shielded
def result(request: StaffRequest, job: UUID) -> HttpResponse:
    """The file; that it was fetched is an event."""
    try:
        form, pieces = acts.access_result(request.desk.org, job, actor=request.desk.actor)
    except Forbidden:
        raise NotFound from None
    first = next(pieces, None)
    if first is None:
        return redirect("console:job", job)
    answer = StreamingHttpResponse(itertools.chain((first,), pieces), content_type=_MEDIA[form])
    answer["Content-Disposition"] = f'attachment; filename="carepost-export.{form}"'
    return cast(HttpResponse, answer)


def _one(desk: Desk, job: UUID) -> View:
    try:
        return select.one(desk.org, job, desk.actor)
    except Forbidden:
        raise NotFound from None


def _offered(desk: Desk) -> list[Kind]:
    return [kind for kind in KINDS if all(desk.may(needed) for needed in NEEDED[kind])]


def _choice(kind: Kind, seen: Foreseen, form: JobForm) -> dict[str, object]:
    label, words = KINDS[kind]
    count = seen.messages if kind is Kind.MESSAGES else seen.deliveries[kind.value]
    noun = ("message", "messages") if kind is Kind.MESSAGES else ("recipient", "recipients")
    return {
        "value": kind.value, "label": label, "words": words, "count": count, "noun": noun[count != 1],
        "checked": form.data.get("kind") == kind.value,
    }  # fmt: skip


def _row(view: View) -> dict[str, object]:
    kind = Kind(view.kind)
    word, tone = _STATES.get(view.state, (view.state, "plain"))
    return {
        "id": view.id, "what": KINDS[kind][0] if kind in KINDS else _OTHERS[kind], "word": word, "tone": tone,
        "at": view.created_at, "changed": view.changed_at, "seen": view.seen, "made": view.made,
        "made_words": _MADE[kind], "cause": view.cause, "why": _CAUSES.get(view.cause, _FAULT),
        "until": view.expires_at,
        "looked": _LOOKED.get(kind, "messages"), "total": view.total, "known": view.known, "wrong": view.wrong,
        "file": kind in IMPORTS, "undo": kind is Kind.IMPORT and view.made and view.state in _ENDED,
        "passed": view.wrong if kind is Kind.RESEND else 0, "listed": kind in LISTED,
        "tried": kind is Kind.TRY and view.state == "done" and view.made,
        "fetch": view.state == "done" and kind in FETCHED, "rows": view.wrong if kind in IMPORTS else view.made,
    }  # fmt: skip
