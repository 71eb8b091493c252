"""How mail leaves, for machines: what holds it back, pools, addresses, limits, lifting (decision 0032)."""

from django.http import HttpResponse

from carepost.api import answers, asked
from carepost.api import shapes_sending as shapes
from carepost.api.gate import ApiRequest, scoped
from carepost.destinations import ahead as far
from carepost.destinations import sending, ways
from carepost.directory.types import MOST_AHEAD
from carepost.ground.errors import Unavailable
from carepost.mailbox import door
from carepost.pace.limits import Limits
from carepost.tenancy.permissions import Scope


@scoped(Scope.SENDING)
def sending_(request: ApiRequest) -> HttpResponse:
    asked.query(request)
    return _answer(request)


@scoped(Scope.SENDING, methods=("POST",))
def add_pool(request: ApiRequest) -> HttpResponse:
    given, caller = asked.body(request, shapes.AddPool), request.caller
    sending.add_pool(caller.org, given.name, actor=caller.actor, streams=given.streams, domain=given.domain)
    return _answer(request, 201)


@scoped(Scope.SENDING, methods=("POST",))
def remove_pool(request: ApiRequest) -> HttpResponse:
    given, caller = asked.body(request, shapes.RemovePool), request.caller
    sending.remove_pool(caller.org, given.name, actor=caller.actor, reason=given.reason)
    return _answer(request)


@scoped(Scope.SENDING, methods=("POST",))
def add_address(request: ApiRequest) -> HttpResponse:
    given, caller = asked.body(request, shapes.AddAddress), request.caller
    sending.add_address(
        caller.org, given.ip, given.pool, actor=caller.actor, helo=given.helo, warm=given.warm, usual=given.usual
    )
    return _answer(request, 201)


@scoped(Scope.SENDING, methods=("POST",))
def change_address(request: ApiRequest) -> HttpResponse:
    given, caller = asked.body(request, shapes.ChangeAddress), request.caller
    sending.change_address(
        caller.org, given.ip, actor=caller.actor, state=given.state, pool=given.pool, helo=given.helo,
        reason=given.reason,
    )  # fmt: skip
    return _answer(request)


@scoped(Scope.SENDING, methods=("POST",))
def remove_address(request: ApiRequest) -> HttpResponse:
    given, caller = asked.body(request, shapes.RemoveAddress), request.caller
    sending.remove_address(caller.org, given.ip, actor=caller.actor, reason=given.reason)
    return _answer(request)


@scoped(Scope.SENDING, methods=("PUT",))
def limits(request: ApiRequest) -> HttpResponse:
    given, caller = asked.body(request, shapes.SetLimits), request.caller
    own = Limits(
        connections=given.connections, messages=given.messages, per_minute=given.per_minute, per_hour=given.per_hour,
        dials=given.dials,
    )  # fmt: skip
    if own.unlimited:
        sending.clear_limits(caller.org, given.provider, actor=caller.actor, reason=given.reason)
    else:
        sending.set_limits(caller.org, given.provider, own, actor=caller.actor, reason=given.reason)
    return _answer(request)


@scoped(Scope.SENDING, methods=("POST",))
def lift(request: ApiRequest) -> HttpResponse:
    given, caller = asked.body(request, shapes.Lift), request.caller
    sending.lift(caller.org, given.provider, actor=caller.actor, source=given.source, reason=given.reason)
    return _answer(request)


@scoped(Scope.SENDING, methods=("GET", "PUT"))
def ahead(request: ApiRequest) -> HttpResponse:
    """How far ahead `send_at` may lie; what was accepted before stays scheduled."""
    caller = request.caller
    if request.method == "PUT":
        given = asked.body(request, shapes.SetAhead)
        far.put(caller.org, given.days, actor=caller.actor, reason=given.reason)
    else:
        asked.query(request)
    return answers.json(shapes.Ahead(far.days(caller.org), MOST_AHEAD))


def _answer(request: ApiRequest, status: int = 200) -> HttpResponse:
    org = request.caller.org
    try:
        found = ways.lines(org, door.client())
    except Unavailable:
        found = ways.asked(org)
    whole = shapes.Sending(
        tuple(found), tuple(ways.pools(org)), tuple(ways.addresses(org)), tuple(ways.limits(org)), far.days(org)
    )
    return answers.json(whole, status)
