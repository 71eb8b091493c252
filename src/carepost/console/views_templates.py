"""Templates: what messages are made from, its versions, and how one looks on a telephone before anybody gets it."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import escape
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.console import acting, template_mail
from carepost.console.guard import shielded
from carepost.console.template_forms import TemplateForm
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.rendering.once import TemplateFault
from carepost.templates import acts, select
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.ui.headers import BODY

_SOON: Final = "The engines know within two seconds."
_PARTS: Final = {"subject": "subject", "html": "body", "text": "text"}
_WRONG: Final = '<p style="font: 16px sans-serif; padding: 1rem">{}</p>'
_FRAME: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Preview</title></head><body>{}</body></html>'
)


@require_safe
@permission(Permission.TEMPLATES)
@shielded
def templates(request: StaffRequest) -> HttpResponse:
    lines = select.listing(request.desk.org, request.desk.actor)
    return render(request, "console/templates.html", {"lines": lines, "now": clock.now()})


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.TEMPLATES)
@shielded
def new(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, TemplateForm())
    form = TemplateForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    if "mail" in request.POST:
        return _mailed(request, form, None)
    given = form.cleaned_data
    try:
        made = acts.create(
            request.desk.org, given["name"], form.source(), actor=request.desk.actor, note=given["note"]
        )  # fmt: skip
    except Refused as refused:
        return _page(request, _told(form, refused), status=422)
    messages.success(request, f"“{made.name}” is there. {_SOON}", extra_tags="console")
    return redirect("console:template", template=made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.TEMPLATES)
@shielded
def template(request: StaffRequest, template: UUID) -> HttpResponse:
    org, actor = request.desk.org, request.desk.actor
    found = select.opened(org, template, actor, _number(request.GET.get("version", "")))
    if request.method != "POST":
        form = TemplateForm.of(found.template.name, found.source, found.compiled.variables)
        return _page(request, form, found)
    # the name is not changed here: programs know it by its id, and colleagues by this name
    form = TemplateForm({**request.POST.dict(), "name": found.template.name})
    if not form.is_valid():
        return _page(request, form, found, status=422)
    if "mail" in request.POST:
        return _mailed(request, form, found)
    try:
        made = acts.add_version(org, template, form.source(), actor=actor, note=form.cleaned_data["note"])
    except Refused as refused:
        return _page(request, _told(form, refused), found, status=422)
    messages.success(request, f"Version {made.number} is active. {_SOON}", extra_tags="console")
    return redirect("console:template", template=template)


@require_POST
@permission(Permission.TEMPLATES)
@shielded
def activate(request: StaffRequest, template: UUID) -> HttpResponse:
    number = _number(request.POST.get("version", ""))
    acts.activate(request.desk.org, template, number, actor=request.desk.actor)
    messages.success(request, f"Version {number} is active. {_SOON}", extra_tags="console")
    return redirect("console:template", template=template)


@require_POST
@permission(Permission.TEMPLATES)
@shielded
def rename(request: StaffRequest, template: UUID) -> HttpResponse:
    made = acts.rename(request.desk.org, template, str(request.POST.get("name", "")), actor=request.desk.actor)
    return acting.done(
        request, f"It is called “{made.name}” now. Programs know it by its id, as before.", "console:template", template
    )


@require_POST
@permission(Permission.TEMPLATES)
@shielded
def remove(request: StaffRequest, template: UUID) -> HttpResponse:
    acts.remove(request.desk.org, template, actor=request.desk.actor)
    messages.success(request, f"The template is gone. {_SOON}", extra_tags="console")
    return redirect("console:templates")


@require_POST
@permission(Permission.TEMPLATES)
@shielded
def shown(request: StaffRequest) -> HttpResponse:
    """What is being written, as it would come out: a document of its own, in the frame. Nothing is kept."""
    form = TemplateForm({**request.POST.dict(), "name": "preview"})
    if not form.is_valid():
        return _framed(_WRONG.format(escape(" ".join(str(e) for errors in form.errors.values() for e in errors))))
    try:
        found = acts.draft(request.desk.org, form.source(), form.example(), actor=request.desk.actor)
    except TemplateFault as fault:
        return _framed(_WRONG.format(escape(_words(fault))))
    head = f'<p style="font: 600 16px sans-serif; padding: .5rem 1rem; margin: 0">{escape(found.subject)}</p>'
    if request.POST.get("part") == "text" or not found.html:
        return _framed(f'{head}<pre style="padding: 0 1rem; white-space: pre-wrap">{escape(found.text)}</pre>')
    answer = HttpResponse(found.html)
    answer["Content-Security-Policy"] = BODY
    return answer


def _mailed(request: StaffRequest, form: TemplateForm, found: select.Opened | None) -> HttpResponse:
    """What stands in the form, with its example values, to the one who writes it; the form stays as it is."""
    try:
        made = acts.draft(request.desk.org, form.source(), form.example(), actor=request.desk.actor)
        template_mail.to_me(request.desk, made)
    except Refused as refused:
        return _page(request, _told(form, refused), found, status=422)
    messages.success(request, f"Sent to {request.desk.staff.email}. Nothing was saved.", extra_tags="console")
    return _page(request, form, found)


def _framed(body: str) -> HttpResponse:
    answer = HttpResponse(_FRAME.format(body))
    answer["Content-Security-Policy"] = BODY
    return answer


def _told(form: TemplateForm, refused: Refused) -> TemplateForm:
    """The fault beside the field it is in."""
    if isinstance(refused, TemplateFault):
        form.add_error(_PARTS.get(refused.fault.part), _words(refused))
    else:
        form.add_error("name" if refused.code == "template-name" else None, refused.public)
    return form


def _words(fault: TemplateFault) -> str:
    found = fault.fault
    return f"{found.words} (line {found.line})" if found.line else found.words


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _page(
    request: StaffRequest, form: TemplateForm, found: select.Opened | None = None, status: int = 200
) -> HttpResponse:
    may_mail = request.desk.may(Permission.SEND)
    shown: dict[str, Any] = {"form": form, "found": found, "now": clock.now(), "may_mail": may_mail}
    if found is not None:
        shown["versions"] = select.versions(request.desk.org, UUID(found.template.id), request.desk.actor)
    return render(request, "console/template.html", shown, status=status)
