"""The part of the OpenAPI document that tells of the suppression list."""

from collections.abc import Callable
from typing import Any, Final

from carepost.api import shapes
from carepost.destinations.suppression_pages import STANDINGS
from carepost.tenancy.actions.suppression import REASONS, SCOPES

ROOTS: Final = (
    shapes.Suppressions, shapes.Suppress, shapes.Unsuppress, shapes.FindSuppression, shapes.ImportedSuppressions,
    shapes.Undo,
)  # fmt: skip
_REASON: Final = {"type": "string", "enum": list(REASONS)}
_SCOPE: Final = {"type": "string", "enum": list(SCOPES)}
_STANDING: Final = {"type": "string", "enum": list(STANDINGS), "default": "current"}
_LIMIT: Final = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
_UUID: Final = {"type": "string", "format": "uuid"}
_TEXT: Final = {"schema": {"type": "string"}}
#: a file: what its lines must be is said of each line in the answer
_FILE: Final[dict[str, Any]] = {"schema": {}}
Operation = Callable[..., dict[str, Any]]


def paths(op: Operation, parameter: Operation) -> dict[str, Any]:
    """`op`, `parameter`: as `api.openapi` makes an operation and a parameter."""
    one = "/api/v1/suppressions"
    page = [
        parameter("cursor", "query", _UUID), parameter("limit", "query", _LIMIT),
        parameter("reason", "query", _REASON), parameter("scope", "query", _SCOPE),
        parameter("standing", "query", _STANDING),
    ]  # fmt: skip
    asked = [parameter("dry_run", "query", {"type": "boolean"}), parameter("reason", "query", _REASON)]
    taken = op("importSuppressions", "Import a file, or try it.", "ImportedSuppressions", also=asked)
    taken["requestBody"] = {"required": True, "content": {"text/csv": _FILE, "application/x-ndjson": _FILE}}
    begun = op("beginSuppressionImport", "Import a large file as a job, or try it.", "Job", also=asked, status="202")
    begun["requestBody"] = {"required": True, "content": {"text/csv": _FILE, "application/x-ndjson": _FILE}}
    job = parameter("job", "path", _UUID)
    wrong = op("suppressionImportProblems", "Which of its lines are wrong, and how.", "", also=[job])
    wrong["responses"]["200"]["content"] = {"application/x-ndjson": _TEXT, "text/csv": _TEXT}
    given = op("exportSuppressions", "All that is kept back, a line each.", "")
    given["responses"]["200"]["content"] = {"application/x-ndjson": _TEXT}
    return {
        one: {
            "get": op("listSuppressions", "Addresses nothing is sent to.", "Suppressions", also=page),
            "post": op(
                "suppress", "Send nothing to an address.", "Changed", body="Suppress", status="201", or_200=True
            ),
        },
        f"{one}/search": {
            "post": op("findSuppression", "What the list says of one address.", "Suppressions", body="FindSuppression")
        },
        f"{one}/remove": {"post": op("unsuppress", "Send to an address again.", "Changed", body="Unsuppress")},
        f"{one}/import": {"post": taken},
        f"{one}/imports": {"post": begun},
        f"{one}/imports/{{job}}": {"get": op("suppressionImport", "How far an import is.", "Job", also=[job])},
        f"{one}/imports/{{job}}/begin": {
            "post": op("beginTriedImport", "Import what was tried.", "Job", status="202", also=[job])
        },
        f"{one}/imports/{{job}}/cancel": {
            "post": op("cancelSuppressionImport", "End it; what it did so far stays done.", "Job", also=[job])
        },
        f"{one}/imports/{{job}}/undo": {
            "post": op(
                "undoSuppressionImport",
                "Take off again what it put there, for a week.",
                "Job",
                body="Undo",
                status="202",
                also=[job],
            )
        },
        f"{one}/imports/{{job}}/problems": {"get": wrong},
        f"{one}/export": {"get": given},
    }
