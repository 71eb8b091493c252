"""The part of the OpenAPI document that tells of opens and clicks."""

from collections.abc import Callable
from typing import Any, Final

from carepost.api import shapes_tracking as shapes
from carepost.engagement.select import LONGEST
from carepost.engagement.types import CATEGORIES
from carepost.tracking.types import Switch
from carepost.wire import tracked

ROOTS: Final = (
    tracked.Tracking, shapes.Watch, shapes.Count, shapes.SetHost, shapes.SetNetwork, tracked.TrackingReport,
    tracked.MessageTracking,
)  # fmt: skip
_CATEGORY: Final = {"type": "string", "enum": list(CATEGORIES)}
_COUNTS: Final = {"type": "string", "enum": [one.value for one in Switch]}
_DAYS: Final = {"type": "integer", "minimum": 1, "maximum": LONGEST, "default": 30}
_MESSAGE: Final = {"type": "string", "format": "uuid"}
_DOMAIN: Final = {"type": "string", "maxLength": 253}
Operation = Callable[..., dict[str, Any]]


def paths(op: Operation, parameter: Operation) -> dict[str, Any]:
    """`op`, `parameter`: as `api.openapi` makes an operation and a parameter."""
    one = "/api/v1/tracking"
    narrowed = [
        parameter("days", "query", _DAYS), parameter("category", "query", _CATEGORY),
        parameter("counts", "query", _COUNTS),
    ]  # fmt: skip
    category, domain = parameter("category", "path", _CATEGORY), parameter("domain", "path", _DOMAIN)
    return {
        one: {"get": op("getTracking", "Whether opens and clicks are watched, and what counts.", "Tracking")},
        f"{one}/categories/{{category}}": {
            "put": op(
                "watchCategory", "Watch mail of a category, or stop it.", "Tracking", body="Watch", also=[category]
            )
        },
        f"{one}/counts": {"put": op("countTracking", "What counts, for the past too.", "Tracking", body="Count")},
        f"{one}/hosts/{{domain}}": {
            "put": op("setTrackingHost", "The host that links lead over.", "Tracking", body="SetHost", also=[domain])
        },
        f"{one}/networks": {
            "put": op("setTrackingNetwork", "Say what a network is, or forget it.", "Tracking", body="SetNetwork")
        },
        f"{one}/messages/{{message}}": {
            "get": op(
                "messageTracking",
                "Opens and clicks of one message, by copy.",
                "MessageTracking",
                also=[parameter("message", "path", _MESSAGE)],
            )
        },
        f"{one}/report": {"get": op("trackingReport", "Figures by day and category.", "TrackingReport", also=narrowed)},
    }
