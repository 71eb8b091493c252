"""Answering: a form with a draft that is kept, attachments, and one message through the one door."""

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from carepost.ground import ids
from carepost.ground.errors import CarepostError, NotFound, Refused, Unavailable
from carepost.mailbox import access, replies
from carepost.mailbox import door as engine
from carepost.mailbox.content import file_kind
from carepost.mailbox.refusals import Ended
from carepost.mailbox.replies import Upload
from carepost.portal import pages
from carepost.portal.guest import Guest, client_of, office_of, page, state
from carepost.rfc.errors import ComposeError
from carepost.ui import uploads


@require_http_methods(["GET", "HEAD", "POST"])
@page
def reply(request: Guest, link: str) -> HttpResponse:
    try:
        access.writable(request.guest, link)
    except NotFound:
        if _wrote(request):
            return _signed_out(request, link)
        return redirect("portal:door", link)
    except Ended as ended:
        return _ended(request, link, ended)
    if request.method != "POST":
        kept = replies.draft(request.guest, link)
        return _form(request, link, kept.text, draft_at=kept.saved_at, saved=request.GET.get("done") == "draft")
    text = request.POST.get("text", "")
    if request.META.get(uploads.TOO_LARGE):
        return _form(request, link, text, problem=_TOO_LARGE, status=413)
    files = tuple(
        Upload(f.name or "file", file_kind(f.content_type or ""), f.read()) for f in request.FILES.getlist("files")
    )
    try:
        replies.reply(
            request.guest, link, text, files, door=engine.client(), client=client_of(request), page=_mark(request)
        )
    except Ended as ended:
        return _ended(request, link, ended)
    except Unavailable:
        return _form(request, link, text, problem=_BUSY, status=503)
    except ComposeError:
        return _form(request, link, text, problem=_FILE_NAME, status=422)
    except Refused as refused:
        heading = "The reply was not sent"
        return _form(request, link, text, problem={"heading": heading, "text": refused.public}, status=refused.status)
    return redirect(f"{_path('read', link)}?done=replied")


@require_POST
@page
def draft(request: Guest, link: str) -> HttpResponse:
    wants_json = "application/json" in request.headers.get("Accept", "")
    try:
        saved = replies.save_draft(request.guest, link, request.POST.get("text", ""))
    except CarepostError as error:
        if wants_json:
            return JsonResponse({"error": error.public}, status=getattr(error, "status", 503))
        if isinstance(error, Ended):
            return _ended(request, link, error)
        raise
    return JsonResponse({"saved_at": saved}) if wants_json else redirect(f"{_path('reply', link)}?done=draft")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Of every page outside: what happened, and a way on; but whoever wrote a reply gets it back."""
    match = request.resolver_match
    link = str(match.kwargs.get("link", "")) if match is not None and match.view_name.startswith("portal:") else ""
    try:
        if match is not None and match.view_name in ("portal:reply", "portal:draft") and _wrote(request):
            return _signed_out(request, link, stale=True)
        return state(request, pages.STALE, 403, link=link)
    except (CarepostError, DatabaseError, InterfaceError):
        return state(request, pages.STALE, 403)


def _wrote(request: HttpRequest) -> bool:
    return request.method == "POST" and bool(request.POST.get("text", "").strip() or request.FILES)


def _ended(request: Guest, link: str, ended: Ended) -> HttpResponse:
    """The message expired or was taken back while somebody wrote: it cannot be answered here any more, and what was
    written is given back to be copied."""
    if not _wrote(request):
        raise ended
    context = {
        "office": office_of(access.deposit_of(link)),
        "session": request.guest,
        "page": pages.ENDED[ended.state],
        "text": request.POST.get("text", ""),
    }
    return render(request, "portal/reply-ended.html", context, status=410)


def _signed_out(request: HttpRequest, link: str, *, stale: bool = False) -> HttpResponse:
    """The session ended while somebody wrote: nothing is done, and what was written is given back. `stale`: the page
    was too old, whatever became of the session."""
    context = {
        "office": office_of(access.deposit_of(link)),
        "session": None,
        "stale": stale,
        "kept_heading": "Nothing was sent" if stale else "Your session has ended, and nothing was sent",
        "link": link,
        "text": request.POST.get("text", ""),
        "files": bool(request.FILES),
        "mark": _mark(request),
    }
    return render(request, "portal/reply-kept.html", context, status=403)


def _mark(request: HttpRequest) -> str:
    """Of the page the form stands on: however often Send is pressed there, it is one reply."""
    return request.POST.get("page", "")[:60] or ids.text(ids.new())


def _path(name: str, link: str) -> str:
    return redirect(f"portal:{name}", link).headers["Location"]


def _form(
    request: Guest,
    link: str,
    text: str,
    *,
    problem: dict[str, str] | None = None,
    draft_at: int = 0,
    saved: bool = False,
    status: int = 200,
) -> HttpResponse:
    row, record, _ = access.writable(request.guest, link)
    context = {
        "office": office_of(row),
        "session": request.guest,
        "link": link,
        "view": record,
        "text": text,
        "problem": problem,
        "draft_at": draft_at,
        "saved": saved,
        "limit": replies.SIZE,
        "mark": _mark(request),
    }
    return render(request, "portal/reply.html", context, status=status)


_TOO_LARGE = {
    "heading": "The files are too large",
    "text": f"Together they may have {replies.SIZE // 1_000_000} MB. Nothing was sent. Choose fewer or smaller files.",
}
_BUSY = {
    "heading": "Your reply could not be sent just now",
    "text": "Your text was saved as a draft. Please choose the files again and press Send in a minute.",
}
_FILE_NAME = {
    "heading": "A file could not be attached",
    "text": "Its name is too long or has signs that are not allowed. Rename it and choose it again. Nothing was sent.",
}
