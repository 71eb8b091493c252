"""What belongs to the person: their messages, sessions, notices, data, and leaving."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from carepost.ground import clock
from carepost.mailbox import access, offices, sessions
from carepost.mailbox.notices import Office
from carepost.mailbox.sessions import Session
from carepost.mailbox.within import within
from carepost.portal import pages
from carepost.portal.guest import Guest, client_of, drop_cookie, page, state
from carepost.portal.views_read import download
from carepost.ui import times


@require_http_methods(["GET", "HEAD", "POST"])
@page
def inbox(request: Guest) -> HttpResponse:
    """The list; a search comes by POST, so that no word of it stands in an address."""
    session = request.guest
    if session is None:
        return state(request, pages.SIGNED_OUT, 401)
    query = request.POST.get("q", "")[:200] if request.method == "POST" else ""
    rows = access.access_inbox(session, query=query, client=client_of(request))
    context = {
        "office": _office(session),
        "session": session,
        "recipient": access.own_address(session),
        "rows": rows,
        "query": query,
        "unread": sum(not row.opened for row in rows),
        "now": clock.now(),
    }
    return render(request, "portal/inbox.html", context)


@require_GET
@page
def settings_(request: Guest) -> HttpResponse:
    session = request.guest
    if session is None:
        return state(request, pages.SIGNED_OUT, 401)
    rows = [
        {
            "id": one.id,
            "device": one.device,
            "here": one.here,
            "trusted": one.trusted,
            "opened_at": one.opened_at,
            "opened_words": times.words(one.opened_at),
            "seen_at": one.seen_at,
            "ends_at": one.ends_at,
        }
        for one in sessions.listing(session)
    ]
    context = {
        "office": _office(session),
        "session": session,
        "recipient": access.own_address(session),
        "sessions": rows,
        "quiet": sessions.is_quiet(session),
    }
    return render(request, "portal/settings.html", context)


@require_POST
@page
def opt_out(request: Guest) -> HttpResponse:
    if request.guest is not None:
        sessions.be_quiet(request.guest, request.POST.get("quiet") == "1")
    return redirect("portal:settings")


@require_POST
@page
def my_data(request: Guest) -> HttpResponse:
    if request.guest is None:
        return redirect("portal:settings")
    return download("my-messages.zip", access.access_own_data(request.guest, client=client_of(request)))


@require_POST
@page
def end_session(request: Guest, session: UUID) -> HttpResponse:
    mine = request.guest
    if mine is None:
        return redirect("portal:settings")
    if session == mine.id:
        return _sign_out(request)
    sessions.close_one(mine, session)
    return redirect("portal:settings")


@require_POST
@page
def end_all(request: Guest) -> HttpResponse:
    if request.guest is not None:
        sessions.close_all(request.guest)
    return _left(request)


@require_POST
@page
def sign_out(request: Guest) -> HttpResponse:
    return _sign_out(request)


def _sign_out(request: Guest) -> HttpResponse:
    if request.guest is not None:
        sessions.close(request.guest)
    return _left(request)


def _left(request: Guest) -> HttpResponse:
    response = state(request, pages.LEFT, 200)
    response["Clear-Site-Data"] = '"cache", "storage"'
    drop_cookie(response)
    return response


def _office(session: Session) -> Office:
    with within(session.org):
        return offices.office_of(session.org)
