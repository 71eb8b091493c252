"""The calls about destinations (docs/api.md), for both clients."""

from collections.abc import Mapping

from carepost.client import calls
from carepost.client.asked import Ask
from carepost.wire.destinations import (
    DestinationLine,
    DestinationPin,
    DestinationPins,
    Destinations,
    DestinationView,
)

_ALL = "/api/v1/destinations"


def listed(cursor: str, attention: bool) -> Ask[Destinations]:
    call = calls.get(_ALL, cursor=cursor, attention="yes" if attention else "")
    return Ask(call, lambda reply: reply.read(Destinations))


def found(domain: str) -> Ask[tuple[DestinationLine, ...]]:
    call = calls.post(f"{_ALL}/search", {"domain": domain}, again=True)
    return Ask(call, lambda reply: reply.read(Destinations).destinations)


def one(id_: str) -> Ask[DestinationView]:
    return Ask(calls.get(f"{_ALL}/{calls.part(id_)}"), lambda reply: reply.read(DestinationView))


def seen(id_: str) -> Ask[None]:
    return Ask(calls.post(f"{_ALL}/{calls.part(id_)}/seen", {}, again=True), lambda _: None)


def pins() -> Ask[tuple[DestinationPin, ...]]:
    return Ask(calls.get(f"{_ALL}/pins"), lambda reply: reply.read(DestinationPins).pins)


def pin(domain: str, host: str, reason: str, given: Mapping[str, object]) -> Ask[DestinationPin]:
    body = {"domain": domain, "host": host, "reason": reason, **given}
    return Ask(calls.post(f"{_ALL}/pin", body), lambda reply: reply.read(DestinationPin))


def unpin(domain: str, reason: str) -> Ask[None]:
    return Ask(calls.post(f"{_ALL}/unpin", {"domain": domain, "reason": reason}), lambda _: None)
