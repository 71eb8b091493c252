"""One process, two origins: requests relayed from the engines' port reach the API alone, all others the console.

The relay sets `X-Carepost-Face: api` on everything it forwards, whatever the caller sent. A caller of the console's
port who forges it reaches the API, which knows no cookie and asks for a bearer key: nothing is won.
"""

from collections.abc import Callable, Sequence
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "X-Carepost-Face"
#: in META: the name under which the API was asked
ASKED = "CAREPOST_ASKED_HOST"


class ByListener:
    """Middleware: the API's requests get the API's URLs and never see a session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.headers.get(HEADER) == "api":
            request.urlconf = settings.CAREPOST_API_URLCONF
            request.COOKIES.clear()
            # programs reach the API under names of its own: it asks for a bearer key, keeps no session and sends no
            # link, so nothing rests on the name. Only the console holds to the names it has.
            request.META[ASKED] = request.META.get("HTTP_HOST", "")
            request.META["HTTP_HOST"] = cast(Sequence[str], settings.ALLOWED_HOSTS)[0]
        return self.get_response(request)
