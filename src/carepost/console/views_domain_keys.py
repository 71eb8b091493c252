"""The DKIM keys of one of our own domains, from the next to the revoked, and the MTA-STS policy served for it."""

from typing import Final
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from carepost.console import acting
from carepost.console.domain_forms import PolicyForm, RevokeForm, ScheduleForm
from carepost.console.guard import shielded
from carepost.ground.errors import NotFound, Refused
from carepost.mailbox import door
from carepost.senders import acts, reading, rotation, settings
from carepost.senders.reading import Page
from carepost.senders.types import Key, Part, Phase
from carepost.tenancy.actions import dkim_keys
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission

_PHASES: Final = {
    Phase.ACTIVE: ("good", "Signs mail"), Phase.NEXT: ("wait", "Next: waits for DNS"),
    Phase.OLD: ("plain", "Former: leave it published"), Phase.DUE: ("wait", "Former: may be taken out of DNS"),
    Phase.REVOKED: ("plain", "Revoked: publish it empty"),
}  # fmt: skip


class KeyShown(msgspec.Struct, frozen=True):
    key: Key
    tone: str
    word: str
    name: str


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.DOMAINS)
@shielded
def keys(request: StaffRequest, row: UUID) -> HttpResponse:
    """GET shows them; POST makes the next ones."""
    page = reading.page(request.desk.org, request.desk.actor, str(row))
    if request.method == "POST":
        dkim_keys.make_next(request.desk.org, page.row.domain, actor=request.desk.actor)
        said = "The next keys are made. Publish them; mail is signed as before until DNS shows them."
        return acting.done(request, said, "console:domain-keys", row)
    return _keys(request, page)


@require_POST
@permission(Permission.DOMAINS)
@shielded
def switch(request: StaffRequest, row: UUID) -> HttpResponse:
    page = reading.page(request.desk.org, request.desk.actor, str(row))
    try:
        rotation.switch(request.desk.org, page.row.domain, door.client().ask, actor=request.desk.actor)
    except Refused as refused:
        return _keys(request, page, problem=refused.public, status=409)
    said = "Mail is signed with the next keys from now on. Leave the former ones in DNS until this page says otherwise."
    return acting.done(request, said, "console:domain-keys", row)


@require_POST
@permission(Permission.DOMAINS)
@shielded
def schedule(request: StaffRequest, row: UUID) -> HttpResponse:
    page = reading.page(request.desk.org, request.desk.actor, str(row))
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        return _keys(request, page, schedule=form, status=422)
    given = form.cleaned_data
    try:
        acts.schedule(
            request.desk.org, page.row.domain, actor=request.desk.actor, rotate_days=given["rotate_days"],
            keep_days=given["keep_days"],
        )  # fmt: skip
    except Refused as refused:
        form.add_error(None, refused.public)
        return _keys(request, page, schedule=form, status=422)
    return acting.done(request, "The schedule of the keys is kept.", "console:domain-keys", row)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.DOMAINS)
@shielded
def revoke(request: StaffRequest, row: UUID, selector: str) -> HttpResponse:
    """GET says what follows and asks why; POST revokes."""
    page = reading.page(request.desk.org, request.desk.actor, str(row))
    key = next((one for one in page.keys if one.selector == selector and one.phase is not Phase.REVOKED), None)
    if key is None:
        raise NotFound
    form = RevokeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            dkim_keys.revoke(
                request.desk.org, page.row.domain, selector, actor=request.desk.actor,
                reason=form.cleaned_data["reason"],
            )  # fmt: skip
        except Refused as refused:
            form.add_error(None, refused.public)
        else:
            return acting.done(request, "The key is revoked. Publish its record empty.", "console:domain-keys", row)
    status = 422 if form.is_bound else 200
    context = {"page": page, "key": _key(page, key), "form": form, "signs": key.phase is Phase.ACTIVE}
    return render(request, "console/domain-revoke.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.DOMAINS)
@shielded
def policy(request: StaffRequest, row: UUID) -> HttpResponse:
    """The MTA-STS policy served for the domain."""
    page = reading.page(request.desk.org, request.desk.actor, str(row))
    before = {"mode": page.chosen.sts_mode, "mx": page.chosen.sts_mx or _hosts(page), "max_age": page.chosen.sts_age}
    form = PolicyForm(request.POST if request.method == "POST" else None, initial=before)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            acts.serve_policy(
                request.desk.org, page.row.domain, actor=request.desk.actor, mode=given["mode"],
                mx=given["mx"].split(), max_age=given["max_age"],
            )  # fmt: skip
        except Refused as refused:
            form.add_error(None, refused.public)
        else:
            said = "The policy is kept. Publish its record, then compare with DNS."
            return acting.done(request, said, "console:domain-policy", row)
    context = {"page": page, "form": form, "sts": settings.sts(page.chosen), "host": f"mta-sts.{page.row.domain}"}
    return render(request, "console/domain-policy.html", context, status=422 if form.is_bound else 200)


def _keys(
    request: StaffRequest, page: Page, *, problem: str = "", schedule: ScheduleForm | None = None, status: int = 200
) -> HttpResponse:
    shown = [_key(page, key) for key in page.keys]
    before = {"rotate_days": page.chosen.rotate_days, "keep_days": page.chosen.keep_days}
    context = {
        "page": page,
        "keys": shown,
        "waits": any(one.key.phase is Phase.NEXT for one in shown),
        "problem": problem,
        "schedule": schedule or ScheduleForm(initial=before),
    }
    return render(request, "console/domain-keys.html", context, status=status)


def _key(page: Page, key: Key) -> KeyShown:
    return KeyShown(key, *_PHASES[key.phase], f"{key.selector}._domainkey.{page.row.domain}")


def _hosts(page: Page) -> str:
    """The mail servers DNS named last, to begin with."""
    return "\n".join(next((line.found for line in page.look.lines if line.part is Part.MX), ()))
