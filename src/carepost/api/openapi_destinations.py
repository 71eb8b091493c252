"""The part of the OpenAPI document that tells of destinations."""

from collections.abc import Callable
from typing import Any, Final

from carepost.api import shapes_destinations as shapes
from carepost.wire import destinations as wire

ROOTS: Final = (
    wire.Destinations, wire.DestinationView, wire.DestinationPin, wire.DestinationPins, shapes.FindDestinations,
    shapes.PinDestination, shapes.UnpinDestination,
)  # fmt: skip
_UUID: Final = {"type": "string", "format": "uuid"}
_LIMIT: Final = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
Operation = Callable[..., dict[str, Any]]


def paths(op: Operation, parameter: Operation) -> dict[str, Any]:
    """`op`, `parameter`: as `api.openapi` makes an operation and a parameter."""
    every, one = "/api/v1/destinations", "/api/v1/destinations/{destination}"
    named = [parameter("destination", "path", _UUID)]
    page = [
        parameter("cursor", "query", _UUID), parameter("limit", "query", _LIMIT),
        parameter("attention", "query", {"type": "string", "enum": ["yes"]}),
    ]  # fmt: skip
    return {
        every: {"get": op("listDestinations", "Where mail goes, by domain.", "Destinations", also=page)},
        f"{every}/search": {
            "post": op("findDestinations", "By a part of their domain.", "Destinations", body="FindDestinations")
        },
        f"{every}/pins": {"get": op("listPins", "Every pinned next hop.", "DestinationPins")},
        f"{every}/pin": {
            "post": op("pinDestination", "Pin a domain's next hop.", "DestinationPin", body="PinDestination")
        },
        f"{every}/unpin": {
            "post": op("unpinDestination", "DNS decides again.", "", body="UnpinDestination", status="204")
        },
        one: {"get": op("getDestination", "How it stands, and what changed when.", "DestinationView", also=named)},
        f"{one}/seen": {"post": op("seeAlerts", "Its alerts were looked at.", "", also=named, status="204")},
    }
