"""`carepost rule`, inside Django."""

import argparse
import json
import uuid
from collections.abc import Mapping

import msgspec

from carepost.archive.trial import Outcome, trial
from carepost.cli.office import common, entry
from carepost.drafts.acts import DAYS as DRAFT_DAYS
from carepost.mailbox.deposits import DAYS as PORTAL_DAYS
from carepost.policy import document, rule_words
from carepost.policy.types import Assurance, Attachment, Level, Method, Rule, TlsPolicy
from carepost.tenancy import policies, scope, select
from carepost.tenancy.actions import policy
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args)
    looks = {"list": _list, "versions": _versions, "show": _show, "try": _try, "document": _document}
    if args.verb in looks:
        return looks[args.verb](org, args)
    if args.verb == "portal-by-mail":
        made = policy.set_portal_by_mail(org.pk, args.state == "on", actor=COMMAND_LINE, reason=args.reason)
    elif args.verb == "remove":
        made = policy.remove_rule(org.pk, args.name, actor=COMMAND_LINE, reason=args.reason)
    elif args.verb == "restore":
        made = policy.restore_version(org.pk, args.number, actor=COMMAND_LINE, reason=args.reason)
    else:
        made = policy.add_rule(org.pk, _rule(args), actor=COMMAND_LINE, reason=args.reason, unit=_unit(org, args))
    return entry.done(f"Policy version {made.label} is in force.", {"policy_version": made.label}, args)


def _unit(org: Organisation, args: argparse.Namespace) -> uuid.UUID | None:
    return select.unit(org.pk, args.unit).pk if args.unit else None


def _rule(args: argparse.Namespace) -> Rule:
    return Rule(
        id=args.name,
        position=args.position,
        sender_domain=args.sender_domain,
        sender=args.sender,
        recipient_domain=args.recipient_domain,
        recipient=args.recipient,
        category=args.category,
        data_class=args.data_class,
        floor=Assurance[args.floor] if args.floor else None,
        tls_policy=TlsPolicy(args.tls) if args.tls else None,
        methods=tuple(Method(m) for m in args.method),
        action=args.action,
        attestation=args.attestation,
        setting=args.default,
        direction=args.direction,
        header=args.header,
        contains=args.contains,
        remove=args.trigger,
        size_over=args.size_over,
        hours=args.hours,
        levels=tuple(Level(one) for one in args.level),
        attachments=tuple(Attachment(one) for one in args.attachment),
        skip_unknown=args.skip_unknown,
        approvals=args.approvals,
        warn=args.warn,
        ask_reason=args.ask_reason,
        redirect=args.redirect,
        copies=tuple(args.copy),
        strip_tracking=args.strip_tracking,
        tags=tuple(args.tag),
        words=args.words,
        held_hours=args.held_hours,
        held_then=args.held_then,
    )


def _list(org: Organisation, args: argparse.Namespace) -> int:
    units = {u.pk: u.name for u in select.units(org.pk)}
    with scope.organisation(org.pk):
        rules = policy.rules_of(policy.in_force(org))
    rows = [
        {
            "rule": one.rule.id,
            "says": _says(one.rule),
            "applies_to": _applies(one, units),
            "kind": "default" if one.rule.setting else "rule",
        }
        for one in rules
    ]
    return entry.show(rows, args, f"No rule; the organisation's floor is {Assurance(org.floor).name}.")


def _versions(org: Organisation, args: argparse.Namespace) -> int:
    rows = [
        {"version": v.label, "at": common.moment(v.at), "author": v.author, "rules": v.rules, "reason": v.reason}
        for v in policies.access_versions(org.pk, actor=COMMAND_LINE)
    ]
    return entry.show(rows, args, "")


def _show(org: Organisation, args: argparse.Namespace) -> int:
    version, changes = policies.access_version(org.pk, args.number, actor=COMMAND_LINE)
    units = {u.pk: u.name for u in select.units(org.pk)}
    rows = [{"rule": c.rule, "before": _sentence(c.before, units), "after": _sentence(c.after, units)} for c in changes]
    if not args.json:
        print(f"{version.label}, {common.moment(version.at)}, by {version.author}: {version.reason}")
    return entry.show(rows, args, "It changed no rule.")


def _document(org: Organisation, args: argparse.Namespace) -> int:
    found = policies.access_document(org.pk, portal_days=PORTAL_DAYS, draft_days=DRAFT_DAYS, actor=COMMAND_LINE)
    text = document.markdown(found, persons=not args.without_persons)
    if args.output:
        with common.new_file(args.output) as out:
            out.write(text.encode())
        return entry.done(f"Written to {args.output}.", {"policy_version": found.label, "file": args.output}, args)
    if args.json:
        print(json.dumps({"policy_version": found.label, "document": text}))
    else:
        print(text, end="")
    return 0


def _try(org: Organisation, args: argparse.Namespace) -> int:
    with scope.organisation(org.pk):
        now = policy.rules_of(policy.in_force(org))
    then = policy.without_rule(now, args.name) if args.remove else policy.with_rule(now, _rule(args), _unit(org, args))
    found = trial(
        org.pk.bytes,
        COMMAND_LINE,
        policies.expanded(org.pk, now),
        policies.expanded(org.pk, then),
        floor=policies.floor_of(org.pk),
        last=args.last,
    )
    if args.json:
        print(msgspec.json.encode(found).decode())
        return 0
    print(
        f"Of {found.copies} copies of the newest {found.messages} messages {found.stronger} would be protected more, "
        f"{found.weaker} less, {found.other} otherwise."
        + (f" {found.depends} of these depend on what the history does not keep: fewer may be." * bool(found.depends))
    )
    rows: list[Mapping[str, object]] = [
        {
            "message": one.message,
            "recipient": one.recipient,
            "now": _outcome(one.before),
            "then": _outcome(one.after) + (" (depends on its content or a header field)" if one.depends else ""),
            "change": one.way,
        }
        for one in found.differences
    ]
    return entry.show(rows, args, "Nothing would change.")


def _outcome(one: Outcome) -> str:
    if one.end != "deliver":
        return f"{one.end} by {one.rule}"
    added = [f"to {one.instead} instead"] if one.instead else []
    added += [f"copied to {' '.join(one.copies)}"] if one.copies else []
    added += ["warned"] if one.warned else []
    return ", ".join([f"{one.method} {one.assurance}", *added])


def _says(rule: Rule) -> str:
    return "; ".join(rule_words.says(rule, persons=False))


def _applies(one: policy.UnitRule, units: dict[uuid.UUID, str]) -> str:
    """Who a rule is about stays in the rule: a list is no gate to persons (law 7)."""
    unit = units.get(one.unit, "") if one.unit is not None else ""
    return ", ".join(rule_words.applies(one.rule, unit, persons=False)) or "everything"


def _sentence(one: policy.UnitRule | None, units: dict[uuid.UUID, str]) -> str:
    return f"{_says(one.rule)} for {_applies(one, units)}" if one is not None else "-"
