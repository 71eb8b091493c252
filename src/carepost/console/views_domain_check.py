"""One of our own domains: what DNS says now beside what it should say. Asked when a person presses the button."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from carepost.console.guard import shielded
from carepost.destinations import published
from carepost.destinations.published import Key
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.intake.own import REPORT_NAMES
from carepost.mailbox import door
from carepost.rfc import asking
from carepost.tenancy import select
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission


@require_POST
@permission(Permission.DOMAINS)
@shielded
def check(request: StaffRequest, row: UUID) -> HttpResponse:
    """Raises NotFound for another organisation's; what no engine answers is not known."""
    found = next((one for one in select.domains(request.desk.org) if one.pk == row), None)
    if found is None:
        raise NotFound
    keys = [Key(key.selector, key.record) for key in found.dkim_keys.all() if not key.retired_at]
    dmarc, tls = (f"{name}@{found.domain}" for name in REPORT_NAMES)
    course = published.check(
        found.domain,
        keys,
        dmarc=f"v=DMARC1; p=none; rua=mailto:{dmarc}",
        tls=f"v=TLSRPTv1; rua=mailto:{tls}",
    )
    checked = asking.run(course, door.client().ask)
    context = {
        "row": found,
        "checked": checked,
        "good": sum(one.tone == published.GOOD for one in checked),
        "now": clock.now(),
    }
    return render(request, "console/domain-check.html", context)
