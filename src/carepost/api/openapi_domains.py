"""The part of the OpenAPI document that tells of sender domains."""

from collections.abc import Callable
from typing import Any, Final

from carepost.api import shapes_domains as shapes
from carepost.senders import history

ROOTS: Final = (
    shapes.DomainView, shapes.DomainHistory, shapes.Signing, shapes.NextKeys, shapes.RevokeKey, shapes.ChangeDomain,
    shapes.ServePolicy,
)  # fmt: skip
_NAME: Final = {"type": "string", "minLength": 4, "maxLength": 253, "pattern": "^[A-Za-z0-9.-]+$"}
_DAYS: Final = {"type": "integer", "minimum": 1, "maximum": history.MOST_DAYS, "default": history.DAYS}
_SELECTOR: Final = {"type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[A-Za-z0-9-]+$"}
Operation = Callable[..., dict[str, Any]]


def paths(op: Operation, parameter: Operation) -> dict[str, Any]:
    """`op`, `parameter`: as `api.openapi` makes an operation and a parameter."""
    mine = [parameter("domain", "path", _NAME)]
    selected = [*mine, parameter("selector", "path", _SELECTOR)]
    one = "/api/v1/domains/{domain}"
    return {
        one: {
            "get": op("getDomain", "Its records beside what DNS last said, keys, rules of providers.", "DomainView",
                      also=mine),
            "patch": op("changeDomain", "Change when its keys change.", "DomainView", body="ChangeDomain", also=mine),
        },
        f"{one}/history": {
            "get": op("getDomainHistory", "How it stood day by day, and what changed.", "DomainHistory",
                      also=[*mine, parameter("days", "query", _DAYS)]),
        },
        f"{one}/check": {"post": op("checkDomain", "Ask DNS now.", "DomainView", also=mine)},
        f"{one}/keys": {
            "post": op("makeNextKeys", "Make the next DKIM keys; nothing is signed with them yet.", "Signing",
                       body="NextKeys", also=mine, status="201"),
        },
        f"{one}/keys/switch": {
            "post": op("switchKeys", "Sign with the next keys, where DNS shows them.", "Signing", also=mine)
        },
        f"{one}/keys/{{selector}}/revoke": {
            "post": op("revokeDkimKey", "Revoke a DKIM key.", "Signing", body="RevokeKey", also=selected)
        },
        f"{one}/mta-sts": {
            "put": op("servePolicy", "Serve an MTA-STS policy for it.", "DomainView", body="ServePolicy", also=mine)
        },
    }  # fmt: skip
