"""Webhooks: addresses of the organisation's own programs, how their calls go, and what each was told."""

from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.console import acting
from carepost.console.guard import shielded
from carepost.console.webhook_forms import AgreementForm, ReplayForm, RotateForm, WebhookForm
from carepost.ground import clock, ids
from carepost.ground.errors import Refused
from carepost.proof import kinds
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.tenancy.pressed import MadeAlready
from carepost.webhooks import acts, select, settling
from carepost.webhooks.acts import Made
from carepost.webhooks.calls.rows import Try
from carepost.webhooks.select import Shown

_TONES: Final = {settling.SENT_: "good", settling.AGAIN: "wait", settling.GAVE_UP: "bad", settling.LEFT_OUT: "plain"}
_WORDS: Final = {
    settling.SENT_: "Taken", settling.AGAIN: "Will be tried again", settling.GAVE_UP: "Given up",
    settling.LEFT_OUT: "Not told",
}  # fmt: skip
#: why no answer came
_CODES: Final = {
    "timeout": "no answer in time", "certificate": "its certificate does not prove its name", "tls": "TLS failed",
    "refused": "nothing listens there", "connection": "the connection broke", "cut-off": "the answer was cut off",
    "private": "its name leads into our own network", "no-address": "its name leads nowhere",
    "dns": "its name could not be looked up", "not-http": "what answered is no HTTP",
    "too-long": "the answer’s head is too long", "past-retention": "the event was disposed of",
}  # fmt: skip
#: calls of one page: on a telephone each takes some lines
_CALLS: Final = 10
_SOON: Final = "It shows in the log below within a few seconds."


@require_safe
@permission(Permission.WEBHOOKS)
@shielded
def webhooks(request: StaffRequest) -> HttpResponse:
    now = clock.now()
    lines = [(one, _mark(one)) for one in select.endpoints(request.desk.org, request.desk.actor, now=now)]
    return render(request, "console/webhooks.html", {"lines": lines, "now": now})


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.WEBHOOKS)
@shielded
def new(request: StaffRequest) -> HttpResponse:
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            made = acts.add_endpoint(
                request.desk.org, given["url"], actor=request.desk.actor, name=given["name"], format=given["format"],
                filter=form.filter(), page=acting.mark(request),
            )  # fmt: skip
        except MadeAlready as twice:
            return _made_already(request, "This webhook was added already", twice.made)
        except Refused as refused:
            form.add_error(None, refused.public)
        else:
            return _page(request, made.endpoint, made=made)
    return render(request, "console/webhook-edit.html", {"form": form}, status=422 if form.is_bound else 200)


@require_safe
@permission(Permission.WEBHOOKS)
@shielded
def webhook(request: StaffRequest, row: UUID) -> HttpResponse:
    return _page(request, row)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.WEBHOOKS)
@shielded
def change(request: StaffRequest, row: UUID) -> HttpResponse:
    one = select.endpoint(request.desk.org, request.desk.actor, row, now=clock.now())
    form = WebhookForm(request.POST) if request.method == "POST" else WebhookForm.of(one)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            acts.change_endpoint(
                request.desk.org, row, actor=request.desk.actor, url=given["url"], name=given["name"],
                format=given["format"], filter=form.filter(),
            )  # fmt: skip
        except Refused as refused:
            form.add_error(None, refused.public)
        else:
            return acting.done(request, "Changed.", "console:webhook", row)
    return render(
        request, "console/webhook-edit.html", {"form": form, "one": one}, status=422 if form.is_bound else 200
    )


@require_POST
@permission(Permission.WEBHOOKS)
@shielded
def rotate(request: StaffRequest, row: UUID) -> HttpResponse:
    form = RotateForm(request.POST)
    if not form.is_valid():
        return _page(request, row, rotating=form, status=422)
    overlap, mark = form.cleaned_data["overlap"], acting.mark(request)
    try:
        made = acts.rotate_secret(request.desk.org, row, actor=request.desk.actor, overlap=overlap, page=mark)
    except MadeAlready:
        return _made_already(request, "This secret was made already", row)
    return _page(request, row, made=made)


def _made_already(request: StaffRequest, title: str, row: UUID) -> HttpResponse:
    said = "If you have not copied the secret, make a new one on the webhook’s page, under Keys."
    return acting.made_already(request, title, said, "console:webhook", row, label="See the webhook")


@require_POST
@permission(Permission.WEBHOOKS)
@shielded
def act(request: StaffRequest, row: UUID, verb: str) -> HttpResponse:
    """pause | resume | skip | test | remove: buttons of the page."""
    org, actor = request.desk.org, request.desk.actor
    if verb == "pause":
        acts.pause(org, row, actor=actor)
        return acting.done(request, "It is told nothing until you resume it.", "console:webhook", row)
    if verb == "resume":
        acts.resume(org, row, actor=actor, catch_up="skip" not in request.POST)
        return acting.done(request, "It is told again.", "console:webhook", row)
    if verb == "test":
        acts.test(org, row, actor=actor)
        return acting.done(request, f"It is told of a test. {_SOON}", "console:webhook", row)
    acts.remove_endpoint(org, row, actor=actor, reason=acting.needed(request))
    return acting.done(request, "That webhook is told nothing any more.", "console:webhooks")


@require_POST
@permission(Permission.WEBHOOKS)
@shielded
def agreement(request: StaffRequest, row: UUID) -> HttpResponse:
    org, actor = request.desk.org, request.desk.actor
    if "end" in request.POST:
        acts.end_agreement(org, row, actor=actor)
        return acting.done(request, "Nothing personal is told there any more.", "console:webhook", row)
    form = AgreementForm(request.POST)
    if form.is_valid():
        try:
            acts.record_agreement(org, row, form.agreement(), actor=actor)
        except Refused as refused:
            form.add_error(None, refused.public)
        else:
            return acting.done(request, "It is told what is personal from now on.", "console:webhook", row)
    return _page(request, row, agreeing=form, status=422)


@require_POST
@permission(Permission.WEBHOOKS)
@shielded
def replay(request: StaffRequest, row: UUID) -> HttpResponse:
    org, actor = request.desk.org, request.desk.actor
    if "event" in request.POST:
        acts.replay(org, row, actor=actor, event=str(request.POST["event"]))
        return acting.done(request, f"It is told again of that event. {_SOON}", "console:webhook", row)
    form = ReplayForm(request.POST)
    if form.is_valid():
        since, until = form.moments()
        try:
            acts.replay(org, row, actor=actor, since=since, until=until)
        except Refused as refused:
            form.add_error(None, refused.public)
        else:
            return acting.done(request, f"It is told again of that time. {_SOON}", "console:webhook", row)
    return _page(request, row, replaying=form, status=422)


def _page(
    request: StaffRequest, row: UUID, *, made: Made | None = None, rotating: RotateForm | None = None,
    agreeing: AgreementForm | None = None, replaying: ReplayForm | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    now = clock.now()
    one = select.endpoint(request.desk.org, request.desk.actor, row, now=now)
    result, cursor = _query(request, "result", tuple(_WORDS)), str(request.GET.get("cursor", ""))
    tries, following = select.deliveries(
        request.desk.org, request.desk.actor, row, result=result, cursor=cursor, limit=_CALLS
    )
    context: dict[str, Any] = {
        "one": one, "mark": _mark(one), "made": made, "now": now, "tries": [_line(row_) for row_ in tries],
        "next": following, "cursor": cursor, "result": result, "results": list(_WORDS.items()),
        "events": [(kind, kinds.info(kind).words) for kind in one.filter.events],
        "rotate": rotating or RotateForm(), "rotating": rotating is not None,
        "agree": agreeing or AgreementForm(), "agreeing": agreeing is not None,
        "replay": replaying or ReplayForm(), "replaying": replaying is not None,
    }  # fmt: skip
    return render(request, "console/webhook.html", context, status=status)


def _query(request: StaffRequest, name: str, known: tuple[str, ...]) -> str:
    given = str(request.GET.get(name, ""))
    return given if given in known else ""


def _mark(one: Shown) -> tuple[str, str, str]:
    """(tone, word, why) of how it is."""
    if one.state == "disabled":
        why = "It answered that it is gone." if one.cause == "gone" else "It took nothing for a day."
        return "bad", "Disabled", why
    if one.state == "paused":
        return "wait", "Paused", "It is told nothing until you resume it."
    if one.calls.failing_since:
        why = _CODES.get(one.calls.code, "") or f"its last answer was {one.calls.status}"
        return "bad", "Failing", why[:1].upper() + why[1:] + "."
    if one.calls.good_at:
        return "good", "Working", ""
    return "wait", "Not used yet", "No event came by yet. Send it a test."


def _line(one: Try) -> dict[str, Any]:
    what = f"HTTP {one.status}" if one.status else _CODES.get(one.code, one.code)
    return {
        "at": one.at, "kind": one.kind, "event": ids.text(one.event), "number": one.number, "took": one.took_ms,
        "message": ids.text(one.message) if one.message else "", "tone": _TONES[one.result],
        "word": _WORDS[one.result], "what": what, "said": one.said, "test": one.kind == acts.TESTED,
    }  # fmt: skip
