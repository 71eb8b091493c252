"""Bearer keys: who asks, and what they may (DESIGN 6)."""

from typing import Protocol

from carepost.directory import bearer
from carepost.directory.types import ApiKey
from carepost.ground import metrics
from carepost.reception.http.asgi import Scope, header
from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.problem import ProblemError, problem, refuse
from carepost.reception.throttle import Throttle
from carepost.wire.faults import NO_KEY, WRONG_KEY

_WINDOW = 300.0
_CHALLENGE = ((b"www-authenticate", b"Bearer"),)
#: longer is no key of ours
_LONGEST = 256


class KeyLookup(Protocol):
    """Raises Unavailable when the office was unreadable too long."""

    def api_key(self, key: str) -> ApiKey | None: ...


class Keys:
    def __init__(self, directory: KeyLookup, limits: HttpLimits) -> None:
        self._directory = directory
        self._wrong = Throttle(limits.wrong_keys, _WINDOW)

    def require(self, scope: Scope, permission: str) -> ApiKey:
        """The key of the request, when it has the scope. Raises 401, 403, 429 problems, Unavailable."""
        client = scope["client"][0] if scope.get("client") else ""
        if self._wrong.over(client):
            raise ProblemError(problem(429, "wrong-keys", "Too many wrong keys from here."), ((b"retry-after", b"60"),))
        found = self._find(scope)
        if found is None:
            self._wrong.hit(client)
            metrics.count("http_wrong_key")
            words = WRONG_KEY if header(scope, b"authorization") else NO_KEY
            raise ProblemError(problem(401, "unauthenticated", words), _CHALLENGE)
        if permission not in found.scopes:
            raise refuse(403, "scope", f"This key lacks the scope {permission}.")
        return found

    def still(self, key: ApiKey) -> None:
        """Raises a 401 problem when the key was withdrawn while its request came in. Raises Unavailable."""
        if self._directory.api_key(key.id) != key:
            raise ProblemError(problem(401, "unauthenticated", "This API key was withdrawn."), _CHALLENGE)

    def _find(self, scope: Scope) -> ApiKey | None:
        value = header(scope, b"authorization") or b""
        scheme, _, token = value.partition(b" ")
        if scheme.lower() != b"bearer" or len(token) > _LONGEST:
            return None
        presented = bearer.split(token.decode("latin-1"))
        if presented is None:
            return None
        key_id, secret_hash = presented
        found = self._directory.api_key(key_id)
        return found if bearer.matches(found, secret_hash) else None
