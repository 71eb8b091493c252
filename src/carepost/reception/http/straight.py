"""A message whose request came whole, in one piece: from the parser to the door and back without a task or ASGI.

The same steps in the same order as `send.Sender.with_key`, by callbacks; whatever has to wait for more than the commit
(a batch, a template, an upload, an access code, an Idempotency-Key, another engine's shard) goes on in a task there."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import msgspec

from carepost.directory.types import ApiKey
from carepost.ground import log
from carepost.ground.errors import CarepostError
from carepost.intake.stages import Begun
from carepost.reception.http import compose, decode
from carepost.reception.http.asgi import Headers, Scope, header
from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.problem import SOON, ProblemError, of_error, problem, refuse
from carepost.reception.http.send import Sender, answered
from carepost.reception.http.visits import Visits, check_media
from carepost.spool.budget import Budget
from carepost.wire import rest
from carepost.wire.types import Accepted, Submission

PATH = b"/api/v1/messages"
JSON, PROBLEM = b"application/json", b"application/problem+json"

#: told once: status, content type, body, further header fields
Tell = Callable[[int, bytes, bytes, Headers], None]
Found = tuple[int, object, Headers]
Ended = asyncio.Future[Accepted] | asyncio.Future[Found]


class Door(Protocol):
    """`intake.accept.Intake`."""

    async def accept(self, submission: Submission) -> Accepted: ...

    def begin_all(self, submissions: Sequence[Submission]) -> list[Begun]: ...


class Straight:
    """`POST /api/v1/messages`. On the loop only."""

    def __init__(self, door: Door, visits: Visits, sender: Sender, bodies: Budget, limits: HttpLimits) -> None:
        self._door = door
        self._visits = visits
        self._sender = sender
        self._bodies = bodies
        self._limits = limits
        self._tasks: set[asyncio.Task[Any]] = set()

    def take(self, scope: Scope, raw: bytes, tell: Tell) -> None:
        """`scope`: `client` and `headers` of the request are read. `tell` is called, now or later. Raises nothing."""
        try:
            key = self._visits.enter(scope)
        except Exception as error:
            _refused(tell, error)
            return
        held = 0
        try:
            check_media(scope)
            if len(raw) > self._limits.max_body:
                raise refuse(413, "too-large", "The request is larger than this server takes.")
            if not self._bodies.take(len(raw)):
                raise ProblemError(problem(503, "bodies-full", "Too much mail is in memory; try again."), SOON)
            held = len(raw)
            begun = self._begin(scope, key, raw)
        except Exception as error:
            self._over(key, held)
            _refused(tell, self._worded(error, key))
            return
        begun.add_done_callback(lambda ended: self._ended(key, held, tell, ended))

    def _begin(self, scope: Scope, key: ApiKey, raw: bytes) -> Ended:
        """Raises problems, Refused, Unavailable, NotFound."""
        messages, batch = decode.messages(raw)
        one = messages[0]
        if (
            batch
            or not isinstance(one, rest.Message)
            or not _plain(one)
            or header(scope, b"idempotency-key") is not None
        ):
            return self._task(self._sender.decoded(scope, key, messages, batch))
        client = scope["client"][0] if scope["client"] else ""
        submission = compose.draft(one, key, client, one.idempotency_key, self._limits).submission
        begun = self._door.begin_all((submission,))[0]
        if begun is None:
            return self._task(self._door.accept(submission))
        if isinstance(begun, Exception):
            raise begun
        return begun

    def _task(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _ended(self, key: ApiKey, held: int, tell: Tell, ended: "asyncio.Future[Any]") -> None:
        try:
            try:
                got = ended.result()
            finally:
                self._over(key, held)
            status, found, headers = answered(got) if isinstance(got, Accepted) else got
        except asyncio.CancelledError:
            _refused(tell, RuntimeError("not waited for"))
            return
        except Exception as error:
            _refused(tell, self._worded(error, key))
            return
        tell(status, JSON, msgspec.json.encode(found), (*headers, *self._visits.headers(key)))

    def _over(self, key: ApiKey, held: int) -> None:
        self._bodies.give(held)
        self._visits.leave(key)

    def _worded(self, error: Exception, key: ApiKey) -> Exception:
        return self._visits.told(error, key) if isinstance(error, ProblemError | CarepostError) else error


def _plain(message: rest.Message) -> bool:
    """Nothing of it must be fetched, rendered or hashed first. What is wrong with it is found in `decoded` too."""
    if message.template_id is not None or message.variables is not None:
        return False
    if message.protection is not None and message.protection.access is not None:
        return False
    return not message.attachments or all(one.upload_id is None for one in message.attachments)


def _refused(tell: Tell, error: Exception) -> None:
    if isinstance(error, CarepostError):
        error = of_error(error)
    if not isinstance(error, ProblemError):
        log.failure("http-failed", error)
        error = ProblemError(problem(500, "internal", "Something failed here; nothing was accepted."))
    tell(error.problem.status, PROBLEM, msgspec.json.encode(error.problem), error.headers)
