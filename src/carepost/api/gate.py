"""Every view of the API stands behind a key with a scope (HS-06): `@scoped(Scope.SEARCH)`, or says why it is open.

The key is looked up and compared on every request, so a revocation holds from the next one."""

import functools
import hmac
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from carepost.api import answers
from carepost.api.answers import ProblemError
from carepost.api.rate import Allowed, Rate
from carepost.archive.store import store
from carepost.audit import reader
from carepost.crypto.rest import Damaged
from carepost.directory import bearer, keywords
from carepost.ground import clock, database, log
from carepost.ground.errors import CarepostError
from carepost.proof.canonical import b64
from carepost.tenancy import scope, uses
from carepost.tenancy.models import ApiKey
from carepost.tenancy.permissions import Scope
from carepost.wire.faults import NO_KEY, WRONG_KEY
from carepost.wire.types import Actor


@dataclass(frozen=True)
class Caller:
    org: uuid.UUID
    actor: Actor
    scopes: frozenset[str]
    #: requests it may ask; 0: what the server allows
    per_minute: int = 0


class ApiRequest(HttpRequest):
    """What a view behind `scoped` is given."""

    caller: Caller


View = Callable[..., HttpResponse]

#: of this process
RATE: Final = Rate()
#: paths whose other methods the engine answers before a request ever comes here
_ENGINES: Final = {"/api/v1/messages": ("POST",)}


def scoped(needed: Scope, *, methods: tuple[str, ...] = ("GET",)) -> Callable[[View], View]:
    """One view, its scope, its methods. Errors become problems; every answer names the organisation's checkpoint."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @functools.wraps(view)
        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            caller: Caller | None = None
            rated: Allowed | None = None
            try:
                caller = _caller(request)
                rated = RATE.ask(caller.actor.id, caller.per_minute)
                if rated.wait:
                    raise ProblemError(429, "quota", "This key asks more than it may; come again later.")
                if request.method not in methods:
                    raise answers.not_taken(methods + _ENGINES.get(request.path, ()))
                if needed not in caller.scopes:
                    raise ProblemError(403, "scope", f"The key lacks the scope {needed.value}.")
                cast(ApiRequest, request).caller = caller
                with scope.organisation(caller.org):
                    answer = view(request, *args, **kwargs)
            except ProblemError as error:
                answer = answers.problem(error.status, error.code, error.detail, error.errors)
            except CarepostError as error:
                answer = answers.of_error(error)
            except Damaged as error:
                log.failure("api-damaged", error)
                answer = answers.problem(500, "damaged", "What is stored here cannot be opened; tell the operator.")
            except (DatabaseError, database.DatabaseError) as error:
                log.failure("api-database", error)
                answer = answers.problem(503, "database", "The records cannot be read now; try again.")
            except Exception as error:
                log.failure("api-failed", error)
                answer = answers.problem(500, "internal", "Something failed here; tell the operator when it stays.")
            if answer.status_code == 405:
                answer["Allow"] = ", ".join(methods + _ENGINES.get(request.path, ()))
            if caller is not None:
                _checkpoint(caller.org, answer)
            for name, value in rated.fields().items() if rated is not None else ():
                answer[name] = value
            answer["Cache-Control"] = "no-store"
            return answer

        gated.carepost_gate = f"key: {needed.value}"  # type: ignore[attr-defined]
        return gated

    return decorate


def _caller(request: HttpRequest) -> Caller:
    kind, _, presented = request.headers.get("Authorization", "").partition(" ")
    parts = bearer.split(presented) if kind.lower() == "bearer" else None
    key = _key(parts[0]) if parts is not None else None
    if parts is None or key is None or not hmac.compare_digest(bytes(key.secret_hash), parts[1]):
        raise ProblemError(401, "unauthenticated", WRONG_KEY if presented else NO_KEY)
    words = tuple(key.scopes.split())
    return Caller(key.org_id, Actor("key", str(key.pk)), frozenset(words), keywords.limit_of(words))


def _key(named: str) -> ApiKey | None:
    try:
        id_ = uuid.UUID(named)
    except ValueError:
        return None
    with scope.every("a key says by itself whose it is"):
        key = ApiKey.objects.select_related("org", "owner").filter(pk=id_, revoked_at=0).first()
        if key is None or key.org.closed_at or (key.owner is not None and not key.owner.is_active):
            return None
        uses.key(key, clock.now())
    return key


def _checkpoint(org: uuid.UUID, answer: HttpResponse) -> None:
    """The latest signed checkpoint, base64 of the note: whoever keeps it can hold us to it (DESIGN 4)."""
    try:
        point = reader.checkpoint(store(), org.bytes)
    except (DatabaseError, database.DatabaseError):
        return
    if point is not None:
        answer["Carepost-Checkpoint"] = b64(point.note)
