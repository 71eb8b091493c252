"""The part of the OpenAPI document that tells of how mail leaves."""

from collections.abc import Callable
from typing import Any, Final

from carepost.api import shapes_sending as shapes

ROOTS: Final = (
    shapes.Sending, shapes.AddPool, shapes.RemovePool, shapes.AddAddress, shapes.ChangeAddress, shapes.RemoveAddress,
    shapes.SetLimits, shapes.Lift, shapes.Ahead, shapes.SetAhead,
)  # fmt: skip
Operation = Callable[..., dict[str, Any]]


def paths(op: Operation) -> dict[str, Any]:
    """`op`: as `api.openapi` makes an operation."""
    one = "/api/v1/sending"

    def act(name: str, words: str, body: str, status: str = "200") -> dict[str, Any]:
        return op(name, words, "Sending", body=body, status=status)

    return {
        one: {"get": op("getSending", "How mail leaves now, and what holds it back.", "Sending")},
        f"{one}/pools": {"post": act("addPool", "Add a pool of sending addresses.", "AddPool", "201")},
        f"{one}/pools/remove": {"post": act("removePool", "Remove an empty pool.", "RemovePool")},
        f"{one}/addresses": {"post": act("addAddress", "Put an address into a pool.", "AddAddress", "201")},
        f"{one}/addresses/change": {"post": act("changeAddress", "Pause, empty or move an address.", "ChangeAddress")},
        f"{one}/addresses/remove": {"post": act("removeAddress", "Take an address away.", "RemoveAddress")},
        f"{one}/limits": {"put": act("setLimits", "Limits of your own at a provider.", "SetLimits")},
        f"{one}/ahead": {
            "get": op("getAhead", "How far ahead send_at may lie.", "Ahead"),
            "put": op("setAhead", "Let send_at lie further ahead, or less far.", "Ahead", body="SetAhead"),
        },
        f"{one}/lift": {"post": act("liftPause", "Send to a provider again that asked for less.", "Lift")},
    }
