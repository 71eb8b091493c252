"""Messages: the list with its search, the page with one timeline per recipient, acts with a reason, proofs."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.archive import holds
from carepost.console import fetches, records, views_resend, words
from carepost.console.forms import ActForm
from carepost.console.guard import shielded
from carepost.console.search_form import OWN, SearchForm
from carepost.console.timeline import Line, line, looks
from carepost.engagement import select as engagement
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.jobs import resending
from carepost.mailbox import deposits, door
from carepost.mailbox.course import courses
from carepost.tenancy.gates import Desk, StaffRequest, permission
from carepost.tenancy.models import ApiKey, Credential
from carepost.tenancy.permissions import Permission, authorise
from carepost.webhooks import select as webhooks
from carepost.wire.types import MessageView

_PAGE: Final = 50
#: recipients of one message whose proofs stand in the list; an auditor gets the others by command or API
_PROOFS: Final = 50
_DONE: Final = {
    "hold": "The delivery is held.",
    "release": "The delivery was released and goes on by itself.",
    "retry": "The delivery is tried again at once.",
    "retract": "The message was taken back for this recipient.",
}


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.SEARCH)
@shielded
def messages_(request: StaffRequest) -> HttpResponse:
    """The newest messages; a search comes by POST, so that nothing of it stands in an address (law 10)."""
    form = SearchForm(request.POST if request.method == "POST" else {"shown": request.GET.get("shown", "")})
    if not form.is_valid():
        return render(request, "console/messages.html", {"form": form, "rows": [], "searched": True}, status=422)
    given = form.cleaned_data
    found = records.find(
        request.desk,
        form.wanted(request.desk.org),
        cursor=given["cursor"],
        limit=_PAGE,
    )
    context = {
        "form": form,
        "rows": [_row(view) for view in found.messages],
        "searched": form.anything(),
        "all": bool(given["shown"]),
        "more": found.cursor,
        "later": bool(given["cursor"]),
        "kept": form.kept(),
        "back_to": found.back_to,
        "now": clock.now(),
        "may_read": request.desk.may(Permission.READ),
        # whoever may not open the message finds its proofs in the list
        "may_prove": request.desk.may(Permission.PROOF) and not request.desk.may(Permission.READ),
        "may_job": form.anything() and (request.desk.may(Permission.RELEASE) or request.desk.may(Permission.READ)),
    }
    return render(request, "console/messages.html", context)


@require_safe
@permission(Permission.READ)
@shielded
def message(request: StaffRequest, message: UUID) -> HttpResponse:
    return _page(request, message)


@require_POST
@permission(Permission.RELEASE)
@shielded
def act(request: StaffRequest, message: UUID, delivery: UUID) -> HttpResponse:
    form = ActForm(request.POST)
    if not form.is_valid():
        return _page(request, message, wrong=str(delivery), error="Say why; it is kept with the event.", status=422)
    verb, reason = form.cleaned_data["verb"], form.cleaned_data["reason"]
    if verb == "retract":
        authorise(request.desk.actor, Permission.RETRACT, request.desk.org)
    state = _act(request, verb, delivery, reason)
    if state == "needs-another":
        messages.error(request, "It waits for somebody else: nobody approves their own message, or approves it twice.")
    elif verb == "release" and state == "held":
        messages.success(request, "Your approval is on record; another person must approve too.", extra_tags="console")
    elif state in ("not-found", "not-possible"):
        messages.error(request, "That is not possible any more: the delivery has moved on. See its timeline below.")
    else:
        messages.success(request, _DONE[verb], extra_tags="console")
    return redirect("console:message", message)


@require_POST
@permission(Permission.PROOF)
@shielded
def proof(request: StaffRequest, message: UUID, delivery: UUID) -> HttpResponse:
    """The proof of one delivery, as a file; making it is an event."""
    made = records.proof(request.desk, message, delivery)
    response = HttpResponse(made, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="carepost-proof-{delivery}.json"'
    return response


def _act(request: StaffRequest, verb: str, delivery: UUID, reason: str) -> str:
    """The delivery's new state. What lies in the portal is taken back there, everything else by the engine."""
    org, actor = request.desk.org.bytes, request.desk.actor
    if verb == "retract":
        try:
            return deposits.retract(org, delivery.bytes, actor=actor, reason=reason)
        except NotFound:
            pass
    try:
        also = known_as(request.desk) if verb == "release" else ()
        states = door.client().act(verb, org, (delivery.bytes,), actor, reason, also)
    except NotFound:
        return "not-found"
    return states.get(str(delivery), "not-found")


def known_as(desk: Desk) -> tuple[str, ...]:
    """What else this person is known by to the engine, so that nobody approves their own message."""
    mine = {"org_id": desk.org, "owner_id": desk.staff.pk}
    credentials = [f"credential:{pk}" for pk in Credential.objects.filter(**mine).values_list("pk", flat=True)]
    keys = [f"key:{pk}" for pk in ApiKey.objects.filter(**mine).values_list("pk", flat=True)]
    return (desk.staff.email, *credentials, *keys)


def _page(request: StaffRequest, message: UUID, *, wrong: str = "", error: str = "", status: int = 200) -> HttpResponse:
    view = records.access_message(request.desk, message)
    course = courses(request.desk.org.bytes, message)
    lines = [line(delivery, course.get(delivery.id), view.at) for delivery in view.deliveries]
    fetched = engagement.access_copies(request.desk.org, request.desk.actor, message.bytes)
    lines = [fetches.beside(one, fetched.get(one.id, ())) for one in lines]
    desk = request.desk
    context = {
        "view": view,
        "origin": words.ORIGINS.get(view.origin, view.origin),
        "lines": [_with_rights(one, desk.may(Permission.RELEASE), desk.may(Permission.RETRACT)) for one in lines],
        "may_proof": desk.may(Permission.PROOF),
        "may_keep": desk.may(Permission.ORGANISATION),
        "told": webhooks.of_message(desk.org, desk.actor, message.bytes),
        "looked": looks(view, may_audit=desk.may(Permission.AUDIT)),
        "may_resend": views_resend.may(desk) and any(one.state in resending.AGAIN for one in view.deliveries),
        "kept_since": holds.of_message(desk.org, message.bytes),
        "wrong": wrong,
        "error": error,
        "now": clock.now(),
    }
    return render(request, "console/message.html", context, status=status)


def _with_rights(one: Line, release: bool, retract: bool) -> dict[str, object]:
    verbs = [
        (verb, label)
        for verb, label, possible in (
            ("release", "Release", release and one.may_release),
            ("retry", "Try again now", release and one.may_retry),
            ("hold", "Hold", release and one.may_hold),
            ("retract", "Take back", release and retract and one.may_retract),
        )
        if possible
    ]
    return {"line": one, "verbs": verbs, "decides": release and one.may_release}


def _row(view: MessageView) -> dict[str, object]:
    marks: dict[str, tuple[words.Mark, int]] = {}
    for delivery in view.deliveries:
        mark, count = marks.get(delivery.state, (words.state(delivery.state), 0))
        marks[delivery.state] = (mark, count + 1)
    return {
        "id": view.id,
        "at": view.at,
        "sender": view.sender,
        "subject": view.subject,
        "recipients": [d.recipient for d in view.deliveries[:3]],
        "others": max(0, len(view.deliveries) - 3),
        "deliveries": view.deliveries[:_PROOFS],
        "no_proof": max(0, len(view.deliveries) - _PROOFS),
        "marks": list(marks.values()),
        "several": len(view.deliveries) > 1,
        "own": words.ORIGINS[view.origin] if view.origin in OWN else "",
    }
