"""Held: what waits for a person, why, what can be done about it and until when; and what is decided."""

from typing import Any, Final
from uuid import UUID

import msgspec
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.console import acting
from carepost.console import words as house
from carepost.console.guard import shielded
from carepost.console.held_forms import AgreeForm, DecideForm, FilterForm, LettersForm
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.phi.render import render as render_html
from carepost.review import acts, held, settings, words
from carepost.review.acts import Done
from carepost.review.held import Detail, Who
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.wire.types import HeldView, WayView

_PAGE: Final = 50
_HOUR_US: Final = 3_600_000_000
#: hours before its end at which a delivery is marked
_SOON: Final = 24
_DONE: Final = {
    "released": "released",
    "approved": "approved, and somebody else must approve too",
    "refused": "refused",
}


_ANEW: Final = (
    "Since this page was opened it was let go and is held again, perhaps for another reason. Nothing was done now: "
    "look why it waits, and decide then."
)


class Row(msgspec.Struct, frozen=True):
    view: HeldView
    kind: str
    soon: bool
    barred: str


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.RELEASE)
@shielded
def held_(request: StaffRequest) -> HttpResponse:
    """What waits; what is asked for comes by POST, so that nothing of it stands in an address (law 10)."""
    form = FilterForm(request.POST if request.method == "POST" else {"kind": request.GET.get("kind", "")})
    if not form.is_valid():
        return render(request, "console/held.html", {"form": form, "rows": [], "asked": True}, status=422)
    given = form.cleaned_data
    page = held.listing(
        request.desk.org, _who(request), kind=given["kind"], cursor=given["cursor"], limit=_PAGE, only=form.only()
    )
    context = {
        "form": form,
        "rows": [_row(view) for view in page.rows],
        "asked": form.anything(),
        "more": page.cursor,
        "later": bool(given["cursor"]),
        "kept": [(name, form.data.get(name, "")) for name in form.fields if name != "cursor"],
        "now": clock.now(),
        "may_set": request.desk.may(Permission.ORGANISATION),
    }
    return render(request, "console/held.html", context)


@require_safe
@permission(Permission.RELEASE)
@shielded
def delivery(request: StaffRequest, delivery: UUID) -> HttpResponse:
    return _page(request, delivery)


@require_safe
@permission(Permission.READ)
@shielded
def message(request: StaffRequest, delivery: UUID) -> HttpResponse:
    """The message itself. That it was looked at is on record before it is shown (law 7)."""
    view, content = held.content(request.desk.org, _who(request), delivery.bytes)
    text = content.text or render_html(content.html)
    context = {"view": view, "content": content, "text": text, "from_page": not content.text, "now": clock.now()}
    return render(request, "console/held-message.html", context)


@require_POST
@permission(Permission.RELEASE)
@shielded
def decide(request: StaffRequest) -> HttpResponse:
    """One or several. Several are shown once more before anything is done."""
    form = DecideForm(request.POST)
    if not form.is_valid():
        return _again(request, form, "Choose at least one delivery, and what to do with it.")
    several = form.cleaned_data["from_list"]
    if several and not form.cleaned_data["confirmed"]:
        return _confirm(request, form)
    if not form.cleaned_data["reason"]:
        return _again(request, form, "Say why; it is kept with the event.")
    if _held_anew(request, form):
        return _again(request, form, _ANEW)
    try:
        done = _carry_out(request, form)
    except Refused as refused:
        return _again(request, form, refused.public)
    _tell(request, done)
    return redirect("console:held")


@require_POST
@permission(Permission.RELEASE)
@shielded
def agree(request: StaffRequest, delivery: UUID) -> HttpResponse:
    """An access code, or a question with its answer, for a message that waits for that."""
    form = AgreeForm(request.POST)
    if not form.is_valid():
        return _page(request, delivery, agree="A code or answer has at most 128 characters, a question 255.", form=form)
    if not form.cleaned_data["reason"]:
        return _page(request, delivery, agree="Say why; it is kept with the event. Enter the code again.", form=form)
    try:
        done = acts.agree(
            request.desk.org, _who(request), delivery.bytes, reason=form.cleaned_data["reason"], **form.given()
        )
    except Refused as refused:
        return _page(request, delivery, agree=refused.public, form=form)
    _tell(request, [done])
    return redirect("console:held")


@require_safe
@permission(Permission.RELEASE)
def count(request: StaffRequest) -> HttpResponse:
    """A figure for the navigation; nothing where it is not known now."""
    try:
        waiting = held.count(request.desk.org)
    except Unavailable:
        waiting = 0
    return render(request, "console/held-count.html", {"waiting": waiting, "now": clock.now()})


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.ORGANISATION)
@shielded
def letters(request: StaffRequest) -> HttpResponse:
    """Who is told that something waits, how often, and when again."""
    now = settings.of(request.desk.org)
    given = {"letters": now.letters, "address": now.address, "remind": now.remind}
    form = LettersForm(request.POST) if request.method == "POST" else LettersForm(given)
    if request.method == "POST" and form.is_valid():
        try:
            settings.change(request.desk.org, actor=request.desk.actor, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, refused.public)
        else:
            return acting.done(request, "The letters are set.", "console:held")
    context = {"form": form, "bound": request.method == "POST"}
    status = 422 if request.method == "POST" else 200
    return render(request, "console/held-letters.html", context, status=status)


def _who(request: StaffRequest) -> Who:
    return held.staff(request.desk.org, request.desk.staff)


def _row(view: HeldView) -> Row:
    soon = bool(view.until) and view.until - clock.now() <= _SOON * _HOUR_US
    return Row(view, words.KINDS[words.kind(view)][0], soon, words.BARRED.get(view.barred, ""))


def _page(
    request: StaffRequest, delivery: UUID, *, error: str = "", agree: str = "",
    form: DecideForm | AgreeForm | None = None,
) -> HttpResponse:  # fmt: skip
    try:
        found = held.one(request.desk.org, _who(request), delivery.bytes)
    except NotFound:
        return _past(request, delivery)
    view, ways = found.view, [_way(way) for way in found.ways]
    context = {
        "one": found,
        "view": view,
        "kind": words.KINDS[found.kind],
        "said": words.content(view),
        "then": words.THEN.get(view.then, ""),
        "barred": words.BARRED.get(view.barred, ""),
        "missing": max(0, view.approvals - len(view.approved)),
        "now_way": ways[0] if ways else None,
        "other_ways": ways[1:],
        "idle": bool(ways) and not any(way["allowed"] for way in ways) and ways[0]["end"] == "hold",
        "origin": house.ORIGINS.get(view.origin, view.origin),
        "may_read": request.desk.may(Permission.READ),
        "open": view.state == "held",
        "error": error,
        "typed": form.data if form is not None else {},
        "agree": found.kind == "access",
        "of_key": found.kind == "key",
        "decides_keys": found.kind == "key" and request.desk.may(Permission.KEYRING),
        "agree_error": agree,
        "done": _last(found),
        "now": clock.now(),
    }
    return render(request, "console/held-one.html", context, status=422 if error or agree else 200)


def _past(request: StaffRequest, delivery: UUID) -> HttpResponse:
    """It was decided about, and its shard has forgotten it: its message says what became of it."""
    known = held.where(request.desk.org, _who(request), delivery.bytes)
    if known is None:
        raise NotFound
    messages.info(request, "This is not held any more. Here is what became of it.", extra_tags="console")
    return redirect("console:message", known)


def _way(way: WayView) -> dict[str, Any]:
    return {
        "method": way.method,
        "by": house.method(way.by) if way.by else "",
        "name": house.method(way.method) if way.method else "",
        "assurance": way.assurance,
        "meaning": house.assurance(way.assurance),
        "words": way.words,
        "end": way.end,
        "allowed": way.allowed and way.end == "deliver",
    }


def _last(found: Detail) -> str:
    """What became of one that is not held any more."""
    done = words.DONE.get(found.view.last_verb, "")
    return f"It was {done}." if done else ""


def _held_anew(request: StaffRequest, form: DecideForm) -> bool:
    """Whether what was decided upon was let go meanwhile and waits again, perhaps for another reason: each page says
    since when it saw what it shows."""
    seen = dict(one.rpartition("@")[::2] for one in request.POST.getlist("seen"))
    who, org = _who(request), request.desk.org
    for one in form.cleaned_data["delivery"]:
        if str(one) not in seen:
            continue
        try:
            view = held.one(org, who, one.bytes).view
        except NotFound:
            continue
        if view.state == "held" and str(view.since) != seen[str(one)]:
            return True
    return False


def _carry_out(request: StaffRequest, form: DecideForm) -> list[Done]:
    given, org, who = form.cleaned_data, request.desk.org, _who(request)
    chosen = [one.bytes for one in given["delivery"]]
    if given["verb"] == "refuse":
        return acts.refuse(org, who, chosen, reason=given["reason"], note=given["note"])
    return acts.release(org, who, chosen, reason=given["reason"], method=given["method"])


def _confirm(request: StaffRequest, form: DecideForm, error: str = "") -> HttpResponse:
    """What is about to be done, before it is: nothing has changed yet."""
    who, org = _who(request), request.desk.org
    rows = [_row(held.one(org, who, one.bytes).view) for one in form.cleaned_data["delivery"]]
    context = {
        "rows": [row for row in rows if row.view.state == "held"],
        "gone": sum(row.view.state != "held" for row in rows),
        "verb": form.cleaned_data["verb"],
        "typed": form.data,
        "error": error,
    }
    return render(request, "console/held-confirm.html", context, status=422 if error else 200)


def _again(request: StaffRequest, form: DecideForm, error: str) -> HttpResponse:
    """The page it came from, with what is wrong."""
    given = getattr(form, "cleaned_data", {})
    chosen = given.get("delivery") or []
    if given.get("from_list") and chosen and given.get("verb"):
        return _confirm(request, form, error)
    if len(chosen) == 1:
        return _page(request, chosen[0], error=error, form=form)
    messages.error(request, error)
    return redirect("console:held")


def _tell(request: StaffRequest, done: list[Done]) -> None:
    """In one sentence for what was done, and one for each that was not."""
    if len(done) == 1 and done[0].good:
        messages.success(request, done[0].words, extra_tags="console")
        return
    for code, word in _DONE.items():
        number = sum(one.code == code for one in done)
        if number:
            subject = f"{number} messages are" if number > 1 else "1 message is"
            messages.success(request, f"{subject} {word}.", extra_tags="console")
    for words_ in dict.fromkeys(one.words for one in done if not one.good):
        number = sum(one.words == words_ for one in done if not one.good)
        messages.error(request, words_ if len(done) == 1 else f"{number} not done: {words_}")
