"""What is asked, as values, and what an answer leads to: done, again after a wait, or an error. Pure but for chance."""

import email.utils
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from carepost.client.errors import ApiError, Unreachable
from carepost.ground import clock
from carepost.wire.rest import Problem

#: answers that say "later": nothing was accepted
_LATER: Final = frozenset({429, 502, 503, 504})
_IN_FLIGHT: Final = 409
_FOREIGN: Final = "The answer is none of the API's: look at the address, and at what stands before the server"
_encode = msgspec.json.Encoder().encode


class Call(msgspec.Struct, frozen=True):
    """`again`: it may be asked again after a connection was lost in the middle of it."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = {}
    again: bool = True


class Reply(msgspec.Struct, frozen=True):
    status: int
    #: names in lower case
    headers: dict[str, str]
    body: bytes

    def read(self, kind: Any) -> Any:
        """Raises ApiError for what is none of the API's answers: something stands between the server and us."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ApiError(Problem("about:blank", _FOREIGN, self.status)) from None


class Retry(msgspec.Struct, frozen=True):
    """How often and how long. Seconds."""

    tries: int = 6
    first: float = 0.5
    longest: float = 30.0
    #: of one call with all its tries and waits
    patience: float = 120.0


def get(path: str, **query: object) -> Call:
    given = {name: str(value) for name, value in query.items() if value}
    return Call("GET", f"{path}?{urlencode(given)}" if given else path)


def post(path: str, value: object, *, key: str | None = None, again: bool = False) -> Call:
    """`key`: an idempotency key, under which it may be asked again."""
    headers = {"content-type": "application/json"}
    if key is not None:
        headers["idempotency-key"] = f'"{key}"'
    return Call("POST", path, _encode(value), headers, again or key is not None)


def put(path: str, value: object) -> Call:
    """What is put twice is as it was put once: it may be asked again."""
    return Call("PUT", path, _encode(value), {"content-type": "application/json"}, again=True)


def file(path: str, name: str, content_type: str, data: bytes) -> Call:
    """multipart/form-data with one part `file` (RFC 7578); its name in UTF-8, quoted as browsers do."""
    mark = f"carepost{secrets.token_hex(16)}"
    said = name.replace("\\", "%5C").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    kind = content_type.replace("\r", "").replace("\n", "")
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{said}"\r\nContent-Type: {kind}\r\n\r\n'
    body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
    return Call("POST", path, body, {"content-type": f"multipart/form-data; boundary={mark}"}, False)


def part(value: str) -> str:
    """A value as one segment of a path."""
    return quote(value, safe="")


def new_key() -> str:
    return secrets.token_urlsafe(24)


class Course:
    """The tries of one call. After each: `wait` seconds to wait, or None when the reply stands."""

    def __init__(self, call: Call, retry: Retry) -> None:
        self._call = call
        self._retry = retry
        self._tries = 0
        self._end = clock.monotonic() + retry.patience

    def wait(self, reply: Reply) -> float | None:
        self._tries += 1
        later = reply.status in _LATER or (reply.status == _IN_FLIGHT and problem(reply).type.endswith(":in-flight"))
        if not later or self._tries >= self._retry.tries:
            return None
        said = _retry_after(reply.headers)
        seconds = max(self._pause(), said or 0.0)
        return seconds if clock.monotonic() + seconds < self._end else None

    def lost(self, *, sent: bool) -> float:
        """The connection ended; `sent`: after the request may have been read. Seconds to wait. Raises Unreachable."""
        self._tries += 1
        seconds = self._pause()
        over = self._tries >= self._retry.tries or clock.monotonic() + seconds >= self._end
        if over or (sent and not self._call.again):
            raise Unreachable(f"No answer from the server after {self._tries} tries.")
        return seconds

    def _pause(self) -> float:
        """Doubled each time, and between half of it and all of it, so that many callers do not come at once."""
        full: float = min(self._retry.longest, self._retry.first * 2.0 ** (self._tries - 1))
        return full * (0.5 + secrets.randbelow(1 << 16) / (1 << 17))


def settled(reply: Reply) -> Reply:
    """Raises ApiError for what is no success."""
    if 200 <= reply.status < 300:
        return reply
    raise ApiError(problem(reply))


def problem(reply: Reply) -> Problem:
    try:
        found: Problem = reply.read(Problem)
    except ApiError:
        return Problem("about:blank", "The server answered with no problem of its own", reply.status)
    return found


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, or a date (RFC 9110 10.2.3)."""
    value = headers.get("retry-after", "")
    if value.isascii() and value.isdigit() and len(value) < 8:
        return float(value)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    return max(0.0, at.timestamp() - clock.now() / 1e6)
