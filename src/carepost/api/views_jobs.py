"""Jobs: retry, take back or send again all messages that fit a search, and exports. A key needs the scope `jobs` and
that of the act itself."""

from collections.abc import Iterator
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse

from carepost.api import answers, asked, searching
from carepost.api import shapes_jobs as shapes
from carepost.api.gate import ApiRequest, scoped
from carepost.jobs import acts, select
from carepost.jobs.types import Asked
from carepost.tenancy.permissions import Scope

_MEDIA = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


@scoped(Scope.JOBS, methods=("GET", "POST"))
def jobs(request: ApiRequest) -> HttpResponse:
    caller = request.caller
    if request.method == "POST":
        given = asked.body(request, shapes.AddJob)
        wanted = Asked(
            searching.wanted(caller.org, given.search), given.reason, given.form.value, given.opened, given.as_today
        )
        return answers.json(acts.begin(caller.org, given.kind, wanted, actor=caller.actor), 202)
    found = select.listing(caller.org, caller.actor)
    return answers.json(shapes.Jobs(found))


@scoped(Scope.JOBS)
def job(request: ApiRequest, job: UUID) -> HttpResponse:
    return answers.json(select.one(request.caller.org, job, request.caller.actor))


@scoped(Scope.JOBS, methods=("POST",))
def cancel(request: ApiRequest, job: UUID) -> HttpResponse:
    return answers.json(acts.cancel(request.caller.org, job, actor=request.caller.actor))


@scoped(Scope.JOBS)
def result(request: ApiRequest, job: UUID) -> HttpResponse:
    form, pieces = acts.access_result(request.caller.org, job, actor=request.caller.actor)
    answer = StreamingHttpResponse(_octets(pieces), content_type=_MEDIA[form])
    answer["Content-Disposition"] = f'attachment; filename="carepost-export.{form}"'
    return answer  # type: ignore[return-value]


def _octets(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield from pieces
