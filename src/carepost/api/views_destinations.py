"""Destinations for machines: how the other side stands, what changed when, and pinning a next hop.

Reading needs the scope `destinations`. Pinning says where a domain's mail goes, and has one of its own: `routes`."""

import uuid

from django.http import HttpResponse

from carepost.api import answers, asked
from carepost.api import shapes_destinations as shapes
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.destinations import acts, reading
from carepost.destinations.reading import Entry, Host, Line, Pin
from carepost.tenancy.actions import routes
from carepost.tenancy.permissions import Scope
from carepost.wire import destinations as wire


@scoped(Scope.DESTINATIONS)
def destinations(request: ApiRequest) -> HttpResponse:
    query = asked.query(request, "cursor", "limit", "attention")
    if query["attention"] not in ("", "yes"):
        raise ProblemError(422, "invalid", "`attention` is `yes`, or left out.")
    after = asked.cursor(query["cursor"])
    found = reading.paged(
        request.caller.org, uuid.UUID(after) if after else None, asked.limit(query["limit"]),
        attention=bool(query["attention"]),
    )  # fmt: skip
    return answers.json(wire.Destinations(tuple(map(_line, found.lines)), str(found.cursor or "")))


@scoped(Scope.DESTINATIONS, methods=("POST",))
def search(request: ApiRequest) -> HttpResponse:
    """The first 200 whose domain holds these letters."""
    given = asked.body(request, shapes.FindDestinations)
    found = reading.listing(request.caller.org, given.domain)
    return answers.json(wire.Destinations(tuple(map(_line, found.lines))))


@scoped(Scope.DESTINATIONS)
def destination(request: ApiRequest, destination: uuid.UUID) -> HttpResponse:
    asked.query(request)
    page = reading.page(request.caller.org, destination)
    return answers.json(
        wire.DestinationView(
            line=_line(page.line),
            hosts=tuple(map(_host, page.hosts)),
            policy=page.policy,
            changes=tuple(map(_change, page.entries)),
            more=page.more,
            alerts=tuple(map(_change, page.alerts)),
            in_order=page.good,
            failed=dict(page.failed),
            pin=_pin(page.pin) if page.pin is not None else None,
        )
    )


@scoped(Scope.HELD, methods=("POST",))
def seen(request: ApiRequest, destination: uuid.UUID) -> HttpResponse:
    """Somebody looked at its alerts; as in the console, whoever decides about held mail may say so."""
    acts.see_alerts(request.caller.org, destination, actor=request.caller.actor)
    return HttpResponse(status=204)


@scoped(Scope.DESTINATIONS)
def pins(request: ApiRequest) -> HttpResponse:
    asked.query(request)
    return answers.json(wire.DestinationPins(tuple(map(_pin, reading.pins(request.caller.org)))))


@scoped(Scope.ROUTES, methods=("POST",))
def pin(request: ApiRequest) -> HttpResponse:
    given, caller = asked.body(request, shapes.PinDestination), request.caller
    made = routes.add_route(
        caller.org, given.domain, given.host, given.port, actor=caller.actor, ca=given.ca, pins=given.keys,
        else_hold=given.otherwise == "hold", reason=given.reason,
    )  # fmt: skip
    return answers.json(_pin(reading.pin(made)))


@scoped(Scope.ROUTES, methods=("POST",))
def unpin(request: ApiRequest) -> HttpResponse:
    given = asked.body(request, shapes.UnpinDestination)
    routes.remove_route(request.caller.org, given.domain, actor=request.caller.actor, reason=given.reason)
    return HttpResponse(status=204)


def _line(line: Line) -> wire.DestinationLine:
    return wire.DestinationLine(
        str(line.id), line.domain, line.assurance.lower(), line.weakened, line.mark.word, line.ends_at, line.alerts,
        line.pinned, line.changed_at, line.used_at,
    )  # fmt: skip


def _host(host: Host) -> wire.DestinationHost:
    side, shown = host.side, host.side.certificate
    return wire.DestinationHost(
        side.host, side.assurance.name.lower(), side.basis, side.fault, f"It {host.words}.", side.tls,
        shown.key if shown is not None else "", shown.not_after if shown is not None else 0, side.pinned,
    )  # fmt: skip


def _change(entry: Entry) -> wire.DestinationChange:
    return wire.DestinationChange(entry.at, entry.heading, entry.text, entry.tone == "bad")


def _pin(pin: Pin) -> wire.DestinationPin:
    return wire.DestinationPin(
        pin.domain, pin.host, pin.port, pin.ca, pin.keys, "hold" if pin.else_hold else "next", pin.reason, pin.at
    )
