"""SendGrid's `/v3/templates` and their versions over our templates: dynamic ones alone. What was written in Handlebars
is given back as it was; what was written here stands there in Liquid, with a warning that says so."""

from typing import Annotated, Any, Final

import msgspec
from django.http import HttpResponse
from django.http.request import host_validation_re

from carepost.api import answers, sendgrid
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest
from carepost.ground import clock
from carepost.rendering.once import TemplateFault
from carepost.templates import acts, editions
from carepost.templates.editions import Line, Shown, Written
from carepost.tenancy.permissions import Scope
from carepost.wire.rest import Fault

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
_PAGE: Final = 200
_FIELDS: Final = {"subject": "subject", "html": "html_content", "text": "plain_content"}
_OWN: Final = "Written through /api/v1/templates, in Liquid: change it there, or add a new version here."


class Add(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    generation: str = "dynamic"


class Rename(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name


class Copy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=100)] = ""


class AddVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=998)]
    html_content: str = ""
    plain_content: str = ""
    generate_plain_content: bool = True
    active: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0
    editor: str = "code"
    test_data: str = ""
    #: the library's example names it again
    template_id: str = ""


class ChangeVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name | None = None
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=998)] | None = None
    html_content: str | None = None
    plain_content: str | None = None
    generate_plain_content: bool | None = None
    active: Annotated[int, msgspec.Meta(ge=0, le=1)] | None = None
    editor: str | None = None
    test_data: str | None = None
    template_id: str | None = None


#: of a version's body -> of editions.Written
_WRITTEN: Final = {
    "name": "name", "subject": "subject", "html_content": "html", "plain_content": "plain",
    "generate_plain_content": "generate", "editor": "editor", "test_data": "test_data",
}  # fmt: skip


@sendgrid.offered(Scope.TEMPLATES, methods=("GET", "POST"))
def templates(request: ApiRequest) -> HttpResponse:
    caller = request.caller
    if request.method == "POST":
        given = sendgrid.body(request, Add)
        if given.generation != "dynamic":
            words = "Templates here are dynamic ones; substitutions stand in the content of a mail instead."
            raise ProblemError(422, "invalid", words, (Fault("/generation", words),))
        return answers.json(_whole(editions.begin(caller.org, given.name, actor=caller.actor)), 201)
    query = sendgrid.query(request, "generations", "page_size", "page_token")
    generations = query["generations"].split(",") if query["generations"] else ["dynamic"]
    if not set(generations) <= {"legacy", "dynamic"}:
        words = "`generations` is dynamic, legacy or both."
        raise ProblemError(422, "invalid", words, (Fault("/generations", words),))
    size = sendgrid.number(query, "page_size", least=1, most=_PAGE, otherwise=_PAGE)
    after = sendgrid.version_id(query["page_token"]) if query["page_token"] else None
    if not size or "dynamic" not in generations:
        lines, count = list[Line](), 0
    else:
        lines, count = editions.page(caller.org, caller.actor, after=after, limit=size)
    shown = [_lean(line) for line in lines]
    # without a page's size the answer has the shape it had before there were pages
    if not query["page_size"]:
        return answers.json({"templates": shown})
    # under the name by which it was asked (`settings.faces`): the caller's own
    named = request.META.get("CAREPOST_ASKED_HOST", "")
    host = named if host_validation_re.fullmatch(named) else request.get_host()
    here = f"{request.scheme}://{host}/v3/templates?page_size={size}"
    metadata: dict[str, Any] = {"self": here, "count": count}
    if len(lines) == size and lines[-1].id != editions.last(caller.org, caller.actor):
        metadata["next"] = f"{here}&page_token={lines[-1].id.hex}"
    return answers.json({"result": shown, "_metadata": metadata})


@sendgrid.offered(Scope.TEMPLATES, methods=("GET", "PATCH", "POST", "DELETE"))
def template(request: ApiRequest, template: str) -> HttpResponse:
    caller, id_ = request.caller, sendgrid.template_id(template)
    if request.method == "DELETE":
        acts.remove(caller.org, id_, actor=caller.actor)
        return HttpResponse(status=204)
    if request.method == "POST":
        given = sendgrid.body(request, Copy)
        return answers.json(_whole(editions.copy(caller.org, id_, given.name, actor=caller.actor)), 201)
    if request.method == "PATCH":
        acts.rename(caller.org, id_, sendgrid.body(request, Rename).name, actor=caller.actor)
    return answers.json(_whole(editions.line(caller.org, id_, caller.actor)))


@sendgrid.offered(Scope.TEMPLATES, methods=("POST",))
def versions(request: ApiRequest, template: str) -> HttpResponse:
    caller, id_ = request.caller, sendgrid.template_id(template)
    given = sendgrid.body(request, AddVersion)
    written = Written(**_given(given))
    try:
        made = editions.add(caller.org, id_, written, actor=caller.actor, activate=bool(given.active))
    except TemplateFault as error:
        raise _fault(error) from None
    return answers.json(_version(id_.hex, made), 201)


@sendgrid.offered(Scope.TEMPLATES, methods=("GET", "PATCH", "DELETE"))
def version(request: ApiRequest, template: str, version: str) -> HttpResponse:
    caller = request.caller
    id_, number = sendgrid.template_id(template), sendgrid.version_id(version)
    if request.method == "DELETE":
        editions.remove(caller.org, id_, number, actor=caller.actor)
        return HttpResponse(status=204)
    if request.method == "GET":
        return answers.json(_version(id_.hex, editions.one(caller.org, id_, number, caller.actor)))
    given = sendgrid.body(request, ChangeVersion)
    active = None if given.active is None else bool(given.active)
    try:
        made = editions.change(caller.org, id_, number, _given(given), actor=caller.actor, activate=active)
    except TemplateFault as error:
        raise _fault(error) from None
    return answers.json(_version(id_.hex, made))


@sendgrid.offered(Scope.TEMPLATES, methods=("POST",))
def activate(request: ApiRequest, template: str, version: str) -> HttpResponse:
    caller, id_ = request.caller, sendgrid.template_id(template)
    made = editions.activate(caller.org, id_, sendgrid.version_id(version), actor=caller.actor)
    return answers.json(_version(id_.hex, made))


def _given(body: AddVersion | ChangeVersion) -> dict[str, Any]:
    return {ours: value for name, ours in _WRITTEN.items() if (value := getattr(body, name)) is not None}


def _fault(error: TemplateFault) -> ProblemError:
    fault = error.fault
    words = f"{fault.words} (line {fault.line})" if fault.line else fault.words
    return ProblemError(422, error.code, words, (Fault(f"/{_FIELDS.get(fault.part, '')}", words),))


def _lean(line: Line) -> dict[str, Any]:
    whole = _whole(line)
    for one in whole["versions"]:
        for name in ("html_content", "plain_content", "test_data", "warnings"):
            del one[name]
    return whole


def _whole(line: Line) -> dict[str, Any]:
    return {
        "id": f"d-{line.id.hex}", "name": line.name, "generation": "dynamic", "updated_at": _time(line.changed_at),
        "versions": [_version(line.id.hex, one) for one in line.versions],
    }  # fmt: skip


def _version(template: str, shown: Shown) -> dict[str, Any]:
    said = shown.written
    return {
        "id": str(shown.id), "template_id": f"d-{template}", "active": int(shown.active), "name": said.name,
        "subject": said.subject, "html_content": said.html, "plain_content": said.plain,
        "generate_plain_content": said.generate, "updated_at": _time(shown.changed_at), "editor": said.editor,
        "thumbnail_url": "", "test_data": said.test_data,
        "warnings": [{"message": _OWN}] if shown.own else [],
    }  # fmt: skip


def _time(at: int) -> str:
    """As SendGrid writes it: UTC, to the second, without a zone."""
    return clock.rfc3339(at)[:19].replace("T", " ")
