"""What every page of a face is sent with (BI-095, HS-20): no cache, no frame, no referrer, nothing from elsewhere."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

#: pages of both faces; forms go to the own origin only
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

#: a message's body: a document of its own, without script, form or network, in an origin of its own
BODY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)

#: the same standing alone, for printing; its style is part of the document
PRINT = BODY.replace("frame-ancestors 'self'", "frame-ancestors 'none'")

#: a file to keep, never to show
FILE = "default-src 'none'; sandbox; frame-ancestors 'none'"


class PageHeaders:
    """Middleware. A view that set its own policy keeps it; everything else gets PAGE and no-store."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", PAGE)
        response.headers.setdefault("Cache-Control", "no-store")
        # not "no-referrer": browsers would then send `Origin: null` with our own forms, and CSRF checks refuse that
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
        if "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]:
            response.headers.setdefault("X-Frame-Options", "DENY")
        return response
