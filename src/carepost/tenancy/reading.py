"""Pages that only show: each key is looked for once a request, however many rows stand under it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from carepost.tenancy import keys


class KeysTogether:
    """Middleware: `keys.together` around what is safe (RFC 9110, 9.2.1); whatever changes something looks each time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        with keys.together():
            return self.get_response(request)
