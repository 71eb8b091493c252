"""One message sent again: who would get it, who would not and why, and nothing before somebody agrees."""

from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from carepost.console import acting, records, words
from carepost.console.guard import shielded
from carepost.console.job_forms import ResendForm
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound
from carepost.jobs import resending
from carepost.jobs.types import NEEDED, Kind
from carepost.tenancy.gates import Desk, StaffRequest, permission
from carepost.tenancy.permissions import Permission

_ALL: Final = NEEDED[Kind.RESEND]


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.SEND)
@shielded
def resend(request: StaffRequest, message: UUID) -> HttpResponse:
    if not may(request.desk):
        raise NotFound
    if request.method != "POST":
        return _page(request, message, ResendForm(), ids.text(ids.new()))
    form, token = ResendForm(request.POST), str(request.POST.get("token", ""))[:60]
    chosen = _chosen(request.POST.getlist("delivery"))
    if not form.is_valid() or not chosen or not token:
        if not chosen:
            form.add_error(None, "Choose at least one recipient.")
        return _page(request, message, form, token or ids.text(ids.new()), status=422)
    done = resending.resend(
        request.desk.org.bytes, message.bytes, request.desk.actor, form.cleaned_data["reason"].strip(), chosen=chosen,
        anew=form.cleaned_data["as_today"], key=f"{request.desk.actor.id}:{token}",
    )  # fmt: skip
    if not done.message:
        form.add_error(None, "None of them may get it again any more; see their states below.")
        return _page(request, message, form, token, status=422)
    count = len(done.deliveries)
    sentence = f"Sent again to {count} {'recipient' if count == 1 else 'recipients'}, as a new message."
    return acting.done(request, sentence, "console:message", message)


def may(desk: Desk) -> bool:
    return all(desk.may(needed) for needed in _ALL)


def _chosen(given: list[str]) -> tuple[bytes, ...]:
    try:
        return tuple(UUID(one).bytes for one in given)
    except ValueError:
        raise NotFound from None


def _page(request: StaffRequest, message: UUID, form: ResendForm, token: str, status: int = 200) -> HttpResponse:
    view = records.access_message(request.desk, message)
    picked = request.POST.getlist("delivery") if form.is_bound else None
    rows = [
        {
            "id": one.id, "recipient": one.recipient, "mark": words.state(one.state),
            "may": one.state in resending.AGAIN,
            "checked": one.id in picked if picked is not None else one.state in ("failed", "expired"),
        }
        for one in view.deliveries
    ]  # fmt: skip
    context = {
        "view": view, "form": form, "rows": rows, "token": token, "now": clock.now(),
        "anybody": any(row["may"] for row in rows),
    }  # fmt: skip
    return render(request, "console/resend.html", context, status=status)
