"""The policy: rules in words, a form with a trial before it is saved, versions with author, reason and what changed."""

from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.archive.trial import Trial, trial
from carepost.console import acting
from carepost.console.guard import shielded
from carepost.console.rule_form import RuleForm, initial
from carepost.ground import clock
from carepost.policy import rule_words
from carepost.tenancy import policies
from carepost.tenancy.actions import policy as actions
from carepost.tenancy.actions.policy import UnitRule
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.names import Wrong
from carepost.tenancy.permissions import Permission
from carepost.tenancy.policies import Policy

#: messages a trial looks at
LAST: Final = 200
_SAID: Final = "The engines know within two seconds."


@require_safe
@permission(Permission.POLICY)
@shielded
def policy(request: StaffRequest) -> HttpResponse:
    return _overview(request)


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.POLICY)
@shielded
def rule(request: StaffRequest, row: UUID | None = None) -> HttpResponse:
    """A new rule, or one of the version in force. A POST tries it; with `do=save` it is saved."""
    found = policies.access_policy(request.desk.org, actor=request.desk.actor)
    one = found.named(row) if row is not None else None
    if request.method != "POST":
        return _form(request, found, one, RuleForm(found, initial=initial(one)))
    form = RuleForm(found, request.POST)
    if not form.is_valid():
        return _form(request, found, one, form, status=422)
    try:
        # under another name it is another rule: the one that was opened makes room for it
        kept = [r for r in found.rules if one is None or r.rule.id != one.rule.id]
        then = actions.with_rule(kept, form.rule(), form.unit_id())
        if request.POST.get("do") == "save" and form.cleaned_data["reason"].strip():
            return _save(request, form, one)
    except Wrong as wrong:
        form.add_error(None, wrong.public)
        return _form(request, found, one, form, status=422)
    unexplained = request.POST.get("do") == "save"
    if unexplained:
        form.add_error("reason", "Say why the policy changes; it is kept with the version.")
    tried = _trial(request, found, then)
    return _form(request, found, one, form, tried=tried, then=then[-1], status=422 if unexplained else 200)


@require_POST
@permission(Permission.POLICY)
@shielded
def remove_rule(request: StaffRequest, row: UUID) -> HttpResponse:
    """First what would change; with a reason it is removed."""
    found = policies.access_policy(request.desk.org, actor=request.desk.actor)
    one = found.named(row)
    reason = acting.reason(request)
    if request.POST.get("do") == "save" and reason:
        actions.remove_rule(request.desk.org, one.rule.id, actor=request.desk.actor, reason=reason)
        return acting.done(request, f"The rule is removed. {_SAID}", "console:policy")
    context = {
        "line": _line(found, one),
        "row": row,
        "tried": _trial(request, found, actions.without_rule(found.rules, one.rule.id)),
        "last": LAST,
        "wrong": request.POST.get("do") == "save",
        "now": clock.now(),
    }
    return render(request, "console/policy-remove.html", context, status=422 if context["wrong"] else 200)


@require_safe
@permission(Permission.POLICY)
@shielded
def version(request: StaffRequest, number: int) -> HttpResponse:
    made, changed = policies.access_version(request.desk.org, number, actor=request.desk.actor)
    found = policies.access_policy(request.desk.org, actor=request.desk.actor)
    context = {
        "version": made,
        "current": found.version.number,
        "changes": [
            {
                "rule": c.rule,
                "word": "Added" if c.before is None else "Removed" if c.after is None else "Changed",
                "before": _line(found, c.before) if c.before is not None else None,
                "after": _line(found, c.after) if c.after is not None else None,
            }
            for c in changed
        ],
        "now": clock.now(),
    }
    return render(request, "console/policy-version.html", context)


@require_POST
@permission(Permission.POLICY)
@shielded
def restore(request: StaffRequest, number: int) -> HttpResponse:
    reason = acting.needed(request, "version")
    actions.restore_version(request.desk.org, number, actor=request.desk.actor, reason=reason)
    return acting.done(request, f"The rules of version {number} are in force again. {_SAID}", "console:policy")


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


def _save(request: StaffRequest, form: RuleForm, one: UnitRule | None) -> HttpResponse:
    """Raises names.Wrong."""
    reason = form.cleaned_data["reason"].strip()
    org, actor, made = request.desk.org, request.desk.actor, form.rule()
    instead = one.rule.id if one is not None else ""
    saved = actions.add_rule(org, made, actor=actor, reason=reason, unit=form.unit_id(), instead_of=instead)
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
