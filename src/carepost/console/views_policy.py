"""The policy: rules in words, a form with a trial before it is saved, versions with author, reason and what changed."""

from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.archive.trial import Trial, trial
from carepost.console import acting
from carepost.console.guard import shielded
from carepost.console.rule_form import FIELD_OF, RuleForm, initial
from carepost.drafts.acts import DAYS as DRAFT_DAYS
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.mailbox.deposits import DAYS as PORTAL_DAYS
from carepost.policy import document, rule_words
from carepost.tenancy import policies
from carepost.tenancy.actions import policy as actions
from carepost.tenancy.actions.policy import UnitRule
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.names import Wrong
from carepost.tenancy.permissions import Permission
from carepost.tenancy.policies import Change, Policy

#: messages a trial looks at
LAST: Final = 200
_SAID: Final = "The engines know within two seconds."
_MOVED: Final = (
    "This rule was changed while you had it open. Version {version.number} is in force now, by {version.author}: "
    "{version.reason}. Nothing of yours is saved; it still stands below, for you to compare and to try again."
)
_TAKEN: Final = "There is a rule of this name already. Open that one to change it, or choose another name."


@require_safe
@permission(Permission.POLICY)
@shielded
def policy(request: StaffRequest) -> HttpResponse:
    return _overview(request)


@require_safe
@permission(Permission.POLICY)
@shielded
def as_document(request: StaffRequest) -> HttpResponse:
    """The whole policy in words, to print or to take away (`?form=file`); `?for=others`: without addresses, texts and
    reasons."""
    org, actor = request.desk.org, request.desk.actor
    found = policies.access_document(org, portal_days=PORTAL_DAYS, draft_days=DRAFT_DAYS, actor=actor)
    persons = request.GET.get("for") != "others"
    if request.GET.get("form") == "file":
        text = document.markdown(found, persons=persons)
        name = f"policy-version-{found.number}.md"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return HttpResponse(text, content_type="text/markdown; charset=utf-8", headers=headers)
    context = {
        "title": document.title(found),
        "heading": document.heading(found),
        "sections": document.sections(found, persons=persons),
        "persons": persons,
    }
    return render(request, "console/policy-document.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.POLICY)
@shielded
def rule(request: StaffRequest, row: UUID | None = None) -> HttpResponse:
    """A new rule, or one of the version in force. A POST tries it; with `do=save` it is saved."""
    found = policies.access_policy(request.desk.org, actor=request.desk.actor)
    if request.method != "POST":
        one = found.named(row) if row is not None else None
        return _form(request, found, one, RuleForm(found, initial=initial(one)))
    name, moved = _opened(request, found, row)
    one = next((r for r in found.rules if r.rule.id == name), None)
    form = RuleForm(found, request.POST)
    if not form.is_valid():
        return _form(request, found, one, form, status=422)
    if moved:
        form.add_error(None, _MOVED.format(version=found.version))
        return _form(request, found, one, form, status=409)
    try:
        # under another name it is another rule: the one that was opened makes room for it
        kept = [r for r in found.rules if one is None or r.rule.id != one.rule.id]
        if any(r.rule.id == form.cleaned_data["name"] for r in kept):
            raise Wrong("name-taken", _TAKEN)
        then = actions.with_rule(kept, form.rule(), form.unit_id())
        if request.POST.get("do") == "save" and form.cleaned_data["reason"].strip():
            return _save(request, form, one, found.version.number)
    except Wrong as wrong:
        form.add_error(FIELD_OF.get(wrong.code), wrong.public)
        return _form(request, found, one, form, status=422)
    unexplained = request.POST.get("do") == "save"
    if unexplained:
        form.add_error("reason", "Say why the policy changes; it is kept with the version.")
    tried = _trial(request, found, then)
    return _form(request, found, one, form, tried=tried, then=then[-1], status=422 if unexplained else 200)


def _opened(request: StaffRequest, found: Policy, row: UUID | None) -> tuple[str, bool]:
    """The name of the rule that was opened ("": a new one), and whether it is another, or gone, since. Raises
    NotFound."""
    if row is None:
        return "", False
    name, on = policies.former(request.desk.org, row)
    if on == found.version.number:
        return name, False
    return name, actions.moved(policies.rules_at(request.desk.org, on), found.rules, {name})


@require_POST
@permission(Permission.POLICY)
@shielded
def remove_rule(request: StaffRequest, row: UUID) -> HttpResponse:
    """First what would change; with a reason it is removed."""
    found = policies.access_policy(request.desk.org, actor=request.desk.actor)
    name, moved = _opened(request, found, row)
    if moved:
        raise Refused("changed-meanwhile", actions.MOVED, status=409)
    one = next(r for r in found.rules if r.rule.id == name)
    reason = acting.reason(request)
    if request.POST.get("do") == "save" and reason:
        actions.remove_rule(request.desk.org, name, actor=request.desk.actor, reason=reason, on=found.version.number)
        return acting.done(request, f"The rule is removed. {_SAID}", "console:policy")
    context = {
        "line": _line(found, one),
        "row": found.rows[name],
        "tried": _trial(request, found, actions.without_rule(found.rules, name)),
        "last": LAST,
        "wrong": request.POST.get("do") == "save",
        "now": clock.now(),
    }
    return render(request, "console/policy-remove.html", context, status=422 if context["wrong"] else 200)


@require_safe
@permission(Permission.POLICY)
@shielded
def version(request: StaffRequest, number: int) -> HttpResponse:
    return _version(request, number)


@require_POST
@permission(Permission.POLICY)
@shielded
def restore(request: StaffRequest, number: int) -> HttpResponse:
    """With `do=try`: what it would change, of the newest messages."""
    if request.POST.get("do") == "try":
        return _version(request, number, tried=True)
    reason = acting.needed(request, "version")
    given = request.POST.get("on", "")
    on = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
    actions.restore_version(request.desk.org, number, actor=request.desk.actor, reason=reason, on=on)
    return acting.done(request, f"The rules of version {number} are in force again. {_SAID}", "console:policy")


def _version(request: StaffRequest, number: int, *, tried: bool = False) -> HttpResponse:
    made, changed = policies.access_version(request.desk.org, number, actor=request.desk.actor)
    found = policies.access_policy(request.desk.org, actor=request.desk.actor)
    rules = policies.rules_at(request.desk.org, number)
    context = {
        "version": made,
        "current": found.version.number,
        "changes": [_change(found, c) for c in changed],
        "back": [_change(found, c) for c in policies.changes(found.rules, rules)],
        "tried": _trial(request, found, rules) if tried else None,
        "last": LAST,
        "now": clock.now(),
    }
    return render(request, "console/policy-version.html", context)


def _change(found: Policy, one: Change) -> dict[str, object]:
    return {
        "rule": one.rule,
        "word": "Added" if one.before is None else "Removed" if one.after is None else "Changed",
        "before": _line(found, one.before) if one.before is not None else None,
        "after": _line(found, one.after) if one.after is not None else None,
    }


def _overview(request: StaffRequest) -> HttpResponse:
    found = policies.access_policy(request.desk.org, actor=request.desk.actor)
    lines = [_line(found, one) for one in found.rules]
    context = {
        "policy": found,
        "rules": [line for line in lines if not line["setting"]],
        "settings": [line for line in lines if line["setting"]],
        "versions": policies.access_versions(request.desk.org, actor=request.desk.actor),
        "now": clock.now(),
    }
    return render(request, "console/policy.html", context)


def _save(request: StaffRequest, form: RuleForm, one: UnitRule | None, on: int) -> HttpResponse:
    """Raises names.Wrong."""
    reason = form.cleaned_data["reason"].strip()
    org, actor, made = request.desk.org, request.desk.actor, form.rule()
    instead = one.rule.id if one is not None else ""
    saved = actions.add_rule(org, made, actor=actor, reason=reason, unit=form.unit_id(), instead_of=instead, on=on)
    return acting.done(request, f"Version {saved.number} of the policy is in force. {_SAID}", "console:policy")


def _trial(request: StaffRequest, found: Policy, then: list[UnitRule]) -> Trial:
    org = request.desk.org
    now, changed = policies.expanded(org, found.rules), policies.expanded(org, then)
    return trial(org.bytes, request.desk.actor, now, changed, floor=found.floor, last=LAST)


def _form(
    request: StaffRequest,
    found: Policy,
    one: UnitRule | None,
    form: RuleForm,
    *,
    tried: Trial | None = None,
    then: UnitRule | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "line": _line(found, one) if one is not None else None,
        "row": found.rows[one.rule.id] if one is not None else None,
        "then": _line(found, then) if then is not None else None,
        "tried": tried,
        "last": LAST,
        "now": clock.now(),
    }
    return render(request, "console/policy-rule.html", context, status=status)


def _line(found: Policy, one: UnitRule) -> dict[str, object]:
    rule = one.rule
    unit = found.units.get(one.unit, "") if one.unit is not None else ""
    return {
        "name": rule.id,
        "row": found.rows.get(rule.id),
        "setting": rule.setting,
        "says": rule_words.says(rule),
        "applies": rule_words.applies(rule, unit),
        "words": rule.words,
        "attestation": rule.attestation,
    }
