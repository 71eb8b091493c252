"""One process, two origins: requests relayed from the engines' port reach the API alone, all others the console.

The relay sets `X-Carepost-Face: api` on everything it forwards, whatever the caller sent. A caller of the console's
port who forges it reaches the API, which knows no cookie and asks for a bearer key: nothing is won.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "X-Carepost-Face"


class ByListener:
    """Middleware: the API's requests get the API's URLs and never see a session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.headers.get(HEADER) == "api":
            request.urlconf = settings.CAREPOST_API_URLCONF
            request.COOKIES.clear()
        return self.get_response(request)
