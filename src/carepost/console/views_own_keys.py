"""The organisation's own keys: what signs its mail, and what opens what comes encrypted. Listed, made, brought in."""

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from carepost.console import acting
from carepost.console.guard import shielded
from carepost.console.own_key_forms import HERE, OURS, BringInForm, NewKeyForm
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.keyring import authorities, issuing, own_acts, own_select, words
from carepost.keyring.own_acts import Taken
from carepost.keyring.own_select import SOURCES, OwnShown
from carepost.policy.types import Method
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission

SOON = "the engines know within two seconds."


class OwnLine(msgspec.Struct, frozen=True):
    """One key as the pages show it."""

    key: OwnShown
    mark: words.Mark
    method: str
    source: str
    fingerprint: str
    active: bool
    waits: bool
    revoked: bool
    #: the mark's own text says it already
    does: str = ""


@require_safe
@permission(Permission.KEYRING)
@shielded
def own_keys(request: StaffRequest) -> HttpResponse:
    page = own_select.own_keys(request.desk.org, request.desk.actor, after=request.GET.get("after", ""))
    context = {
        "lines": [line(key) for key in page.keys], "more": page.cursor, "later": bool(request.GET.get("after")),
        "now": clock.now(),
    }  # fmt: skip
    return render(request, "console/own-keys.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.KEYRING)
@shielded
def make(request: StaffRequest) -> HttpResponse:
    authority = issuing.active(request.desk.org) is not None
    form = NewKeyForm(request.POST if request.method == "POST" else None, authority=authority)
    if not form.is_bound or not form.is_valid():
        return render(request, "console/own-key-new.html", {"form": form}, status=422 if form.is_bound else 200)
    given = form.cleaned_data
    method, _, algorithm = given["kind"].partition(":")
    try:
        if given["by"] == OURS:
            row = authorities.generate_key(
                request.desk.org, given["address"], actor=request.desk.actor, reason=given["reason"],
                shared=given["shared"], algorithm=algorithm, name=given["name"], overlap=given["overlap"],
            )  # fmt: skip
            return acting.done(request, f"It signs: {SOON}", "console:own-key", row.pk)
        row = own_acts.generate_key(
            request.desk.org, given["address"], method=Method(method), actor=request.desk.actor,
            reason=given["reason"], shared=given["shared"], algorithm=algorithm, name=given["name"],
            waiting=given["by"] != HERE, overlap=given["overlap"],
        )  # fmt: skip
    except Refused as refused:
        form.add_error(None, refused.public)
        return render(request, "console/own-key-new.html", {"form": form}, status=422)
    waits = row.state == own_acts.WAITING
    said = "The key waits for its certificate: send its request to your authority." if waits else f"It signs: {SOON}"
    return acting.done(request, said, "console:own-key", row.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.KEYRING)
@shielded
def bring_in(request: StaffRequest) -> HttpResponse:
    """`do=look` shows what would be taken; the file is chosen once more to take it, and travels nowhere in between."""
    form = BringInForm(request.POST, request.FILES) if request.method == "POST" else BringInForm()
    if not form.is_bound or not form.is_valid():
        return render(request, "console/own-key-import.html", {"form": form}, status=422 if form.is_bound else 200)
    given, look = form.cleaned_data, request.POST.get("do") != "take"
    try:
        taken = own_acts.import_key(
            request.desk.org, form.raw(), given["passphrase"], actor=request.desk.actor, reason=given["reason"],
            address=given["address"], shared=given["shared"], former=given["former"], dry_run=look,
        )  # fmt: skip
    except Refused as refused:
        form.add_error(None, refused.public)
        return render(request, "console/own-key-import.html", {"form": form}, status=422)
    if look:
        return render(request, "console/own-key-import.html", {"form": form, "taken": _taken(taken)})
    return acting.done(request, f"The key was taken in: {SOON}", "console:own-key", taken.id)


def line(key: OwnShown) -> OwnLine:
    mark = own_select.mark(key, clock.now())
    active = key.state == own_acts.ACTIVE
    does = own_select.does(key) if active and mark.tone != "good" else ""
    return OwnLine(
        key, mark, words.method(key.method), SOURCES.get(key.source, key.source), words.grouped(key.fingerprint),
        active, key.state == own_acts.WAITING, key.state == own_acts.REVOKED, does,
    )  # fmt: skip


def _taken(taken: Taken) -> dict[str, object]:
    return {"key": taken, "method": words.method(taken.method), "fingerprint": words.grouped(taken.fingerprint)}
