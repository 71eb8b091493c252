"""Our own domains: whether their records are right, and who sends in their name, by the reports others mail to us."""

from contextlib import suppress
from typing import Final
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from carepost.console import acting
from carepost.console.domain_forms import DomainForm
from carepost.console.guard import shielded
from carepost.destinations import reports
from carepost.destinations.reports import Picture
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.mailbox import door
from carepost.senders import history, looking, reading
from carepost.senders.types import State
from carepost.tenancy import select
from carepost.tenancy.actions import domains as actions
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.models import SenderDomain
from carepost.tenancy.permissions import Permission

_DAYS: Final = 30
#: changes on a domain's first page
_NEWEST: Final = 3
_KINDS: Final = {
    "certificate-expired": "The certificate had ended",
    "certificate-host-mismatch": "The certificate is for another name",
    "certificate-not-trusted": "The certificate is of no known authority",
    "starttls-not-supported": "No encryption was offered",
    "validation-failure": "The connection could not be proved",
    "sts-policy-fetch-error": "The MTA-STS policy could not be fetched",
    "sts-policy-invalid": "The MTA-STS policy could not be read",
    "sts-webpki-invalid": "The web server of the MTA-STS policy could not be proved",
    "tlsa-invalid": "The DANE record does not fit the certificate",
    "dnssec-invalid": "DNSSEC did not validate",
    "dane-required": "DANE was required, and there is none",
}


class Line(msgspec.Struct, frozen=True):
    """`tone`, `word`: how mail in its name stands."""

    id: UUID
    domain: str
    picture: Picture
    tone: str
    word: str
    #: how its records in DNS stand
    dns_tone: str
    dns_word: str


@require_safe
@permission(Permission.DOMAINS)
@shielded
def domains(request: StaffRequest) -> HttpResponse:
    rows = select.domains(request.desk.org)
    lines = [_line(request, row) for row in rows]
    return render(request, "console/domains.html", {"lines": lines, "days": _DAYS, "now": clock.now()})


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.DOMAINS)
@shielded
def new(request: StaffRequest) -> HttpResponse:
    """A domain with its signing keys; what is to be published in DNS stands on the next page."""
    form = DomainForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = actions.add_domain(request.desk.org, form.cleaned_data["domain"], actor=request.desk.actor)
        except Refused as refused:
            form.add_error("domain", refused.public)
        else:
            # so that the next page shows every record; with nobody to ask DNS it says how to ask later
            with suppress(Unavailable):
                looking.look(request.desk.org, made, door.client().ask, actor=request.desk.actor)
            said = "The domain was added. Publish the records below at its DNS, then compare again."
            return acting.done(request, said, "console:domain-records", made.pk)
    return render(request, "console/domain-new.html", {"form": form}, status=422 if form.is_bound else 200)


@require_safe
@permission(Permission.DOMAINS)
@shielded
def domain(request: StaffRequest, row: UUID) -> HttpResponse:
    found = next((one for one in select.domains(request.desk.org) if one.pk == row), None)
    if found is None:
        raise NotFound
    line = _line(request, found)
    troubles = [(_KINDS.get(t.kind, t.kind), t) for t in line.picture.troubles]
    context = {
        "line": line,
        "picture": line.picture,
        "troubles": troubles,
        "page": reading.page(request.desk.org, request.desk.actor, str(row)),
        "entries": history.history(request.desk.org, request.desk.actor, str(row)).changes[:_NEWEST],
        "days": _DAYS,
        "now": clock.now(),
    }
    return render(request, "console/domain.html", context)


def _line(request: StaffRequest, row: SenderDomain) -> Line:
    picture = reports.picture(request.desk.org, request.desk.actor, row.domain, days=_DAYS)
    tone, word = _standing(picture)
    return Line(row.pk, row.domain, picture, tone, word, *_records(request, row))


def _records(request: StaffRequest, row: SenderDomain) -> tuple[str, str]:
    look = looking.last(request.desk.org, row)
    wrong = sum(line.needed and line.state in (State.MISSING, State.DIFFERENT) for line in look.lines)
    if not look.at:
        return "plain", "Not looked at yet"
    if wrong:
        return "bad", f"{wrong} not right"
    return ("plain", "Not known now") if any(line.state is State.UNKNOWN for line in look.lines) else ("good", "Right")


def _standing(picture: Picture) -> tuple[str, str]:
    if not picture.messages:
        return "plain", "No reports yet"
    if not picture.bad:
        return "good", "All proved"
    share = picture.bad / picture.messages
    return ("bad", "Much is not proved") if share > 0.05 else ("wait", "Some is not proved")
