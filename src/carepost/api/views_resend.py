"""Sending one message again, as a new one. A key needs `send`, `messages` and `held`."""

from typing import Final
from uuid import UUID

from django.http import HttpResponse

from carepost.api import answers, asked
from carepost.api import shapes_jobs as shapes
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.jobs import resending
from carepost.tenancy.permissions import Scope
from carepost.wire.types import AcceptedDelivery

_ALSO: Final = (Scope.MESSAGES, Scope.HELD)
_LONGEST: Final = 255


@scoped(Scope.SEND, methods=("POST",))
def resend(request: ApiRequest, message: UUID) -> HttpResponse:
    caller = request.caller
    for scope in _ALSO:
        if scope not in caller.scopes:
            raise ProblemError(403, "scope", f"The key lacks the scope {scope.value}.")
    key = request.headers.get("Idempotency-Key", "").strip('"')
    if len(key) > _LONGEST or not key.isprintable():
        raise ProblemError(422, "idempotency-key", f"An Idempotency-Key has 1 to {_LONGEST} printable characters.")
    given = asked.body(request, shapes.Resend)
    done = resending.resend(
        caller.org.bytes, message.bytes, caller.actor, given.reason,
        chosen=tuple(UUID(one).bytes for one in given.deliveries), anew=given.as_today,
        key=f"{caller.actor.id}:{key}" if key else "",
    )  # fmt: skip
    return answers.json(shapes.Resent(done.message, tuple(map(_delivery, done.deliveries)), done.left_out), 202)


def _delivery(one: AcceptedDelivery) -> shapes.ResentDelivery:
    state = one.reason if one.state == "failed" and one.reason == "suppressed" else one.state
    return shapes.ResentDelivery(one.id, one.recipient, state, one.method, one.reason, one.words, one.rule)
