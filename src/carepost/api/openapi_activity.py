"""The part of the OpenAPI document that tells what became of messages."""

from collections.abc import Callable
from typing import Any, Final

from carepost.api import shapes, shapes_reports
from carepost.archive.report import BY

ROOTS: Final = (shapes.AskArrival, shapes.Arrivals, shapes_reports.DeliveryReport, shapes_reports.ComplaintReport)
Operation = Callable[..., dict[str, Any]]


_TIME: Final = {"type": "string", "format": "date-time"}


def paths(op: Operation, parameter: Operation) -> dict[str, Any]:
    """`op`, `parameter`: as `api.openapi` makes an operation and a parameter."""
    asked = [
        parameter("by", "query", {"type": "string", "enum": list(BY)}), parameter("since", "query", _TIME),
        parameter("until", "query", _TIME), parameter("form", "query", {"type": "string", "enum": ["json", "csv"]}),
    ]  # fmt: skip
    told = op(
        "reportDeliveries", "How deliveries went, by provider group, domain or day.", "DeliveryReport", also=asked
    )
    told["responses"]["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
    days = [parameter("since", "query", _TIME), parameter("until", "query", _TIME)]
    return {
        "/api/v1/reports/complaints": {
            "get": op(
                "reportComplaints", "Complaints and unsubscribes by provider group and day.", "ComplaintReport",
                also=days,
            )
        },
        "/api/v1/reports/deliveries": {"get": told},
        "/api/v1/messages/arrival": {
            "post": op(
                "askArrival", "Did it arrive? In plain words, with the evidence and its limits.", "Arrivals",
                body="AskArrival",
            )
        },
    }  # fmt: skip
