"""How deliveries went, for machines."""

from django.http import HttpResponse

from carepost.api import answers, asked, shapes_reports
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.archive import complaints, report
from carepost.ground import clock
from carepost.tenancy.permissions import Scope

_DAYS_US = 30 * 86_400_000_000


@scoped(Scope.SEARCH)
def deliveries(request: ApiRequest) -> HttpResponse:
    query = asked.query(request, "by", "since", "until", "form")
    if query["form"] not in ("", "json", "csv"):
        raise ProblemError(422, "invalid", "`form` is json or csv.")
    until = asked.time(query["until"], "until") or clock.now()
    since = asked.time(query["since"], "since") or max(0, until - _DAYS_US)
    caller = request.caller
    found = report.of(caller.org.bytes, caller.actor, since=since, until=until, by=query["by"] or "provider")
    if query["form"] == "csv":
        return HttpResponse(report.table(found), content_type="text/csv; charset=utf-8")
    return answers.json(shapes_reports.report(found))


@scoped(Scope.SEARCH)
def complaint_days(request: ApiRequest) -> HttpResponse:
    query = asked.query(request, "since", "until")
    until = asked.time(query["until"], "until") or clock.now()
    since = asked.time(query["since"], "since") or max(0, until - _DAYS_US)
    found = complaints.days(request.caller.org.bytes, request.caller.actor, since=since, until=until)
    return answers.json(shapes_reports.complaint_days(found))
