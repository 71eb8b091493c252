"""Our own domains: who sends in their name, by the reports others mail to us, and what to publish to get them."""

from typing import Final
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from carepost.console.guard import shielded
from carepost.destinations import reports
from carepost.destinations.reports import Picture
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.intake.own import REPORT_NAMES
from carepost.tenancy import select
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.models import SenderDomain
from carepost.tenancy.permissions import Permission

_DAYS: Final = 30
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
    keys: int
    picture: Picture
    tone: str
    word: str


class Record(msgspec.Struct, frozen=True):
    name: str
    value: str
    why: str


@require_safe
@permission(Permission.DOMAINS)
@shielded
def domains(request: StaffRequest) -> HttpResponse:
    rows = select.domains(request.desk.org)
    lines = [_line(request, row) for row in rows]
    return render(request, "console/domains.html", {"lines": lines, "days": _DAYS, "now": clock.now()})


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
        "records": _records(found),
        "days": _DAYS,
        "now": clock.now(),
    }
    return render(request, "console/domain.html", context)


def _line(request: StaffRequest, row: SenderDomain) -> Line:
    picture = reports.picture(request.desk.org, request.desk.actor, row.domain, days=_DAYS)
    tone, word = _standing(picture)
    return Line(row.pk, row.domain, len([k for k in row.dkim_keys.all() if not k.retired_at]), picture, tone, word)


def _standing(picture: Picture) -> tuple[str, str]:
    if not picture.messages:
        return "plain", "No reports yet"
    if not picture.bad:
        return "good", "All proved"
    share = picture.bad / picture.messages
    return ("bad", "Much is not proved") if share > 0.05 else ("wait", "Some is not proved")


def _records(row: SenderDomain) -> list[Record]:
    """What to publish. A policy of `none` asks receivers for nothing but reports: a first step that breaks no mail."""
    dmarc, tls = (f"{name}@{row.domain}" for name in REPORT_NAMES)
    made = [
        Record(f"_dmarc.{row.domain}", f"v=DMARC1; p=none; rua=mailto:{dmarc}", "Reports about mail in this name"),
        Record(f"_smtp._tls.{row.domain}", f"v=TLSRPTv1; rua=mailto:{tls}", "Reports about encrypted connections"),
    ]
    keys = [key for key in row.dkim_keys.all() if not key.retired_at]
    return made + [Record(f"{k.selector}._domainkey.{row.domain}", k.record, "Our signature (DKIM)") for k in keys]
