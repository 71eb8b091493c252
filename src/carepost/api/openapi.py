"""The API's OpenAPI 3.1 document: the engine's part (`wire.openapi`) and the office's, from the Structs that read and
write the wire."""

from importlib.metadata import version
from typing import Any, Final

import msgspec

from carepost.api import (
    openapi_activity,
    openapi_certificates,
    openapi_destinations,
    openapi_domains,
    openapi_making,
    openapi_own_keys,
    openapi_sending,
    openapi_suppressions,
    openapi_tracking,
    openapi_webhooks,
    shapes,
)
from carepost.review.words import KINDS
from carepost.wire import openapi as engine
from carepost.wire.rest import Problem
from carepost.wire.types import MessageView

_REF: Final = "#/components/schemas/{name}"
_ROOTS: Final = (
    MessageView, Problem, shapes.Search, shapes.MessagePage, shapes.Retract, shapes.Retracted, shapes.Domain,
    shapes.Domains, shapes.AddDomain, *openapi_suppressions.ROOTS, *openapi_domains.ROOTS, shapes.Changed,
    shapes.Keys, shapes.AddKey, shapes.LimitKey, shapes.NewKey, shapes.Events, shapes.HeldPage,
    shapes.Release, shapes.Refusal,
    shapes.HeldSearch, shapes.Decided, *openapi_making.ROOTS, *openapi_webhooks.ROOTS, *openapi_activity.ROOTS,
    *openapi_tracking.ROOTS, *openapi_sending.ROOTS, *openapi_certificates.ROOTS,
    *openapi_own_keys.ROOTS, *openapi_destinations.ROOTS,
)  # fmt: skip
_UUID: Final = {"type": "string", "format": "uuid"}
_HEADERS: Final = {
    "Carepost-Checkpoint": {
        "description": "The organisation's latest signed checkpoint (C2SP note, base64); keep it to hold us to it.",
        "schema": {"type": "string"},
    },
}
_PROBLEMS: Final = {
    "400": "The body is no JSON.",
    "401": "No API key, or a wrong one.",
    "403": "The key lacks the scope.",
    "404": "There is no such thing here, or it is not yours.",
    "409": "Not possible now.",
    "413": "The request is too large.",
    "415": "The media type is not `application/json`.",
    "422": "A field is wrong.",
    "429": "This key asks more than it may. See Retry-After and RateLimit.",
    "503": "Not available now. See Retry-After.",
}


def document() -> dict[str, Any]:
    """The whole document."""
    whole = engine.document(version("carepost"))
    for path, operations in _paths().items():
        whole["paths"].setdefault(path, {}).update(operations)
    _, schemas = msgspec.json.schema_components(_ROOTS, ref_template=_REF)
    whole["components"]["schemas"].update(schemas)
    return whole


def _paths() -> dict[str, Any]:
    message, key = _in("message", "path", _UUID), _in("key", "path", _UUID)
    filters = [_in(name, "query", schema) for name, schema in _FILTERS.items()]
    one = "/api/v1/messages/{message}"
    return {
        "/api/v1/messages": {"get": _op("listMessages", "Messages, newest first.", "MessagePage", also=filters)},
        "/api/v1/messages/search": {"post": _op("searchMessages", "Search.", "MessagePage", body="Search")},
        one: {"get": _op("getMessage", "A message and its deliveries.", "MessageView", also=[message])},
        f"{one}/proof": {"get": _proof(message)},
        f"{one}/retract": {
            "post": _op("retractMessage", "Take a message back.", "Retracted", body="Retract", also=[message])
        },
        **openapi_activity.paths(_op, _in),
        **_held(),
        **openapi_making.paths(_op, _in),
        **openapi_making.of_jobs(_op, _in),
        **openapi_webhooks.paths(_op, _in),
        "/api/v1/domains": {
            "get": _op("listDomains", "Sender domains and the DKIM records to publish.", "Domains"),
            "post": _op("addDomain", "Add a sender domain.", "Domain", body="AddDomain", status="201"),
        },
        **openapi_domains.paths(_op, _in),
        **openapi_suppressions.paths(_op, _in),
        **openapi_certificates.paths(_op, _in),
        **openapi_own_keys.paths(_op, _in),
        **openapi_destinations.paths(_op, _in),
        **openapi_tracking.paths(_op, _in),
        **openapi_sending.paths(_op),
        "/api/v1/keys": {
            "get": _op("listKeys", "API keys.", "Keys"),
            "post": _op("addKey", "Make an API key; its secret is shown once.", "NewKey", body="AddKey", status="201"),
        },
        "/api/v1/keys/{key}": {
            "patch": _op("limitKey", "How much a key may ask.", "", body="LimitKey", also=[key], status="204"),
            "delete": _op("revokeKey", "Revoke an API key.", "", also=[key], status="204"),
        },
        "/api/v1/events": {
            "get": _op(
                "listEvents",
                "The organisation's log, from a leaf on.",
                "Events",
                also=[_in("cursor", "query", _LEAF), _in("limit", "query", _LIMIT), _in("open", "query", _YES)],
            )
        },
    }


def _held() -> dict[str, Any]:
    delivery, kind = _in("delivery", "path", _UUID), {"type": "string", "enum": sorted(KINDS)}
    pages = [
        _in("kind", "query", kind), _in("limit", "query", _LIMIT),
        _in("cursor", "query", {"type": "string", "pattern": "^[0-9]{1,17}[.][0-9a-f-]{36}$"}),
    ]  # fmt: skip
    one = "/api/v1/held/{delivery}"
    return {
        "/api/v1/held": {"get": _op("listHeld", "What waits for a person, newest first.", "HeldPage", also=pages)},
        "/api/v1/held/search": {
            "post": _op(
                "searchHeld", "Held deliveries by domain, time, rule and who may act.", "HeldPage", body="HeldSearch"
            )
        },
        f"{one}/release": {
            "post": _op("releaseHeld", "Let it go, as the rules say.", "Decided", body="Release", also=[delivery])
        },
        f"{one}/access": {
            "post": _op(
                "giveHeldAccess", "Give it the access code it waits for.", "Decided", body="Agreement", also=[delivery]
            )
        },
        f"{one}/refuse": {
            "post": _op("refuseHeld", "Do not send it; its sender is told.", "Decided", body="Refusal", also=[delivery])
        },
    }


_LIMIT: Final = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
_YES: Final = {"type": "string", "enum": ["yes"]}
_LEAF: Final = {"type": "string", "pattern": "^[0-9]{1,17}$"}
_TIME: Final = {"type": "string", "format": "date-time"}
_FILTERS: Final[dict[str, dict[str, Any]]] = {
    "since": _TIME,
    "until": _TIME,
    "state": {"type": "string", "enum": sorted(shapes.STATES)},
    "tag": {"type": "string", "maxLength": 128},
    "cursor": _UUID,
    "limit": _LIMIT,
}


def _proof(message: dict[str, Any]) -> dict[str, Any]:
    made = _op("getProof", "The proof file of one delivery.", "", also=[message, _in("delivery", "query", _UUID, True)])
    # the file's one byte form is defined in docs/proof-format.md
    made["responses"]["200"]["content"] = {"application/json": {"schema": {"type": "object"}}}
    return made


def _op(
    name: str, summary: str, answer: str, *, body: str = "", also: list[dict[str, Any]] | None = None,
    status: str = "200", or_200: bool = False,
) -> dict[str, Any]:  # fmt: skip
    good: dict[str, Any] = {"description": summary, "headers": dict(_HEADERS)}
    if answer:
        good["content"] = _content(answer)
    made: dict[str, Any] = {"operationId": name, "summary": summary, "security": [{"key": []}]}
    made["responses"] = {status: good}
    if or_200:
        made["responses"]["200"] = good
    made["responses"].update(
        (code, {"description": words, "content": _content("Problem", "application/problem+json")})
        for code, words in _PROBLEMS.items()
    )
    if also:
        made["parameters"] = also
    if body:
        made["requestBody"] = {"required": True, "content": _content(body)}
    return made


def _in(name: str, place: str, schema: dict[str, Any], required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required or place == "path", "schema": schema}


def _content(name: str, media: str = "application/json") -> dict[str, Any]:
    return {media: {"schema": {"$ref": _REF.format(name=name)}}}
