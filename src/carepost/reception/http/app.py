"""The ASGI application of the engine: sends and health here, the rest of the API relayed to the office."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from carepost.directory.shelf import Shelf
from carepost.ground import log, metrics
from carepost.ground.errors import CarepostError, Unavailable
from carepost.reception.access import AccessProofs
from carepost.reception.http.asgi import Disconnected, Receive, Scope, Send, answer_json, answer_problem
from carepost.reception.http.keys import KeyLookup, Keys
from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.parts import Parts, Renderer, Snapshots
from carepost.reception.http.pressing import Pressing
from carepost.reception.http.problem import ProblemError, of_error, problem, refuse
from carepost.reception.http.relay import Relay
from carepost.reception.http.send import Intake, Sender
from carepost.reception.http.sendgrid import PREFIX, SendGrid, answer_errors
from carepost.reception.http.straight import Door, Straight
from carepost.reception.http.visits import Visits
from carepost.spool.budget import Budget
from carepost.wire.faults import NOWHERE
from carepost.wire.rest import Health

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

_OFFICE = ("/api/v1/", "/.well-known/")
#: SendGrid's, that the office answers in its words; the rest of them is answered here
_OFFICES_OF_SENDGRID = ("/v3/suppression/", "/v3/asm/", "/v3/templates/")
#: addresses that the office does not have under any method -> what is taken here
_ONLY_HERE = {"/api/v1/protection/preview": "POST", "/health": "GET, HEAD"}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: what only somebody who looks for another path's door writes (BI-088)
_TRICKS = ("..", "\0", "\\", "//", "\ufffd")


class Directory(KeyLookup, Snapshots, Protocol):
    def fresh(self) -> None: ...


class OneDoor(Intake, Door, Protocol):
    """`intake.accept.Intake`, as far as it is asked here."""


class App:
    """`office`, `sandbox`: where the rest is relayed; None: 503 and 404. `shelf`, `renderer`: what templates and
    uploads come from; None: there are none. `taking`: whether a message would be taken now."""

    def __init__(
        self,
        intake: OneDoor,
        directory: Directory,
        access: AccessProofs,
        bodies: Budget,
        limits: HttpLimits,
        *,
        office: Relay | None = None,
        sandbox: Relay | None = None,
        checkpoint: Callable[[bytes], str | None] | None = None,
        shelf: Shelf | None = None,
        renderer: Renderer | None = None,
        pressing: Pressing | None = None,
        taking: Callable[[], bool] = lambda: True,
    ) -> None:
        parts = Parts(directory, shelf, renderer)
        visits = Visits(Keys(directory, limits), limits, checkpoint, pressing or Pressing())
        sender = Sender(intake, visits, access, bodies, limits, parts)
        #: requests that came whole need no task
        self.straight = Straight(intake, visits, sender, bodies, limits)
        sendgrid = SendGrid(sender)
        self._elsewhere = sendgrid.nothing
        self._directory = directory
        self._taking = taking
        self._office = office
        self._sandbox = sandbox
        self._own: dict[tuple[str, str], Handler] = {
            ("POST", "/api/v1/messages"): sender.send,
            ("POST", "/api/v1/protection/preview"): sender.preview,
            ("POST", "/v3/mail/send"): sendgrid.send,
            ("GET", "/health"): self._health,
            ("HEAD", "/health"): self._health,
        }
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            await self._handler(scope)(scope, receive, send)
        except Disconnected:
            metrics.count("http_disconnected")
        except (ProblemError, CarepostError) as error:
            found = error if isinstance(error, ProblemError) else of_error(error)
            await _refused(scope, send, found)
        except Exception as error:
            log.failure("http-failed", error)
            await _refused(scope, send, refuse(500, "internal", "Something failed here; nothing was accepted."))

    def _handler(self, scope: Scope) -> Handler:
        path: str = scope["path"]
        own = self._own.get((scope["method"], path))
        if own is not None:
            return own
        if any(trick in path for trick in _TRICKS) or b"%2f" in scope["raw_path"].lower():
            raise refuse(404, "not-found", NOWHERE)
        taken = _ONLY_HERE.get(path)
        if taken is not None:
            said = problem(405, "method", f"This address takes {taken} alone.")
            raise ProblemError(said, ((b"allow", taken.encode()),))
        if scope["method"] not in _METHODS:
            raise refuse(405, "method", "No address here takes this method; /api/v1/openapi.json says what each takes.")
        if self._sandbox is not None and (path == "/sandbox" or path.startswith("/sandbox/")):
            return self._sandbox
        if path.startswith(_OFFICE):
            if self._office is None:
                raise refuse(503, "office-down", "This part is not available now; sending goes on.")
            return self._office
        if path.startswith(PREFIX):
            if self._office is not None and f"{path}/".startswith(_OFFICES_OF_SENDGRID):
                return self._office
            return self._elsewhere
        raise refuse(404, "not-found", NOWHERE)

    async def _health(self, scope: Scope, receive: Receive, send: Send) -> None:
        """For load balancers: nothing but whether to send here."""
        status = "draining" if self.draining else "ok"
        try:
            self._directory.fresh()
            status = status if self._taking() else "unavailable"
        except Unavailable:
            status = "unavailable"
        await answer_json(send, 200 if status == "ok" else 503, Health(status))


async def _refused(scope: Scope, send: Send, error: ProblemError) -> None:
    """In the words of whose address was asked: SendGrid's libraries read `errors` of every answer."""
    if scope["path"].startswith(PREFIX):
        await answer_errors(send, error)
    else:
        await answer_problem(send, error.problem, error.headers)
