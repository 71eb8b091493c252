"""Answers of the API: JSON from msgspec Structs, problem+json (RFC 9457) without a value of the caller's (law 10)."""

from typing import Any, Final

import msgspec
from django.http import HttpResponse

from carepost.ground.errors import CarepostError, NotFound, Refused, Unavailable
from carepost.wire.rest import Fault, Problem

_TYPE: Final = "urn:carepost:problem:"
_TITLES: Final = {
    400: "The request cannot be read",
    401: "Authentication required",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Not possible now",
    413: "The request is too large",
    415: "The media type is not supported",
    422: "The request cannot be carried out as it is",
    429: "Too many requests",
    503: "Not available now",
}
_encoder = msgspec.json.Encoder()


class ProblemError(Exception):
    """Ends a request with this answer."""

    def __init__(self, status: int, code: str, detail: str = "", errors: tuple[Fault, ...] = ()) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.errors = status, code, detail, errors


def not_taken(methods: tuple[str, ...]) -> ProblemError:
    """`methods`: that the address takes."""
    return ProblemError(405, "method-not-allowed", f"This address takes {' and '.join(methods)} alone.")


def json(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(_encoder.encode(value), content_type="application/json", status=status)


def problem(status: int, code: str, detail: str = "", errors: tuple[Fault, ...] = ()) -> HttpResponse:
    said = Problem(_TYPE + code, _TITLES.get(status, "Refused"), status, detail, errors)
    answer = HttpResponse(_encoder.encode(said), content_type="application/problem+json", status=status)
    if status == 503:
        answer["Retry-After"] = "5"
    if status == 401:
        answer["WWW-Authenticate"] = 'Bearer realm="carepost"'
    return answer


def of_error(error: CarepostError) -> HttpResponse:
    if isinstance(error, NotFound):
        return problem(404, "not-found", "There is no such thing here.")
    if isinstance(error, Refused):
        return problem(error.status, error.code, error.public)
    if isinstance(error, Unavailable):
        return problem(503, error.code, error.public)
    return problem(500, "internal", "Something failed here; try again, and tell the operator when it stays.")
