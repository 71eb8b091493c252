"""The part of the OpenAPI document that tells of webhooks."""

from collections.abc import Callable
from typing import Any, Final

from carepost.api import shapes_webhooks as shapes
from carepost.webhooks.settling import RESULTS

ROOTS: Final = (
    shapes.Webhooks, shapes.AddWebhook, shapes.ChangeWebhook, shapes.NewSecret, shapes.Rotate, shapes.Pause,
    shapes.Resume, shapes.Replay, shapes.Asked, shapes.WebhookTries,
)  # fmt: skip
_UUID: Final = {"type": "string", "format": "uuid"}
_LIMIT: Final = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
_CURSOR: Final = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
Operation = Callable[..., dict[str, Any]]


def paths(op: Operation, parameter: Operation) -> dict[str, Any]:
    """`op`, `parameter`: as `api.openapi` makes an operation and a parameter."""
    mine = [parameter("webhook", "path", _UUID)]
    one = "/api/v1/webhooks/{webhook}"
    log = [
        *mine, parameter("result", "query", {"type": "string", "enum": list(RESULTS)}),
        parameter("event", "query", _UUID),
        parameter("cursor", "query", _CURSOR), parameter("limit", "query", _LIMIT),
    ]  # fmt: skip
    return {
        "/api/v1/webhooks": {
            "get": op("listWebhooks", "Webhooks, and every event there is.", "Webhooks"),
            "post": op(
                "addWebhook", "Make a webhook; its secret is shown once.", "NewSecret", body="AddWebhook", status="201"
            ),
        },
        one: {
            "get": op("getWebhook", "A webhook, and how its calls go.", "Webhook", also=mine),
            "patch": op("changeWebhook", "Change a webhook.", "Webhook", body="ChangeWebhook", also=mine),
            "delete": op("removeWebhook", "Remove a webhook.", "", also=mine, status="204"),
        },
        f"{one}/rotate": {
            "post": op(
                "rotateWebhook", "A new secret; the old one counts on for the overlap.", "NewSecret", body="Rotate",
                also=mine, status="201",
            )
        },
        f"{one}/pause": {"post": op("pauseWebhook", "Tell it nothing for now.", "Webhook", body="Pause", also=mine)},
        f"{one}/resume": {"post": op("resumeWebhook", "Tell it again.", "Webhook", body="Resume", also=mine)},
        f"{one}/test": {"post": op("testWebhook", "Tell it of a test.", "Asked", also=mine, status="202")},
        f"{one}/replay": {
            "post": op(
                "replayWebhook", "Tell it again of one event, or of a time.", "Asked", body="Replay", also=mine,
                status="202",
            )
        },
        f"{one}/deliveries": {"get": op("listDeliveries", "What it was told.", "WebhookTries", also=log)},
    }  # fmt: skip
