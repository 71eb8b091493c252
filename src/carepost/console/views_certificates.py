"""Certificates of recipients: what is known of whom, and what an administrator decides about them."""

from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.console import acting
from carepost.console.certificate_forms import AgreedForm, CertificateForm, CertificateSearch, SeveralForm, carry
from carepost.console.guard import shielded
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.keyring import acts, batch, looking, renewal, select, words
from carepost.keyring.acts import Imported
from carepost.keyring.select import Shown
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.ui.uploads import TOO_LARGE

_TOO_LARGE = "This is larger than 25 MB; a certificate has a few kilobytes."

_GOES_ON = " Mail that waited for this decision goes on by itself, within a few seconds."


class Line(msgspec.Struct, frozen=True):
    """One certificate as the pages show it."""

    key: Shown
    mark: words.Mark
    method: str
    source: str
    fingerprint: str
    may_pin: bool
    may_distrust: bool
    #: mail waits until it is decided whether this one holds
    asks: bool


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.KEYRING)
@shielded
def certificates(request: StaffRequest) -> HttpResponse:
    """A search is a POST: an address stands in no address (law 10)."""
    given = request.POST if request.method == "POST" else {"attention": request.GET.get("attention", "")}
    form = CertificateSearch(given)
    if not form.is_valid():
        return render(request, "console/certificates.html", {"form": form, "lines": [], "searched": True}, status=422)
    address, attention, cursor = (form.cleaned_data[name] for name in ("address", "attention", "cursor"))
    org, actor, more = request.desk.org, request.desk.actor, ""
    if address:
        found = select.keys_of(org, actor, address)
    else:
        page = select.listing(org, actor, after=cursor, attention=attention)
        found, more = page.keys, page.cursor
    if found and request.POST.get("straight"):
        # from what waits because of it, to the decision
        return redirect("console:certificate", found[0].id)
    strict = not looking.looking(org, actor).unknown_ok
    context = {
        "form": form,
        "lines": [_line(key, strict) for key in found],
        "searched": bool(address or attention),
        "attention": attention,
        "more": more,
        "later": bool(cursor),
        "now": clock.now(),
    }
    return render(request, "console/certificates.html", context)


@require_safe
@permission(Permission.KEYRING)
@shielded
def certificate(request: StaffRequest, row: UUID) -> HttpResponse:
    return _page(request, row)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.KEYRING)
@shielded
def hand_in(request: StaffRequest) -> HttpResponse:
    form = CertificateForm(request.POST, request.FILES) if request.method == "POST" else CertificateForm()
    if request.META.get(TOO_LARGE):
        form.add_error("file", _TOO_LARGE)
    if not form.is_bound or not form.is_valid():
        return render(request, "console/certificate-new.html", {"form": form}, status=422 if form.is_bound else 200)
    given = form.cleaned_data
    try:
        row = acts.add_key(
            request.desk.org, given["address"], form.raw(), actor=request.desk.actor, reason=given["reason"]
        )
    except Refused as refused:
        form.add_error(None, refused.public)
        return render(request, "console/certificate-new.html", {"form": form}, status=422)
    said = "The certificate is used from now on; the engines know within two seconds."
    return acting.done(request, said, "console:certificate", row.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.KEYRING)
@shielded
def hand_in_several(request: StaffRequest) -> HttpResponse:
    """First what would happen, and nothing done; then, when somebody agreed to it, done."""
    if request.method == "POST" and request.POST.get("do") == "import":
        return _import(request)
    form = SeveralForm(request.POST, request.FILES) if request.method == "POST" else SeveralForm()
    if request.META.get(TOO_LARGE):
        form.add_error("several", _TOO_LARGE)
    if not form.is_bound or not form.is_valid():
        return render(request, "console/certificate-several.html", {"form": form}, status=422 if form.is_bound else 200)
    try:
        read = form.read()
    except Refused as refused:
        form.add_error("several", refused.public)
        return render(request, "console/certificate-several.html", {"form": form}, status=422)
    reason = form.cleaned_data["reason"]
    # what names nobody travels on by its name alone, so that the second count equals the first
    lines = [(name, data if batch.address_of(name) else b"") for name, data in read]
    agreed = AgreedForm(initial={"carried": carry(lines), "reason": reason})
    return _told(request, _imported(request, lines, reason, dry_run=True), agreed)


@require_POST
@permission(Permission.KEYRING)
@shielded
def pin(request: StaffRequest, row: UUID) -> HttpResponse:
    reason = acting.reason(request)
    if not reason:
        return _page(request, row, wrong=f"pin-{row}", status=422)
    waits = _waits(request, row)
    acts.pin_key(request.desk.org, row, actor=request.desk.actor, reason=reason)
    said = "This certificate is used from now on, under your name."
    return acting.done(request, said + waits, "console:certificate", row)


@require_POST
@permission(Permission.KEYRING)
@shielded
def renewed(request: StaffRequest, row: UUID) -> HttpResponse:
    """One click: nobody need say why the same authority renewed a certificate of the same owner."""
    renewal.accept(request.desk.org, row, actor=request.desk.actor)
    return acting.done(request, f"The renewed certificate is used from now on.{_GOES_ON}", "console:certificate", row)


@require_POST
@permission(Permission.KEYRING)
@shielded
def distrust(request: StaffRequest, row: UUID) -> HttpResponse:
    reason = acting.reason(request)
    if not reason:
        return _page(request, row, wrong=f"distrust-{row}", status=422)
    waits = _waits(request, row)
    acts.distrust_key(request.desk.org, row, actor=request.desk.actor, reason=reason)
    said = "Nothing is encrypted to this certificate any more."
    goes_on = waits if select.settled(request.desk.org, row) else ""
    return acting.done(request, said + goes_on, "console:certificate", row)


def _waits(request: StaffRequest, row: UUID) -> str:
    """What follows for mail, where something of this recipient waits for a decision (`journal.keys.decided`)."""
    return "" if select.settled(request.desk.org, row) else _GOES_ON


def _import(request: StaffRequest) -> HttpResponse:
    agreed = AgreedForm(request.POST)
    if not agreed.is_valid():
        raise Refused("files-again", "What was shown did not come back whole. Choose the files again.", status=422)
    lines, reason = agreed.cleaned_data["carried"], agreed.cleaned_data["reason"]
    return _told(request, _imported(request, lines, reason, dry_run=False), None)


def _imported(request: StaffRequest, read: list[tuple[str, bytes]], reason: str, *, dry_run: bool) -> list[Imported]:
    """`read`: name and octets of each file."""
    lines = [(address, data) for name, data in read if (address := batch.address_of(name))]
    unnamed = [Imported(name, "refused", batch.UNNAMED) for name, _ in read if not batch.address_of(name)]
    told = acts.import_keys(request.desk.org, lines, actor=request.desk.actor, reason=reason, dry_run=dry_run)
    return [*told, *unnamed]


def _told(request: StaffRequest, told: list[Imported], agreed: AgreedForm | None) -> HttpResponse:
    lines = [
        (one, words.method(one.method), words.grouped(one.fingerprint), words.grouped(one.instead),
         words.source(one.instead_from))
        for one in told
    ]  # fmt: skip
    refused = sum(one.done == "refused" for one in told)
    news = sum(one.done in ("added", "replaces") for one in told)
    context = {
        "told": lines, "agreed": agreed if news else None, "done": agreed is None, "news": news, "refused": refused,
        "known": len(told) - news - refused, "now": clock.now(),
    }  # fmt: skip
    return render(request, "console/certificate-several.html", context)


def _page(request: StaffRequest, row: UUID, *, wrong: str = "", status: int = 200) -> HttpResponse:
    keys = select.beside(request.desk.org, request.desk.actor, row)
    # what counts first, newest first among equals
    strict = not looking.looking(request.desk.org, request.desk.actor).unknown_ok
    lines = sorted(
        (_line(key, strict) for key in keys), key=lambda line: line.key.state not in (acts.IN_USE, acts.CHANGED)
    )
    context = {"address": keys[0].address, "lines": lines, "wrong": wrong, "now": clock.now()}
    context["may_search"] = request.desk.may(Permission.SEARCH)
    return render(request, "console/certificate.html", context, status=status)


def _line(key: Shown, strict: bool) -> Line:
    """`strict`: the organisation wants to know of each that it was not revoked."""
    asks = strict and key.method == "smime" and not key.pinned
    mark = words.mark(key.state, key.not_after, clock.now(), asks=asks)
    used = key.state == acts.IN_USE and key.pinned
    return Line(
        key, mark, words.method(key.method), words.source(key.source), words.grouped(key.fingerprint),
        may_pin=not used and key.state != acts.DISTRUSTED, may_distrust=key.state != acts.DISTRUSTED,
        asks=key.state == acts.CHANGED,
    )  # fmt: skip
