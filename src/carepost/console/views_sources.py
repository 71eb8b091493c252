"""Where recipients' keys are looked for, and which certification authorities are believed about them."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from carepost.console.guard import shielded
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.keyring import looking, words
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.ui.uploads import TOO_LARGE

_REASON = "Say why; it is kept with the event."


class SourcesForm(forms.Form):
    sources = forms.MultipleChoiceField(
        label="Look for keys of recipients here", required=False,
        choices=[(name, label) for name, label, _ in words.CHOICES], widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    unknown_ok = forms.BooleanField(
        label="Use a certificate also when nobody could be asked whether it was revoked", required=False
    )
    reason = forms.CharField(label="Reason (kept with the event)", max_length=500, error_messages={"required": _REASON})


class AuthorityForm(forms.Form):
    file = forms.FileField(label="Certificate of the authority (PEM, DER or PKCS#7)")
    reason = forms.CharField(label="Reason (kept with the event)", max_length=500, error_messages={"required": _REASON})


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.KEYRING)
@shielded
def sources(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    form = SourcesForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    given = form.cleaned_data
    looking.choose(
        request.desk.org, given["sources"], unknown_ok=given["unknown_ok"], actor=request.desk.actor,
        reason=given["reason"],
    )  # fmt: skip
    messages.success(request, "Set; the engines know within two seconds.", extra_tags="console")
    return redirect("console:certificate-sources")


@require_POST
@permission(Permission.KEYRING)
@shielded
def believe(request: StaffRequest) -> HttpResponse:
    form = AuthorityForm(request.POST, request.FILES)
    if request.META.get(TOO_LARGE):
        form.add_error("file", "This is larger than 25 MB; a certificate has a few kilobytes.")
    if not form.is_valid():
        return _page(request, authority=form, status=422)
    data = bytes(form.cleaned_data["file"].read(looking.MOST_BYTES + 1))
    try:
        made = looking.believe(request.desk.org, data, actor=request.desk.actor, reason=form.cleaned_data["reason"])
    except Refused as refused:
        form.add_error("file", refused.public)
        return _page(request, authority=form, status=422)
    many = "is believed" if len(made) == 1 else "are believed"
    messages.success(request, f"{', '.join(row.name for row in made)} {many} from now on.", extra_tags="console")
    return redirect("console:certificate-sources")


@require_POST
@permission(Permission.KEYRING)
@shielded
def disbelieve(request: StaffRequest, row: UUID) -> HttpResponse:
    reason = request.POST.get("reason", "").strip()
    if not reason:
        return _page(request, wrong=str(row), status=422)
    looking.disbelieve(request.desk.org, row, actor=request.desk.actor, reason=reason[:500])
    messages.success(request, "This authority is believed no more.", extra_tags="console")
    return redirect("console:certificate-sources")


def _page(
    request: StaffRequest, *, form: SourcesForm | None = None, authority: AuthorityForm | None = None, wrong: str = "",
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    now = looking.looking(request.desk.org, request.desk.actor)
    shown = form or SourcesForm(initial={"sources": list(now.sources), "unknown_ok": now.unknown_ok})
    chosen = request.POST.getlist("sources") if form is not None else list(now.sources)
    context: dict[str, Any] = {
        "form": shown,
        "choices": [(name, label, hint, name in chosen) for name, label, hint in words.CHOICES],
        "authority": authority or AuthorityForm(auto_id="id_authority_%s"),
        "believed": [(one, words.grouped(one.fingerprint)) for one in now.authorities],
        "decided": now.decided,
        "wrong": wrong,
        "now": clock.now(),
    }
    return render(request, "console/certificate-sources.html", context, status=status)
