"""The organisation's own keys: what signs its mail, and what opens what comes encrypted."""

from base64 import b64encode
from uuid import UUID

import msgspec
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.console import acting
from carepost.console.guard import shielded
from carepost.console.own_key_forms import BringInForm, InstallForm, NewKeyForm
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.keyring import authorities, factor, issuing, own_acts, own_export, own_select, words
from carepost.keyring.own_acts import Taken
from carepost.keyring.own_select import SOURCES, OwnShown
from carepost.mailbox import door
from carepost.policy.types import Method
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.tenancy.sessions import factor_at

_SOON = "the engines know within two seconds."


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
        "lines": [_line(key) for key in page.keys], "more": page.cursor, "later": bool(request.GET.get("after")),
        "now": clock.now(),
    }  # fmt: skip
    return render(request, "console/own-keys.html", context)


@require_safe
@permission(Permission.KEYRING)
@shielded
def own_key(request: StaffRequest, row: UUID) -> HttpResponse:
    return _page(request, row)


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
        if given.get("ours"):
            row = authorities.generate_key(
                request.desk.org, given["address"], actor=request.desk.actor, reason=given["reason"],
                shared=given["shared"], algorithm=algorithm, name=given["name"], overlap=given["overlap"],
            )  # fmt: skip
            return acting.done(request, f"It signs: {_SOON}", "console:own-key", row.pk)
        row = own_acts.generate_key(
            request.desk.org, given["address"], method=Method(method), actor=request.desk.actor,
            reason=given["reason"], shared=given["shared"], algorithm=algorithm, name=given["name"],
            waiting=given["waiting"], overlap=given["overlap"],
        )  # fmt: skip
    except Refused as refused:
        form.add_error(None, refused.public)
        return render(request, "console/own-key-new.html", {"form": form}, status=422)
    waits = row.state == own_acts.WAITING
    said = "The key waits for its certificate: send its request to your authority." if waits else f"It signs: {_SOON}"
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
    return acting.done(request, f"The key was taken in: {_SOON}", "console:own-key", taken.id)


@require_http_methods(["POST"])
@permission(Permission.KEYRING)
@shielded
def install(request: StaffRequest, row: UUID) -> HttpResponse:
    form = InstallForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, row, form=form, status=422)
    try:
        own_acts.install_certificate(
            request.desk.org, row, form.raw(), actor=request.desk.actor, reason=form.cleaned_data["reason"]
        )
    except Refused as refused:
        form.add_error(None, refused.public)
        return _page(request, row, form=form, status=422)
    return acting.done(request, f"The certificate is used from now on: {_SOON}", "console:own-key", row)


@require_POST
@permission(Permission.KEYRING)
@shielded
def rotate(request: StaffRequest, row: UUID) -> HttpResponse:
    waiting = request.POST.get("waiting") == "on"
    reason = acting.needed(request)
    made = own_acts.rotate_key(request.desk.org, row, actor=request.desk.actor, reason=reason, waiting=waiting)
    said = "The new key waits for its certificate; until then the old one signs."
    if not waiting:
        said = "This new key signs from now on. The old one opens what is still encrypted to it."
    return acting.done(request, said, "console:own-key", made.pk)


@require_POST
@permission(Permission.KEYRING)
@shielded
def revoke(request: StaffRequest, row: UUID) -> HttpResponse:
    reason = acting.needed(request)
    cause = request.POST.get("cause") or "unspecified"
    own_acts.revoke_key(request.desk.org, row, actor=request.desk.actor, reason=reason, cause=cause)
    return acting.done(request, "The key is revoked: it signs and opens nothing.", "console:own-key", row)


@require_POST
@permission(Permission.KEYRING)
@shielded
def sign_all(request: StaffRequest, row: UUID) -> HttpResponse:
    always = request.POST.get("always") == "on"
    reason = acting.needed(request)
    own_acts.set_always(request.desk.org, row, always, actor=request.desk.actor, reason=reason)
    said = "It signs all mail from now on." if always else "It signs encrypted mail only."
    return acting.done(request, said, "console:own-key", row)


@require_POST
@permission(Permission.KEYRING)
@shielded
def give_out(request: StaffRequest, row: UUID) -> HttpResponse:
    part = own_select.REQUEST if request.POST.get("part") == own_select.REQUEST else own_select.CERTIFICATE
    found = own_select.public_part(request.desk.org, request.desk.actor, row, part)
    answer = HttpResponse(found.data, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="{found.name}"'
    return answer


@require_POST
@permission(Permission.KEYRING)
@shielded
def take_out(request: StaffRequest, row: UUID) -> HttpResponse:
    """The private part: after a second factor shown just now, once, with its passphrase beside it."""
    confirmed = factor_at(request)
    if not factor.fresh(confirmed):
        return acting.confirm(f"{reverse('console:own-key', args=[row])}#take-out")
    taken = own_export.take_out(
        request.desk.org, row, actor=request.desk.actor, reason=acting.needed(request), door=door.client(),
        confirmed_at=confirmed, where=settings.CAREPOST_CONFIG.console_url,
    )  # fmt: skip
    file = f"data:{taken.kind};base64,{b64encode(taken.data).decode()}"
    answer = render(request, "console/own-key-taken.html", {"row": row, "taken": taken, "file": file})
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@permission(Permission.KEYRING)
@shielded
def keep_in(request: StaffRequest, row: UUID) -> HttpResponse:
    own_export.keep_in(request.desk.org, row, actor=request.desk.actor, reason=acting.needed(request))
    return acting.done(request, "Its private part is never given out.", "console:own-key", row)


def _page(request: StaffRequest, row: UUID, *, form: InstallForm | None = None, status: int = 200) -> HttpResponse:
    line = _line(own_select.own_key(request.desk.org, request.desk.actor, row))
    takes = line.key.method == Method.SMIME.value and line.key.has_request and (line.waits or line.active)
    context = {"line": line, "form": form or InstallForm(), "takes": takes, "now": clock.now()}
    fresh = factor.fresh(factor_at(request))
    context |= {"authority": takes and not line.key.ours and issuing.active(request.desk.org) is not None}
    context |= {"gives": line.key.exportable and not line.waits and not line.revoked, "fresh": fresh}
    return render(request, "console/own-key.html", context, status=status)


def _line(key: OwnShown) -> OwnLine:
    mark = own_select.mark(key, clock.now())
    active = key.state == own_acts.ACTIVE
    does = own_select.does(key) if active and mark.tone != "good" else ""
    return OwnLine(
        key, mark, words.method(key.method), SOURCES.get(key.source, key.source), words.grouped(key.fingerprint),
        active, key.state == own_acts.WAITING, key.state == own_acts.REVOKED, does,
    )  # fmt: skip


def _taken(taken: Taken) -> dict[str, object]:
    return {"key": taken, "method": words.method(taken.method), "fingerprint": words.grouped(taken.fingerprint)}
