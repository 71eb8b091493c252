"""How deliveries went by provider, domain or day: a plain table, and the same as CSV."""

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from carepost.archive import complaints
from carepost.archive import report as reports
from carepost.console import words
from carepost.console.guard import shielded
from carepost.console.search_form import day, midnight
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.rfc.bounces import MEANINGS
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.ui import times

_BY: Final = [("provider", "mail provider"), ("domain", "recipient’s domain"), ("day", "day")]
_DAYS: Final = 30


class ReportForm(forms.Form):
    by = forms.ChoiceField(label="By", required=False, choices=_BY, widget=forms.Select({"class": "form-select"}))
    since = day("From (day, UTC)")
    until = day("To (day, UTC)")


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.SEARCH)
@shielded
def report(request: StaffRequest) -> HttpResponse:
    today = times.moment(clock.now()).date()
    first = today - timedelta(days=_DAYS - 1)
    begun = {"by": "provider", "since": first, "until": today}
    form = ReportForm(request.POST if request.method == "POST" else begun)
    if not form.is_valid():
        return render(request, "console/report.html", {"form": form}, status=422)
    given = form.cleaned_data
    try:
        found = reports.of(
            request.desk.org.bytes, request.desk.actor, by=given["by"] or "provider",
            since=midnight(given["since"] or first), until=midnight(given["until"] or today),
        )  # fmt: skip
    except Refused as error:
        form.add_error("until", error.public)
        return render(request, "console/report.html", {"form": form}, status=422)
    if request.POST.get("as") == "csv":
        answer = HttpResponse(reports.table(found), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="carepost-deliveries.csv"'
        return answer
    told = complaints.days(
        request.desk.org.bytes, request.desk.actor, since=midnight(given["since"] or first),
        until=midnight(given["until"] or today),
    )  # fmt: skip
    rows = [_row(row) for row in found.rows]
    context = {
        "form": form, "report": found, "rows": rows, "total": _row(found.total), "heading": dict(_BY)[found.by],
        "days": [(one, _percent(one.rate)) for one in told.rows], "days_cut": told.cut,
        "kept": [(name, form.data.get(name, begun[name])) for name in ("by", "since", "until")],
    }  # fmt: skip
    return render(request, "console/report.html", context)


def _row(row: reports.Row) -> dict[str, Any]:
    return {
        "name": row.name, "row": row, "bounce": _percent(row.bounce_rate), "complaint": _percent(row.complaint_rate),
        "median": _time(row.median_ms), "p95": _time(row.p95_ms),
        "reasons": [(_reason(name), number) for name, number in _largest(row.failed, row.bounced)],
        "methods": _shares(row.methods, words.METHODS), "assurances": _shares(row.assurances, {}),
        "watch": row.complaint_rate >= 0.001 or row.bounce_rate >= 0.03,
    }  # fmt: skip


def _largest(*counts: dict[str, int]) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for one in counts:
        for name, number in one.items():
            sums[name] = sums.get(name, 0) + number
    return sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))[:5]


def _reason(name: str) -> str:
    return MEANINGS[name].words.rstrip(".") if name in MEANINGS else name.replace("-", " ")


def _shares(counts: dict[str, int], names: dict[str, str]) -> list[str]:
    whole = sum(counts.values())
    return [
        f"{names.get(name, name)} {_percent(number / whole)}"
        for name, number in sorted(counts.items(), key=lambda pair: -pair[1])
    ]


def _percent(share: float) -> str:
    return f"{share * 100:.2f} %" if 0 < share < 0.01 else f"{share * 100:.1f} %"


def _time(milliseconds: int) -> str:
    if not milliseconds:
        return "–"
    seconds = milliseconds / 1000
    return (
        f"{seconds:.1f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )
