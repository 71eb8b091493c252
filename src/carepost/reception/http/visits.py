"""Requests that were let in: with a key that may, within its rate, told what is left of it."""

from collections.abc import Callable

from carepost.directory import keywords
from carepost.directory.types import ApiKey
from carepost.ground import metrics
from carepost.ground.errors import CarepostError
from carepost.reception.http.asgi import Headers, Scope, header
from carepost.reception.http.keys import Keys
from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.pressing import Pressing
from carepost.reception.http.problem import ProblemError, of_error, refuse
from carepost.reception.http.rate import Rate
from carepost.wire import rest

SCOPE = "send"
_QUOTA = "https://iana.org/assignments/http-problem-types#quota-exceeded"
#: the commonest spelling, which needs no taking apart
_JSON = b"application/json"


class Visits:
    """`checkpoint`: the organisation's latest checkpoint on one line, for the header of every answer; None: unknown."""

    def __init__(
        self, keys: Keys, limits: HttpLimits, checkpoint: Callable[[bytes], str | None] | None, pressing: Pressing
    ) -> None:
        self._keys = keys
        self._checkpoint = checkpoint
        self.rate = Rate(limits)
        self.pressing = pressing

    def enter(self, scope: Scope) -> ApiKey:
        """`leave` must follow. Raises 401, 403, 429 problems, Unavailable: then nobody entered."""
        key = self._keys.require(scope, SCOPE)
        wait = self.rate.enter(key.id, keywords.limit_of(key.scopes))
        if wait:
            metrics.count("http_limited")
            asked = rest.Problem(_QUOTA, "Too many requests", 429, "This key asks more than it may; come again later.")
            raise ProblemError(asked, ((b"retry-after", b"%d" % wait), *self._rate_headers(key)))
        self.pressing.begin(key.org)
        return key

    def still(self, key: ApiKey) -> None:
        """Raises a 401 problem when the key was withdrawn while its request came in. Raises Unavailable."""
        self._keys.still(key)

    def leave(self, key: ApiKey) -> None:
        self.rate.leave(key.id)
        self.pressing.end(key.org)

    def headers(self, key: ApiKey) -> Headers:
        checkpoint = self._checkpoint(key.org) if self._checkpoint is not None else None
        extra = ((b"carepost-checkpoint", checkpoint.encode()),) if checkpoint else ()
        return (*self._rate_headers(key), *extra)

    def told(self, error: ProblemError | CarepostError, key: ApiKey) -> ProblemError:
        """In words, with what every answer under this key says."""
        told = error if isinstance(error, ProblemError) else of_error(error)
        return ProblemError(told.problem, (*told.headers, *self.headers(key)))

    def _rate_headers(self, key: ApiKey) -> Headers:
        return (b"ratelimit-policy", self.rate.policy(key.id)), (b"ratelimit", self.rate.state(key.id))


def check_media(scope: Scope) -> None:
    """Raises a 415 problem for what is not JSON as it is."""
    media = header(scope, b"content-type") or b""
    if media != _JSON:
        media = media.partition(b";")[0].strip().lower()
    if media != _JSON or header(scope, b"content-encoding") is not None:
        raise refuse(415, "media-type", "Send application/json, not encoded.")
