"""Errors of the API as RFC 9457 problem+json: a stable type, a sentence, never a value of the caller's."""

from typing import Any, Final

import msgspec

from carepost.ground.errors import CarepostError, NotFound, Refused, Unavailable
from carepost.wire.faults import fault
from carepost.wire.rest import Fault, Problem

#: `type` of a problem is this and its code
TYPE: Final = "urn:carepost:problem:"

_TITLES = {
    400: "The request cannot be read",
    401: "Authentication required",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "The request came too slowly",
    409: "The same request is being carried out",
    413: "The request is too large",
    415: "The media type is not supported",
    422: "The request cannot be carried out as it is",
    429: "Too many requests",
    431: "The head of the request is too large",
    503: "Not available now",
}


#: come again in a moment
SOON: Final = ((b"retry-after", b"5"),)


class ProblemError(Exception):
    """Ends a request with this problem and these further header fields."""

    def __init__(self, problem: Problem, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(problem.type)
        self.problem = problem
        self.headers = headers


def problem(status: int, code: str, detail: str = "", errors: tuple[Fault, ...] = ()) -> Problem:
    return Problem(TYPE + code, _TITLES.get(status, "Refused"), status, detail, errors)


def refuse(status: int, code: str, detail: str = "", errors: tuple[Fault, ...] = ()) -> ProblemError:
    return ProblemError(problem(status, code, detail, errors))


def of_error(error: CarepostError) -> ProblemError:
    """An error of another room in the words of HTTP; what may be tried again says when."""
    if isinstance(error, Refused):
        return refuse(error.status, error.code, error.public)
    if isinstance(error, NotFound):
        return refuse(404, error.code, error.public)
    if isinstance(error, Unavailable):
        return ProblemError(problem(503, error.code, error.public), SOON)
    return refuse(500, "internal", "Something failed here; nothing was accepted.")


def of_validation(error: msgspec.ValidationError, kind: Any, prefix: str = "") -> ProblemError:
    """422 with a pointer to the field, and what may stand there; what stood there is left out (law 10)."""
    found = fault(error, kind)
    return refuse(422, "invalid", "A field is wrong.", (Fault(prefix + found.pointer, found.detail),))
