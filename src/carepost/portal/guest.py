"""What a portal view is given: who is there, from where, and the page that answers when something does not go."""

import functools
import re
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from carepost.cold.s3 import Away
from carepost.ground import ids, log
from carepost.ground.errors import CarepostError, NotFound, Unavailable
from carepost.mailbox import access, offices, sessions
from carepost.mailbox.models import Deposit
from carepost.mailbox.notices import Office
from carepost.mailbox.refusals import Ended, Locked
from carepost.mailbox.sessions import Opened, Session
from carepost.mailbox.within import within
from carepost.portal import pages
from carepost.tenancy.gates import open_to_all

_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "a Mac"),
    ("CrOS", "a Chromebook"), ("Linux", "Linux"),
)  # fmt: skip
_BROWSERS: Final = (
    (r"Edg(?:e|A|iOS)?/", "Edge"), (r"SamsungBrowser/", "Samsung Internet"), (r"Firefox/|FxiOS/", "Firefox"),
    (r"OPR/", "Opera"), (r"Chrome/|CriOS/", "Chrome"), (r"Safari/", "Safari"),
)  # fmt: skip


class Guest(HttpRequest):
    """A request of the portal: `guest` is the live session or None."""

    guest: Session | None


View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """Every portal view: finds the session, turns every outcome into a page with a way forward."""

    @functools.wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        link = kwargs.get("link", "")
        session = None
        try:
            session = sessions.find(request.COOKIES.get(cookie_name(), ""))
            request.guest = session  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)
        except Ended as ended:
            return state(request, pages.ENDED[ended.state], 410, link=link, session=session)
        except Locked as locked:
            return state(request, pages.LOCKED.until_(locked.until), 429, link=link, session=session)
        except NotFound:
            return state(request, pages.UNKNOWN, 404, session=session)
        except Away as away:
            shown = pages.SPOILT if away.word in ("missing", "damaged") else pages.STORED
            return _broken(request, away, shown, 503, link)
        except (Unavailable, DatabaseError, InterfaceError) as error:
            return _broken(request, error, pages.BUSY, 503, link)
        except CarepostError as error:
            return _broken(request, error, pages.FAULT, 500, link)

    return open_to_all("the portal: recipients have no account; mailbox.access guards what is shown")(answered)


def _broken(request: HttpRequest, error: Exception, shown: pages.Page, status: int, link: str) -> HttpResponse:
    number = ids.text(ids.new())
    log.failure("portal-failed", error, error_id=number)
    answer = state(request, shown, status, link=link, error_id=number)
    if status == 503:
        answer["Retry-After"] = "30"
    return answer


def state(
    request: HttpRequest,
    shown: pages.Page,
    status: int,
    *,
    link: str = "",
    session: Session | None = None,
    error_id: str = "",
) -> HttpResponse:
    """One of `pages`, with the organisation's name and telephone number where the link is one of ours."""
    office = None
    if link and status != 503:
        try:
            office = office_of(access.deposit_of(link))
        except NotFound:
            link = ""
    context = {"page": shown, "office": office, "link": link, "session": session, "error_id": error_id}
    return render(request, "portal/state.html", context, status=status)


def office_of(row: Deposit) -> Office:
    with within(row.org_id.bytes):
        return offices.office_of(row.org_id.bytes, row.domain)


def cookie_name() -> str:
    return "__Host-carepost-guest" if settings.SESSION_COOKIE_SECURE else "carepost-guest"


def set_cookie(response: HttpResponse, opened: Opened) -> None:
    response.set_cookie(
        cookie_name(),
        opened.cookie,
        max_age=opened.seconds or None,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
        path="/",
    )


def drop_cookie(response: HttpResponse) -> None:
    response.delete_cookie(cookie_name(), path="/", samesite="Lax")


def client_of(request: HttpRequest) -> str:
    """The peer's address, for evidence only."""
    return str(request.META.get("REMOTE_ADDR", ""))[:64]


def device_of(request: HttpRequest) -> str:
    """`Firefox on Android`, for the person's own list of sessions."""
    agent = request.headers.get("User-Agent", "")[:400]
    browser = next((name for pattern, name in _BROWSERS if re.search(pattern, agent)), "A browser")
    system = next((name for word, name in _SYSTEMS if word in agent), "")
    return f"{browser} on {system}" if system else browser
