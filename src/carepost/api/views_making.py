"""What messages are made from: templates with their versions, and files uploaded beforehand."""

import re
from typing import Final
from uuid import UUID

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.http.multipartparser import MultiPartParserError

from carepost.api import answers, asked
from carepost.api import shapes_making as shapes
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.rendering import types as rendering
from carepost.rendering.once import TemplateFault
from carepost.templates import acts, select
from carepost.tenancy.permissions import Scope
from carepost.ui.uploads import TOO_LARGE
from carepost.uploads import acts as uploads_
from carepost.wire.rest import Fault

#: RFC 2045: what stands in a parameter without quotes
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]+")
_OCTETS: Final = "application/octet-stream"


@scoped(Scope.TEMPLATES, methods=("GET", "POST"))
def templates(request: ApiRequest) -> HttpResponse:
    caller = request.caller
    if request.method == "POST":
        given = asked.body(request, shapes.AddTemplate)
        try:
            made = acts.create(caller.org, given.name, _source(given.source), actor=caller.actor, note=given.note)
        except TemplateFault as error:
            raise _fault(error, "/source") from None
        line = shapes.Template(str(made.pk), made.name, made.active, made.newest, made.changed_at)
        return answers.json(line, 201)
    lines = [
        shapes.Template(t.id, t.name, t.active, t.newest, t.changed_at)
        for t in select.listing(caller.org, caller.actor, asked.query(request, "name")["name"])
    ]
    return answers.json(shapes.Templates(tuple(lines)))


@scoped(Scope.TEMPLATES, methods=("GET", "PATCH", "DELETE"))
def template(request: ApiRequest, template: UUID) -> HttpResponse:
    caller = request.caller
    if request.method == "PATCH":
        acts.rename(caller.org, template, asked.body(request, shapes.RenameTemplate).name, actor=caller.actor)
        return HttpResponse(status=204)
    if request.method == "DELETE":
        acts.remove(caller.org, template, actor=caller.actor)
        return HttpResponse(status=204)
    return answers.json(_opened(select.opened(caller.org, template, caller.actor)))


@scoped(Scope.TEMPLATES, methods=("GET", "POST"))
def versions(request: ApiRequest, template: UUID) -> HttpResponse:
    caller = request.caller
    if request.method == "POST":
        given = asked.body(request, shapes.AddVersion)
        try:
            made = acts.add_version(
                caller.org,
                template,
                _source(given.source),
                actor=caller.actor,
                note=given.note,
                activate=given.activate,
            )
        except TemplateFault as error:
            raise _fault(error, "/source") from None
        return answers.json(shapes.NewVersion(made.number, given.activate), 201)
    found = select.versions(caller.org, template, caller.actor)
    lines = [shapes.Version(v.number, v.author, v.created_at, v.note, v.active) for v in found]
    return answers.json(shapes.Versions(tuple(lines)))


@scoped(Scope.TEMPLATES)
def version(request: ApiRequest, template: UUID, number: int) -> HttpResponse:
    caller = request.caller
    return answers.json(_opened(select.opened(caller.org, template, caller.actor, _number(number))))


@scoped(Scope.TEMPLATES, methods=("POST",))
def activate(request: ApiRequest, template: UUID, number: int) -> HttpResponse:
    made = acts.activate(request.caller.org, template, _number(number), actor=request.caller.actor)
    return answers.json(shapes.NewVersion(made.active, True))


@scoped(Scope.TEMPLATES, methods=("POST",))
def render(request: ApiRequest, template: UUID) -> HttpResponse:
    """Nothing is kept and nothing is sent."""
    given = asked.body(request, shapes.Render)
    caller = request.caller
    try:
        found = select.rendered(
            caller.org, template, caller.actor, msgspec.json.encode(given.variables), given.number
        )  # fmt: skip
    except TemplateFault as error:
        raise _fault(error, "/variables") from None
    return answers.json(shapes.Rendered(found.subject, found.html, found.text))


@scoped(Scope.SEND, methods=("POST",))
def uploads(request: ApiRequest) -> HttpResponse:
    """multipart/form-data with one part `file`; its name and type are those of the part (never of the URL)."""
    if (request.content_type or "").lower() != "multipart/form-data":
        raise ProblemError(415, "media-type", "Send multipart/form-data with one part named file.")
    try:
        files = request.FILES.getlist("file")
    except (MultiPartParserError, RequestDataTooBig, ValueError):
        raise ProblemError(422, "invalid", "The form cannot be read; send one part named file.") from None
    if request.META.get(TOO_LARGE):
        raise ProblemError(413, "too-large", "A file has at most 20 MB.")
    if len(files) != 1 or len(request.FILES) != 1 or request.POST:
        raise ProblemError(422, "invalid", "Send one part named file.", (Fault("/file", "not one file"),))
    file = files[0]
    kept = uploads_.put(request.caller.org, file.name or "file", _kind(file), file.read(), actor=request.caller.actor)
    return answers.json(shapes.Uploaded(kept.id, kept.size, kept.expires_at), 201)


def _kind(file: "UploadedFile[bytes]") -> str:
    """With its parameters, as the part has them: Django keeps those apart."""
    said = file.content_type or _OCTETS
    for name, value in (file.content_type_extra or {}).items():
        text = value.decode("latin-1")
        quoted = text if _TOKEN.fullmatch(text) else f'"{text}"'
        said += f"; {name}={quoted}"
    return said


@scoped(Scope.SEND, methods=("DELETE",))
def upload(request: ApiRequest, upload: UUID) -> HttpResponse:
    uploads_.drop(request.caller.org, upload, actor=request.caller.actor)
    return HttpResponse(status=204)


def _source(given: shapes.Source) -> rendering.Source:
    if given.html.strip() and given.mjml.strip():
        detail = "Give html or mjml, not both."
        raise ProblemError(422, "invalid", "A field is wrong.", (Fault("/source/mjml", detail),))
    mjml = bool(given.mjml.strip())
    return rendering.Source(given.subject, given.mjml if mjml else given.html, given.text, mjml)


def _fault(error: TemplateFault, at: str) -> ProblemError:
    fault = error.fault
    where = f"{at}/{fault.part}" if at == "/source" and fault.part else at
    words = f"{fault.words} (line {fault.line})" if fault.line else fault.words
    return ProblemError(422, error.code, "The template cannot be used as it is.", (Fault(where, words),))


def _number(number: int) -> int:
    """0 stands for the active one elsewhere; in a path a version is named."""
    if not 0 < number < 100_000:
        raise ProblemError(404, "not-found", "There is no such thing here.")
    return number


def _opened(found: select.Opened) -> shapes.OpenedTemplate:
    of = found.source
    source = shapes.Source(of.subject, "" if of.mjml else of.html, of.html if of.mjml else "", of.text)
    line, compiled = found.template, found.compiled
    return shapes.OpenedTemplate(
        line.id, line.name, line.active, found.number, source, compiled.variables, compiled.text
    )  # fmt: skip
