"""The organisation as its own certification authority: made, ended, its certificate handed out, keys certified."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from carepost.console import acting
from carepost.console.guard import shielded
from carepost.console.own_key_forms import AuthorityForm
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.keyring import authorities, factor, issuing, words
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.tenancy.sessions import factor_at
from carepost.wire.ownkeys import OwnAuthority


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.KEYRING)
@shielded
def authority(request: StaffRequest) -> HttpResponse:
    """POST makes one, after a second factor shown just now."""
    form = AuthorityForm(request.POST if request.method == "POST" else None)
    if not form.is_bound:
        return _page(request, form)
    confirmed = factor_at(request)
    if not factor.fresh(confirmed):
        return acting.confirm(f"{reverse('console:authority')}#make")
    if not form.is_valid():
        return _page(request, form, status=422)
    given = form.cleaned_data
    try:
        authorities.make_authority(
            request.desk.org, actor=request.desk.actor, reason=given["reason"], algorithm=given["kind"],
            where=given["where"], confirmed_at=confirmed,
        )  # fmt: skip
    except Refused as refused:
        form.add_error(None, refused.public)
        return _page(request, form, status=422)
    return acting.done(request, "The authority is there. Hand its certificate to your partners.", "console:authority")


@require_POST
@permission(Permission.KEYRING)
@shielded
def hand_out(request: StaffRequest, row: UUID) -> HttpResponse:
    found = authorities.certificate(request.desk.org, request.desk.actor, row)
    answer = HttpResponse(found.data, content_type="application/x-pem-file")
    answer["Content-Disposition"] = f'attachment; filename="{found.name}"'
    return answer


@require_POST
@permission(Permission.KEYRING)
@shielded
def end(request: StaffRequest, row: UUID) -> HttpResponse:
    authorities.end_authority(request.desk.org, row, actor=request.desk.actor, reason=acting.needed(request))
    said = "It issues nothing more. What it signed holds, and its list goes on."
    return acting.done(request, said, "console:authority")


def _page(request: StaffRequest, form: AuthorityForm, *, status: int = 200) -> HttpResponse:
    found = authorities.authorities(request.desk.org, request.desk.actor)
    context = {
        "lines": [(one, words.grouped(one.fingerprint), _issues(one), _soon(one)) for one in found], "form": form,
        "issues": any(_issues(one) for one in found), "fresh": factor.fresh(factor_at(request)), "now": clock.now(),
    }  # fmt: skip
    return render(request, "console/authority.html", context, status=status)


def _issues(one: OwnAuthority) -> bool:
    return one.state == issuing.ACTIVE


def _soon(one: OwnAuthority) -> bool:
    """Near its end: it renews nothing more, and the next one is due."""
    return one.not_after - clock.now() <= (words.SOON + 1) * words.DAY_US
