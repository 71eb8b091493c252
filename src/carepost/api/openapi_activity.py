"""The part of the OpenAPI document that tells what became of messages."""

from collections.abc import Callable
from typing import Any, Final

from carepost.api import shapes

ROOTS: Final = (shapes.AskArrival, shapes.Arrivals)
Operation = Callable[..., dict[str, Any]]


def paths(op: Operation) -> dict[str, Any]:
    """`op`: as `api.openapi` makes an operation."""
    return {
        "/api/v1/messages/arrival": {
            "post": op(
                "askArrival", "Did it arrive? In plain words, with the evidence and its limits.", "Arrivals",
                body="AskArrival",
            )
        },
    }  # fmt: skip
