"""Opens and clicks for machines: what is watched, what counts, the figures (decision 0029). Single fetches are events
of the log too: `GET /api/v1/events`, `tracking.opened` and `tracking.clicked`."""

import uuid

from django.http import HttpResponse

from carepost.api import answers, asked
from carepost.api import shapes_tracking as shapes
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.engagement import acts, networks, select
from carepost.engagement.types import CATEGORIES
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.tenancy.permissions import Scope
from carepost.tracking.types import Switch
from carepost.wire import tracked

_DAY_US = 86_400_000_000


@scoped(Scope.TRACKING)
def tracking(request: ApiRequest) -> HttpResponse:
    asked.query(request)
    return _settings(request)


@scoped(Scope.TRACKING, methods=("PUT",))
def watch(request: ApiRequest, category: str) -> HttpResponse:
    if category not in CATEGORIES:
        raise NotFound
    given, caller = asked.body(request, shapes.Watch), request.caller
    acts.watch(
        caller.org, category, opens=given.opens, clicks=given.clicks, attestation=given.attestation,
        actor=caller.actor, reason=given.reason,
    )  # fmt: skip
    return _settings(request)


@scoped(Scope.TRACKING, methods=("PUT",))
def counts(request: ApiRequest) -> HttpResponse:
    given = asked.body(request, shapes.Count)
    acts.count_as(request.caller.org, given.counts, actor=request.caller.actor, reason=given.reason)
    return _settings(request)


@scoped(Scope.TRACKING, methods=("PUT",))
def host(request: ApiRequest, domain: str) -> HttpResponse:
    given, caller = asked.body(request, shapes.SetHost), request.caller
    if given.host:
        acts.put_host(caller.org, domain, given.host, actor=caller.actor, reason=given.reason)
    else:
        acts.remove_host(caller.org, domain, actor=caller.actor, reason=given.reason)
    return _settings(request)


@scoped(Scope.TRACKING, methods=("PUT",))
def network(request: ApiRequest) -> HttpResponse:
    given, caller = asked.body(request, shapes.SetNetwork), request.caller
    if given.means:
        networks.add(
            caller.org, given.network, given.means, note=given.note, actor=caller.actor, reason=given.reason
        )  # fmt: skip
    else:
        networks.remove(caller.org, given.network, actor=caller.actor, reason=given.reason)
    return _settings(request)


@scoped(Scope.TRACKING)
def report(request: ApiRequest) -> HttpResponse:
    query = asked.query(request, "days", "category", "counts")
    days = query["days"] or "30"
    if not (days.isascii() and days.isdigit() and len(days) < 4 and 1 <= int(days) <= select.LONGEST):
        raise ProblemError(422, "invalid", f"`days` is a number from 1 to {select.LONGEST}.")
    if query["category"] and query["category"] not in CATEGORIES:
        raise ProblemError(422, "invalid", f"`category` is one of {', '.join(CATEGORIES)}.")
    if query["counts"] and query["counts"] not in frozenset(Switch):
        raise ProblemError(422, "invalid", f"`counts` is one of {', '.join(Switch)}.")
    today = clock.now() // _DAY_US
    found = select.access_report(
        request.caller.org, request.caller.actor, first=today - int(days) + 1, last=today, category=query["category"],
        counts=Switch(query["counts"]) if query["counts"] else None,
    )  # fmt: skip
    return answers.json(found)


@scoped(Scope.MESSAGES)
def message(request: ApiRequest, message: uuid.UUID) -> HttpResponse:
    """The same for a message that was never fetched from, is not watched, or is none of this organisation's."""
    asked.query(request)
    found = select.access_copies(request.caller.org, request.caller.actor, message.bytes)
    copies = tuple(tracked.CopyFetches(delivery, those) for delivery, those in found.items())
    return answers.json(tracked.MessageTracking(str(message), copies))


def _settings(request: ApiRequest) -> HttpResponse:
    found = select.settings(request.caller.org)
    return answers.json(tracked.Tracking(found.watched, found.counts.value, found.hosts, found.networks, found.shared))
