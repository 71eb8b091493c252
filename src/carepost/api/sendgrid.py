"""SendGrid's v3 addresses beside our own: the same keys, scopes and doors, answered in its words and error bodies.

Its client libraries put addresses into paths and queries, where ours never stand: nothing here, nor on the way here,
writes a path down (decision 0041)."""

import functools
import re
import uuid
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from carepost.api import asked
from carepost.api.answers import ProblemError
from carepost.api.gate import View, scoped
from carepost.rfc.errors import AddressError
from carepost.tenancy.actions import suppression
from carepost.tenancy.gates import open_to_all
from carepost.tenancy.permissions import Scope
from carepost.wire.rest import Fault, Problem
from carepost.wire.sendgrid import Error, Errors

T = TypeVar("T", bound=msgspec.Struct)
_encode = msgspec.json.Encoder().encode
_TEMPLATE: Final = re.compile(r"d-([0-9a-f]{32})")


def offered(needed: Scope, *, methods: tuple[str, ...] = ("GET",)) -> Callable[[View], View]:
    """As `gate.scoped`, with SendGrid's error bodies."""

    def decorate(view: View) -> View:
        gated = scoped(needed, methods=methods)(view)

        @csrf_exempt
        @functools.wraps(view)
        def said(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return _translated(gated(request, *args, **kwargs))

        said.carepost_gate = gated.carepost_gate  # type: ignore[attr-defined]
        return said

    return decorate


@csrf_exempt
@open_to_all("says that there is nothing, to everybody alike")
def nothing(request: HttpRequest, **_path: str) -> HttpResponse:
    words = "This address of SendGrid's API is not offered here; docs/sendgrid.md says which are."
    return HttpResponse(_encode(Errors((Error(words),))), content_type="application/json", status=404)


def emails(given: tuple[str, ...], field: str) -> list[str]:
    """As the list has them. Raises ProblemError that names the place, never the address."""
    found = []
    for number, text in enumerate(given):
        try:
            found.append(suppression.spelt(text))
        except AddressError as error:
            raise ProblemError(422, "invalid", error.public, (Fault(f"/{field}/{number}", error.public),)) from None
    return list(dict.fromkeys(found))


def email(text: str) -> str:
    """Of a path. Raises ProblemError."""
    return emails((text,), "email")[0]


def template_id(text: str) -> uuid.UUID:
    """`d-` and 32 digits, or the id as we write it. Raises ProblemError 404."""
    found = _TEMPLATE.fullmatch(text)
    return version_id(found[1] if found else text)


def version_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ProblemError(404, "not-found", "There is no such thing here.") from None


def number(query: dict[str, str], name: str, *, most: int, least: int = 0, otherwise: int = 0) -> int:
    text = query[name]
    if not text:
        return otherwise
    if not text.isascii() or not text.isdigit() or len(text) > 12 or not least <= int(text) <= most:
        words = f"`{name}` is a number from {least} to {most}." if least else f"`{name}` is a number up to {most}."
        raise ProblemError(422, "invalid", words, (Fault(f"/{name}", words),))
    return int(text)


def body(request: HttpRequest, kind: type[T]) -> T:
    """As `asked.body`; null says no more than leaving out, as in a mail (`reception.http.sendgrid`)."""
    return asked.body(request, kind, nulls_left_out=True)


def query(request: HttpRequest, *names: str) -> dict[str, str]:
    return asked.query(request, *names)


def _translated(answer: HttpResponse) -> HttpResponse:
    if not answer.get("Content-Type", "").startswith("application/problem+json"):
        return answer
    said = msgspec.json.decode(answer.content, type=Problem)
    errors = tuple(Error(fault.detail or said.detail, _field(fault.pointer)) for fault in said.errors)
    answer.content = _encode(Errors(errors or (Error(said.detail or said.title),)))
    answer["Content-Type"] = "application/json"
    # what we call 422 SendGrid calls 400
    answer.status_code = 400 if said.status in (409, 413, 422) else said.status
    return answer


def _field(pointer: str) -> str | None:
    return pointer.strip("/").replace("/", ".") or None
