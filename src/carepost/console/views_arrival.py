"""Did it arrive? One page for whoever answers the telephone."""

from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from carepost.archive import arrival, arrivals
from carepost.console.guard import shielded
from carepost.console.search_form import ArrivalForm
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission

#: verdict -> (word, tone of its mark)
_WORDS: Final = {
    arrival.ACCEPTED: ("Yes", "good"), arrival.OPENED: ("Yes", "good"), arrival.WAITS: ("Not opened", "wait"),
    arrival.NOT_YET: ("Not yet", "wait"), arrival.HELD: ("Not yet", "bad"), arrival.PERHAPS: ("Perhaps", "wait"),
    arrival.NO: ("No", "bad"),
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.READ)
@shielded
def arrival_(request: StaffRequest) -> HttpResponse:
    """The question comes by POST, so that no address stands in a URL (law 10)."""
    if request.method != "POST":
        return render(request, "console/arrival.html", {"form": ArrivalForm()})
    form = ArrivalForm(request.POST)
    if not form.is_valid():
        return render(request, "console/arrival.html", {"form": form}, status=422)
    given = form.cleaned_data
    try:
        found = arrivals.asked(
            request.desk.org.bytes, request.desk.actor, given["recipient"], around=form.around_us(),
            days=int(given["days"] or 1), subject=given["subject"].strip(),
        )  # fmt: skip
    except Refused as error:
        form.add_error("subject", error.public)
        return render(request, "console/arrival.html", {"form": form}, status=422)
    context = {
        "form": form, "asked": True, "answers": [_shown(one) for one in found.answers], "more": found.more,
        "around": bool(given.get("around")), "now": clock.now(), "may_proof": request.desk.may(Permission.PROOF),
    }  # fmt: skip
    return render(request, "console/arrival.html", context)


def _shown(one: arrivals.Answer) -> dict[str, object]:
    word, tone = _WORDS[one.said.verdict]
    return {
        "message": one.message, "delivery": one.delivery, "subject": one.subject, "said": one.said, "word": word,
        "tone": tone,
    }  # fmt: skip
