"""The part of the OpenAPI document that tells of templates, uploads and jobs."""

from collections.abc import Callable
from typing import Any, Final

from carepost.api import shapes_jobs as jobs
from carepost.api import shapes_making as shapes

ROOTS: Final = (
    shapes.Templates, shapes.AddTemplate, shapes.RenameTemplate, shapes.OpenedTemplate, shapes.Versions,
    shapes.AddVersion, shapes.NewVersion, shapes.Render, shapes.Rendered, shapes.Uploaded,
    jobs.AddJob, jobs.Job, jobs.Jobs, jobs.Resend, jobs.Resent,
)  # fmt: skip
_UUID: Final = {"type": "string", "format": "uuid"}
_NAME: Final = {"type": "string", "minLength": 1, "maxLength": 200}
_NUMBER: Final = {"type": "integer", "minimum": 1, "maximum": 99_999}
Operation = Callable[..., dict[str, Any]]


def paths(op: Operation, parameter: Operation) -> dict[str, Any]:
    """`op`, `parameter`: as `api.openapi` makes an operation and a parameter."""
    template, number = parameter("template", "path", _UUID), parameter("number", "path", _NUMBER)
    one = "/api/v1/templates/{template}"
    upload = op("upload", "Upload a file, for messages to name by its id for a day.", "Uploaded", status="201")
    upload["requestBody"] = {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "additionalProperties": False,
                }
            }
        },
    }
    return {
        "/api/v1/templates": {
            "get": op(
                "listTemplates",
                "Templates, by name; `name`: the one called so.",
                "Templates",
                also=[parameter("name", "query", _NAME)],
            ),
            "post": op("addTemplate", "Make a template.", "Template", body="AddTemplate", status="201"),
        },
        one: {
            "get": op("getTemplate", "A template with its active version.", "OpenedTemplate", also=[template]),
            "patch": op("renameTemplate", "Rename it.", "", body="RenameTemplate", also=[template], status="204"),
            "delete": op("removeTemplate", "Remove a template.", "", also=[template], status="204"),
        },
        f"{one}/versions": {
            "get": op("listVersions", "Versions, newest first.", "Versions", also=[template]),
            "post": op("addVersion", "Add a version.", "NewVersion", body="AddVersion", also=[template], status="201"),
        },
        f"{one}/versions/{{number}}": {
            "get": op("getVersion", "One version whole.", "OpenedTemplate", also=[template, number])
        },
        f"{one}/versions/{{number}}/activate": {
            "post": op("activateVersion", "Make messages from this version.", "NewVersion", also=[template, number])
        },
        f"{one}/render": {
            "post": op(
                "renderTemplate", "Render a version; nothing is sent.", "Rendered", body="Render", also=[template]
            )
        },
        "/api/v1/uploads": {"post": upload},
        "/api/v1/uploads/{upload}": {
            "delete": op(
                "removeUpload", "Remove an upload.", "", also=[parameter("upload", "path", _UUID)], status="204"
            )
        },
    }


def of_jobs(op: Operation, parameter: Operation) -> dict[str, Any]:
    job = parameter("job", "path", _UUID)
    result = op("getResult", "What an export made; fetching it is on record.", "", also=[job])
    result["responses"]["200"]["content"] = {
        "application/x-ndjson": {"schema": {"type": "string"}}, "text/csv": {"schema": {"type": "string"}},
    }  # fmt: skip
    message = parameter("message", "path", _UUID)
    again = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "maxLength": 255},
    }
    return {
        "/api/v1/messages/{message}/resend": {
            "post": op(
                "resendMessage",
                "Send it again, as a new message.",
                "Resent",
                body="Resend",
                also=[message, again],
                status="202",
            )
        },
        "/api/v1/jobs": {
            "get": op("listJobs", "Jobs of the last day, newest first.", "Jobs"),
            "post": op(
                "addJob", "Retry, take back, send again or export all that fits.", "Job", body="AddJob", status="202"
            ),
        },
        "/api/v1/jobs/{job}": {"get": op("getJob", "A job and how far it is.", "Job", also=[job])},
        "/api/v1/jobs/{job}/cancel": {"post": op("cancelJob", "End a job; what it did stays done.", "Job", also=[job])},
        "/api/v1/jobs/{job}/result": {"get": result},
    }
