"""One key of the organisation: what it is, and each of its acts on a page of its own. GET says what follows and asks
why; POST acts."""

from base64 import b64encode
from typing import Any, Final
from uuid import UUID

import msgspec
from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.console import acting
from carepost.console.guard import shielded
from carepost.console.own_key_forms import HERE, OURS, InstallForm, ReplaceForm, RevokeForm, WhyForm
from carepost.console.views_own_keys import SOON, OwnLine
from carepost.console.views_own_keys import line as line_of
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.keyring import authorities, factor, issuing, own_acts, own_export, own_select
from carepost.mailbox import door
from carepost.policy.types import Method
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.tenancy.sessions import factor_at

_BOTH: Final = ["GET", "HEAD", "POST"]


class Acts(msgspec.Struct, frozen=True):
    """What can be done with a key as it stands. `main`: the one that is offered first, by the name of its step."""

    main: str
    replace: bool
    signing: bool
    certify: bool
    install: bool
    request: bool
    export: bool
    revoke: bool


@require_safe
@permission(Permission.KEYRING)
@shielded
def own_key(request: StaffRequest, row: UUID) -> HttpResponse:
    line = _line(request, row)
    return render(request, "console/own-key.html", {"line": line, "acts": _acts(request, line), "now": clock.now()})


@require_http_methods(_BOTH)
@permission(Permission.KEYRING)
@shielded
def install(request: StaffRequest, row: UUID) -> HttpResponse:
    """The certificate that an authority made for the request of this key."""
    form = InstallForm(request.POST, request.FILES) if request.method == "POST" else InstallForm()
    if not form.is_bound or not form.is_valid():
        return _step(request, row, "install", form)
    try:
        own_acts.install_certificate(
            request.desk.org, row, form.raw(), actor=request.desk.actor, reason=form.cleaned_data["reason"]
        )
    except Refused as refused:
        form.add_error(None, refused.public)
        return _step(request, row, "install", form)
    return acting.done(request, f"The certificate is used from now on: {SOON}", "console:own-key", row)


@require_http_methods(_BOTH)
@permission(Permission.KEYRING)
@shielded
def certify(request: StaffRequest, row: UUID) -> HttpResponse:
    """Our own authority makes the certificate of a key that vouched for itself, or waits for one."""
    form = WhyForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return _step(request, row, "certify", form)
    authorities.certify_key(request.desk.org, row, actor=request.desk.actor, reason=form.cleaned_data["reason"])
    said = "Certified by your authority: used from now on, the engines know within two seconds."
    return acting.done(request, said, "console:own-key", row)


@require_http_methods(_BOTH)
@permission(Permission.KEYRING)
@shielded
def rotate(request: StaffRequest, row: UUID) -> HttpResponse:
    """A new key in its place; this one goes on opening for as long as is said."""
    shown = _line(request, row).key
    issues = issuing.active(request.desk.org) is not None
    given = request.POST if request.method == "POST" else None
    form = ReplaceForm(given, smime=shown.method == Method.SMIME.value, authority=issues, ours=shown.ours)
    if not form.is_bound or not form.is_valid():
        return _step(request, row, "replace", form)
    by, reason, overlap = form.cleaned_data["by"], form.cleaned_data["reason"], form.cleaned_data["overlap"]
    try:
        if by == OURS:
            made = authorities.rotate_key(
                request.desk.org, row, actor=request.desk.actor, reason=reason, overlap=overlap
            )
        else:
            made = own_acts.rotate_key(
                request.desk.org, row, actor=request.desk.actor, reason=reason, waiting=by != HERE, overlap=overlap
            )
    except Refused as refused:
        form.add_error(None, refused.public)
        return _step(request, row, "replace", form)
    said = "This new key signs from now on. The old one opens what is still encrypted to it."
    if made.state == own_acts.WAITING:
        said = "The new key waits for its certificate; until then the old one signs."
    return acting.done(request, said, "console:own-key", made.pk)


@require_http_methods(_BOTH)
@permission(Permission.KEYRING)
@shielded
def revoke(request: StaffRequest, row: UUID) -> HttpResponse:
    ours = _line(request, row).key.ours
    form = RevokeForm(request.POST if request.method == "POST" else None, ours=ours)
    if not form.is_bound or not form.is_valid():
        return _step(request, row, "revoke", form)
    own_acts.revoke_key(
        request.desk.org, row, actor=request.desk.actor, reason=form.cleaned_data["reason"],
        cause=form.cleaned_data.get("cause") or "unspecified",
    )  # fmt: skip
    return acting.done(request, "The key is revoked: it signs and opens nothing.", "console:own-key", row)


@require_http_methods(_BOTH)
@permission(Permission.KEYRING)
@shielded
def sign_all(request: StaffRequest, row: UUID) -> HttpResponse:
    form = WhyForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return _step(request, row, "signing", form)
    always = request.POST.get("always") == "on"
    own_acts.set_always(request.desk.org, row, always, actor=request.desk.actor, reason=form.cleaned_data["reason"])
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


@require_http_methods(_BOTH)
@permission(Permission.KEYRING)
@shielded
def take_out(request: StaffRequest, row: UUID) -> HttpResponse:
    """The private part: after a second factor shown just now, once, with its passphrase beside it."""
    confirmed = factor_at(request)
    form = WhyForm(request.POST if request.method == "POST" else None)
    if form.is_bound and not factor.fresh(confirmed):
        return acting.confirm(reverse("console:own-key-take-out", args=[row]))
    if not form.is_bound or not form.is_valid():
        return _step(request, row, "take-out", form, fresh=factor.fresh(confirmed))
    taken = own_export.take_out(
        request.desk.org, row, actor=request.desk.actor, reason=form.cleaned_data["reason"], door=door.client(),
        confirmed_at=confirmed, where=settings.CAREPOST_CONFIG.console_url,
    )  # fmt: skip
    file = f"data:{taken.kind};base64,{b64encode(taken.data).decode()}"
    answer = render(request, "console/own-key-taken.html", {"row": row, "taken": taken, "file": file})
    answer["Cache-Control"] = "no-store"
    return answer


@require_http_methods(_BOTH)
@permission(Permission.KEYRING)
@shielded
def keep_in(request: StaffRequest, row: UUID) -> HttpResponse:
    form = WhyForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return _step(request, row, "keep-in", form)
    own_export.keep_in(request.desk.org, row, actor=request.desk.actor, reason=form.cleaned_data["reason"])
    return acting.done(request, "Its private part is never given out.", "console:own-key", row)


def _line(request: StaffRequest, row: UUID) -> OwnLine:
    """Raises NotFound; the look is an event."""
    return line_of(own_select.own_key(request.desk.org, request.desk.actor, row))


def _step(request: StaffRequest, row: UUID, step: str, form: forms.Form, **more: Any) -> HttpResponse:
    """One act's page. A key that cannot take it says so there, and offers no button."""
    line = _line(request, row)
    acts = _acts(request, line)
    can = {
        "install": acts.install, "certify": acts.certify, "replace": acts.replace, "signing": acts.signing,
        "take-out": acts.export, "keep-in": acts.export, "revoke": acts.revoke,
    }  # fmt: skip
    context = {"line": line, "acts": acts, "step": step, "can": can[step], "form": form, **more}
    return render(request, "console/own-key-step.html", context, status=422 if form.is_bound else 200)


def _acts(request: StaffRequest, line: OwnLine) -> Acts:
    key, smime = line.key, line.key.method == Method.SMIME.value
    takes = smime and key.has_request and (line.waits or line.active)
    main = "export" if not line.revoked else ""
    if line.waits:
        main = "install"
    elif line.revoked and key.has_revocation:
        main = "revocation"
    elif line.active and line.mark.tone != "good":
        main = "replace"
    return Acts(
        main, line.active, line.active and key.signs,
        takes and not key.ours and issuing.active(request.desk.org) is not None, takes,
        key.has_request and not line.revoked, key.exportable and not line.waits and not line.revoked, not line.revoked,
    )  # fmt: skip
