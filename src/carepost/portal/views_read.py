"""Reading: the message's page, its text in a frame of its own, printing, attachments, deletion."""

from typing import Final
from urllib.parse import quote

from django.core import signing
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_http_methods

from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.mailbox import access
from carepost.portal import sanitise
from carepost.portal.guest import Guest, client_of, office_of, page
from carepost.ui import headers

#: seconds in which the frame counts as part of the page that holds it (one showing, one event)
_SHOWING: Final = 600
_signer = signing.TimestampSigner(salt="carepost.portal.frame")


@require_GET
@page
def read(request: Guest, link: str) -> HttpResponse:
    try:
        seen = access.access_deposit(request.guest, link, client=client_of(request))
    except NotFound:
        return redirect("portal:door", link)
    assert request.guest is not None
    context = {
        "view": seen,
        "office": office_of(access.deposit_of(link)),
        "session": request.guest,
        "link": link,
        "left": (seen.expires_at - clock.now()) / 1_000_000,
        "frame": sanitise.frame(seen.content),
        "remote": sanitise.has_remote_pictures(seen.content),
        "ticket": _ticket(request, link),
        "notice": _NOTICES.get(request.GET.get("done", "")),
    }
    return render(request, "portal/read.html", context)


@require_GET
@page
def body(request: Guest, link: str) -> HttpResponse:
    """The text alone, in an origin of its own, without script, forms or network."""
    try:
        seen = access.access_deposit(
            request.guest, link, client=client_of(request), shown=not _part_of_page(request, link)
        )
    except NotFound:
        return redirect("portal:door", link)
    response = HttpResponse(sanitise.document(seen.content))
    response["Content-Security-Policy"] = headers.BODY
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_GET
@page
def print_(request: Guest, link: str) -> HttpResponse:
    try:
        seen = access.access_deposit(request.guest, link, client=client_of(request))
    except NotFound:
        return redirect("portal:door", link)
    context = {
        "view": seen,
        "office": office_of(access.deposit_of(link)),
        "now": clock.now(),
        # sanitise.body is what makes it safe
        "body": mark_safe(sanitise.body(seen.content)),  # noqa: S308
    }
    response = render(request, "portal/print.html", context)
    response["Content-Security-Policy"] = headers.PRINT
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_GET
@page
def file(request: Guest, link: str, number: int) -> HttpResponse:
    found, data = access.access_file(request.guest, link, number, client=client_of(request))
    return download(found.name, data)


@require_GET
@page
def files(request: Guest, link: str) -> HttpResponse:
    return download("attachments.zip", access.access_files(request.guest, link, client=client_of(request)))


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: Guest, link: str) -> HttpResponse:
    if request.method == "POST":
        access.delete_deposit(request.guest, link, client=client_of(request))
        return redirect("portal:inbox")
    row, _, _ = access.writable(request.guest, link)
    return render(request, "portal/delete.html", {"office": office_of(row), "session": request.guest, "link": link})


def download(name: str, data: bytes) -> HttpResponse:
    """A file to keep, whatever it says it is: never shown in our origin (BI-057)."""
    response = HttpResponse(data, content_type="application/octet-stream")
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-()") else "_" for c in name)
    response["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    response["Content-Security-Policy"] = headers.FILE
    return response


def _ticket(request: Guest, link: str) -> str:
    assert request.guest is not None
    return _signer.sign(f"{request.guest.id}/{link}").partition(":")[2]


def _part_of_page(request: Guest, link: str) -> bool:
    if request.guest is None:
        return False
    try:
        _signer.unsign(f"{request.guest.id}/{link}:{request.GET.get('t', '')}", max_age=_SHOWING)
    except signing.BadSignature:
        return False
    return True


_NOTICES: Final = {
    "replied": {"heading": "Your reply was sent", "text": "The sender gets it in their mailbox. It stands below too."},
}
