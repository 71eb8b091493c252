"""The suppression list for machines: read, searched, added to, undone, imported and exported (decision 0028)."""

import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import cast
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse

from carepost.api import answers, asked, shapes
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.destinations import suppressions as listed
from carepost.destinations.suppression_pages import STANDINGS
from carepost.destinations.suppressions import Page
from carepost.ground import clock
from carepost.jobs import acts as jobs
from carepost.jobs import importing, undoing
from carepost.tenancy.actions import suppression
from carepost.tenancy.permissions import Scope

_FILES = ("text/csv", "application/x-ndjson")
_FORMS = {"text/csv": "csv", "application/x-ndjson": "ndjson"}
_MEDIA = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_BLOCK = 262_144


@scoped(Scope.SUPPRESSIONS, methods=("GET", "POST"))
def suppressions(request: ApiRequest) -> HttpResponse:
    caller = request.caller
    if request.method == "POST":
        given = asked.body(request, shapes.Suppress)
        if 0 < given.expires_at <= clock.now():
            detail = "`expires_at` (UTC microseconds) has passed already: nothing would be kept back."
            raise ProblemError(422, "end-passed", detail)
        added = suppression.suppress(
            caller.org, given.address, actor=caller.actor, reason=given.reason, scope=given.scope, source="api",
            expires_at=given.expires_at, note=given.note,
        )  # fmt: skip
        return answers.json(shapes.Changed(added), 201 if added else 200)
    query = asked.query(request, "cursor", "limit", "reason", "scope", "standing")
    _among(query, "reason", suppression.REASONS)
    _among(query, "scope", suppression.SCOPES)
    _among(query, "standing", STANDINGS)
    found = listed.page(
        caller.org.bytes, caller.actor, after=query["cursor"], reason=query["reason"], scope_=query["scope"],
        standing=query["standing"] or "current", limit=asked.limit(query["limit"]),
    )  # fmt: skip
    return _answer(found)


@scoped(Scope.SUPPRESSIONS, methods=("POST",))
def search(request: ApiRequest) -> HttpResponse:
    """The address comes in the body: it never stands in a URL (law 10)."""
    given = asked.body(request, shapes.FindSuppression)
    found = listed.page(
        request.caller.org.bytes, request.caller.actor, address=given.address, standing=given.standing.value
    )
    return _answer(found)


@scoped(Scope.SUPPRESSIONS, methods=("POST",))
def unsuppress(request: ApiRequest) -> HttpResponse:
    given = asked.body(request, shapes.Unsuppress)
    caller = request.caller
    suppression.unsuppress(caller.org, given.address, actor=caller.actor, reason=given.reason, scope=given.scope)
    return answers.json(shapes.Changed(True))


@scoped(Scope.SUPPRESSIONS, methods=("POST",))
def import_(request: ApiRequest) -> HttpResponse:
    """The body is the file."""
    query = asked.query(request, "dry_run", "reason")
    if query["dry_run"] not in ("", "true", "false"):
        raise ProblemError(422, "invalid", "`dry_run` is true or false.")
    _among(query, "reason", suppression.REASONS)
    if (request.content_type or "").lower() not in _FILES:
        raise ProblemError(415, "media-type", f"Send the file as {' or '.join(_FILES)}.")
    try:
        raw = request.body
    except Exception:  # Django raises several kinds for a body that is too large or cut off
        detail = "The file is too large to be imported while you wait, or it ended early: POST /suppressions/imports."
        raise ProblemError(413, "too-large", detail) from None
    caller = request.caller
    done = listed.import_(
        caller.org.bytes, caller.actor, raw, dry_run=query["dry_run"] == "true", reason=query["reason"] or "request"
    )
    wrong = tuple(shapes.WrongLine(line, detail) for line, detail in done.wrong)
    return answers.json(
        shapes.ImportedSuppressions(done.lines, done.added, done.known, done.failed, wrong, done.dry_run)
    )


@scoped(Scope.SUPPRESSIONS, methods=("POST",))
def imports(request: ApiRequest) -> HttpResponse:
    """The body is the file, kept as it comes and never whole in memory; a job puts it on the list."""
    query = asked.query(request, "dry_run", "reason")
    if query["dry_run"] not in ("", "true", "false"):
        raise ProblemError(422, "invalid", "`dry_run` is true or false.")
    _among(query, "reason", suppression.REASONS)
    form = _FORMS.get((request.content_type or "").lower())
    if form is None:
        raise ProblemError(415, "media-type", f"Send the file as {' or '.join(_FILES)}.")
    caller = request.caller
    begun = importing.begin(
        caller.org, _blocks(request), actor=caller.actor, form=form, dry_run=query["dry_run"] == "true",
        cause=query["reason"] or "request",
    )  # fmt: skip
    return answers.json(begun, 202)


@scoped(Scope.SUPPRESSIONS)
def import_job(request: ApiRequest, job: UUID) -> HttpResponse:
    asked.query(request)
    return answers.json(jobs.view(importing.one(request.caller.org, job)))


@scoped(Scope.SUPPRESSIONS, methods=("POST",))
def import_begin(request: ApiRequest, job: UUID) -> HttpResponse:
    """What was tried is imported; the file is not sent again."""
    importing.one(request.caller.org, job)
    return answers.json(importing.begin_tried(request.caller.org, job, actor=request.caller.actor), 202)


@scoped(Scope.SUPPRESSIONS, methods=("POST",))
def import_cancel(request: ApiRequest, job: UUID) -> HttpResponse:
    importing.one(request.caller.org, job)
    return answers.json(jobs.cancel(request.caller.org, job, actor=request.caller.actor))


@scoped(Scope.SUPPRESSIONS, methods=("POST",))
def import_undo(request: ApiRequest, job: UUID) -> HttpResponse:
    """A job too; what it is about is said by its own number."""
    given = asked.body(request, shapes.Undo)
    return answers.json(undoing.begin(request.caller.org, job, actor=request.caller.actor, reason=given.reason), 202)


@scoped(Scope.SUPPRESSIONS)
def import_problems(request: ApiRequest, job: UUID) -> HttpResponse:
    """Which lines are wrong, and how: a line of the answer each, in the form the file had."""
    asked.query(request)
    importing.one(request.caller.org, job)
    form, pieces = jobs.access_result(request.caller.org, job, actor=request.caller.actor)
    return cast(HttpResponse, StreamingHttpResponse(pieces, content_type=_MEDIA[form]))


def _blocks(request: ApiRequest) -> Iterator[bytes]:
    try:
        while block := request.read(_BLOCK):
            yield block
    except OSError:
        raise ProblemError(400, "cut-off", "The file ended early; send it again.") from None


@scoped(Scope.SUPPRESSIONS)
def export(request: ApiRequest) -> HttpResponse:
    """Lines of JSON, the newest first."""
    asked.query(request)
    lines = listed.export(request.caller.org.bytes, request.caller.actor)
    # the first page before the answer begins: who may not see it is told so
    whole = itertools.chain((next(lines),), lines)
    return cast(HttpResponse, StreamingHttpResponse(whole, content_type="application/x-ndjson"))


def _among(query: Mapping[str, str], name: str, words: Collection[str]) -> None:
    if query[name] and query[name] not in words:
        raise ProblemError(422, "invalid", f"`{name}` is one of {', '.join(words)}.")


def _answer(page: Page) -> HttpResponse:
    rows = tuple(
        shapes.Suppression(r.address, r.reason, r.at, r.scope, r.source, r.expires_at, r.note) for r in page.rows
    )
    return answers.json(shapes.Suppressions(rows, page.cursor))
