"""Reading a request: JSON bodies, query words and times, refused without repeating what stood there (law 10)."""

import re
import uuid
from datetime import datetime
from typing import TypeVar

import msgspec
from django.http import HttpRequest

from carepost.api.answers import ProblemError
from carepost.wire.faults import fault
from carepost.wire.rest import Fault

T = TypeVar("T", bound=msgspec.Struct)


def body(request: HttpRequest, kind: type[T], *, nulls_left_out: bool = False) -> T:
    """The JSON body as `kind`. `nulls_left_out`: a field that is null counts as not given. Raises ProblemError 400,
    413, 415, 422."""
    media = (request.content_type or "").lower()
    if media != "application/json":
        raise ProblemError(415, "media-type", "Send application/json.")
    try:
        raw = request.body
    except Exception:  # Django raises several kinds for a body that is too large or cut off
        raise ProblemError(413, "too-large", "The request is too large, or it ended early.") from None
    try:
        if nulls_left_out and b"null" in raw:
            said = msgspec.json.decode(raw)
            if isinstance(said, dict):
                return msgspec.convert({name: value for name, value in said.items() if value is not None}, kind)
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise ProblemError(422, "invalid", "A field is wrong.", (fault(error, kind),)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProblemError(400, "json", "The body is no JSON.") from None


def query(request: HttpRequest, *names: str) -> dict[str, str]:
    """The query's words, "" where one is not given. Raises ProblemError 422 for a name that is none of `names`, one
    given twice, and one given empty."""
    for name, values in request.GET.lists():
        if len(values) != 1 or not values[0]:
            raise ProblemError(422, "invalid", "Give each query value once, or leave it out.")
        if name not in names:
            raise ProblemError(422, "invalid", f"The query knows {', '.join(names) or 'no names'}.")
    found = {name: request.GET.get(name, "") for name in names}
    if any("\0" in value or len(value) > 200 for value in found.values()):
        raise ProblemError(422, "invalid", "A query value is wrong.")
    return found


def limit(text: str) -> int:
    """1..200; 50 when "" was given."""
    if not text:
        return 50
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 200:
        raise ProblemError(422, "invalid", "`limit` is a number from 1 to 200.")
    return int(text)


def cursor(text: str) -> str:
    """One that pages by id; "" when "" was given."""
    try:
        return str(uuid.UUID(text)) if text else ""
    except ValueError:
        raise ProblemError(422, "invalid", "This cursor is none of ours; begin without one.") from None


def time(text: str, name: str) -> int:
    """UTC microseconds of an RFC 3339 time; 0 when "" was given."""
    if not text:
        return 0
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not 1970 <= at.year <= 9000:
        detail = f"`{name}` is a time like 2026-11-21T18:00:00Z."
        raise ProblemError(422, "invalid", detail, (Fault(f"/{name}", "not a time with an offset"),))
    return int(at.timestamp()) * 1_000_000 + at.microsecond
