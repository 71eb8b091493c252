"""The engine's part of the OpenAPI document (3.1), made from the same Structs that read and write the wire.

The office merges it with its own part at `/api/v1/openapi.json`.
"""

from typing import Any, Final

import msgspec

from carepost.wire import rest

_REF: Final = "#/components/schemas/{name}"
_ROOTS: Final = (
    rest.Message, rest.Batch, rest.MessageAccepted, rest.BatchAccepted, rest.Previewed, rest.Problem, rest.Health,
)  # fmt: skip
_PROBLEMS: Final = {
    "400": "The request cannot be read, or Idempotency-Key is malformed.",
    "401": "No API key, or a wrong one.",
    "403": "The key lacks the scope `send`, or the sender domain is not the organisation's.",
    "408": "The request came too slowly.",
    "413": "The request is too large.",
    "415": "The media type is not `application/json`.",
    "422": "A field is wrong, or Idempotency-Key was used for another request.",
    "429": "Too many requests; see Retry-After.",
    "503": "Not available now; nothing was accepted. See Retry-After.",
}
_HEADERS: Final = {
    "RateLimit-Policy": {"description": "What this key may ask.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left of it.", "schema": {"type": "string"}},
    "Carepost-Checkpoint": {
        "description": "The organisation's latest audit checkpoint; keep it to hold us to it.",
        "schema": {"type": "string"},
    },
}
_IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same request is one message, for at least 24 hours.",
    # a Structured Field string, or the bare text
    "schema": {"type": "string", "maxLength": 257, "pattern": '^("[ !#-~]{1,255}"|[!#-~]{1,255})$'},
}


def document(version: str) -> dict[str, Any]:
    """A whole OpenAPI document with `paths` and `components` of the engine. `version`: of Carepost."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Carepost", "version": version, "summary": "Secure e-mail for healthcare."},
        "paths": paths(),
        "components": components(),
    }


def paths() -> dict[str, Any]:
    send = _operation("sendMessages", "Send one message, or up to 1,000.", "202", "Accepted, durably.")
    send["parameters"] = [_IDEMPOTENCY]
    send["requestBody"] = _body("Message", "Batch")
    send["responses"]["202"]["content"] = _content("MessageAccepted", "BatchAccepted")
    send["responses"]["409"] = _problem("A request with this Idempotency-Key is being carried out.")
    preview = _operation(
        "previewProtection", "What each recipient would get, and why, without sending.", "200", "Expected."
    )
    preview["requestBody"] = _body("Message")
    preview["responses"]["200"]["content"] = _content("Previewed")
    health = {
        "operationId": "health",
        "summary": "Whether to send here.",
        "security": [],
        "responses": {
            "200": {"description": "Yes.", "content": _content("Health")},
            "503": {"description": "Not now.", "content": _content("Health")},
        },
    }
    return {
        "/api/v1/messages": {"post": send},
        "/api/v1/protection/preview": {"post": preview},
        "/health": {"get": health},
    }


def components() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components(_ROOTS, ref_template=_REF)
    return {
        "schemas": schemas,
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}},
    }


def _operation(name: str, summary: str, status: str, said: str) -> dict[str, Any]:
    responses: dict[str, Any] = {status: {"description": said, "headers": dict(_HEADERS)}}
    responses.update((code, _problem(words)) for code, words in _PROBLEMS.items())
    return {"operationId": name, "summary": summary, "security": [{"key": []}], "responses": responses}


def _problem(words: str) -> dict[str, Any]:
    return {"description": words, "content": _content("Problem", media="application/problem+json")}


def _body(*names: str) -> dict[str, Any]:
    return {"required": True, "content": _content(*names)}


def _content(*names: str, media: str = "application/json") -> dict[str, Any]:
    refs = [{"$ref": _REF.format(name=name)} for name in names]
    return {media: {"schema": refs[0] if len(refs) == 1 else {"oneOf": refs}}}
