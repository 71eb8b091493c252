"""`carepost rule`, inside Django."""

import argparse
import uuid

from carepost.cli.office import common, entry
from carepost.policy.types import Assurance, Method, Rule, TlsPolicy
from carepost.tenancy import names, scope, select
from carepost.tenancy.actions import policy
from carepost.tenancy.models import Organisation, PolicyVersion
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args)
    if args.verb == "list":
        return _list(org, args)
    if args.verb == "versions":
        return _versions(org, args)
    if args.verb == "portal-by-mail":
        made = policy.set_portal_by_mail(org.pk, args.state == "on", actor=COMMAND_LINE, reason=args.reason)
    elif args.verb == "remove":
        made = policy.remove_rule(org.pk, args.name, actor=COMMAND_LINE, reason=args.reason)
    else:
        unit = select.unit(org.pk, args.unit).pk if args.unit else None
        made = policy.add_rule(org.pk, _rule(args), actor=COMMAND_LINE, reason=args.reason, unit=unit)
    return entry.done(f"Policy version {made.label} is in force.", {"policy_version": made.label}, args)


def _rule(args: argparse.Namespace) -> Rule:
    return Rule(
        id=args.name,
        position=args.position,
        sender_domain=names.domain(args.sender_domain) if args.sender_domain else "",
        sender=names.address(args.sender) if args.sender else "",
        recipient_domain=names.domain(args.recipient_domain) if args.recipient_domain else "",
        recipient=names.address(args.recipient) if args.recipient else "",
        category=args.category,
        data_class=args.data_class,
        floor=Assurance[args.floor] if args.floor else None,
        tls_policy=TlsPolicy(args.tls) if args.tls else None,
        methods=tuple(Method(m) for m in args.method),
        action=args.action,
        attestation=args.attestation,
    )


def _list(org: Organisation, args: argparse.Namespace) -> int:
    units = {u.pk: u.name for u in select.units(org.pk)}
    with scope.organisation(org.pk):
        rules = policy.rules_of(policy.in_force(org))
    rows = [{"rule": r.rule.id, "says": _says(r.rule), "applies_to": _applies(r, units)} for r in rules]
    return entry.show(rows, args, f"No rule; the organisation's floor is {Assurance(org.floor).name}.")


def _versions(org: Organisation, args: argparse.Namespace) -> int:
    with scope.organisation(org.pk):
        rows = [
            {"version": v.label, "at": common.moment(v.created_at), "author": v.author}
            for v in PolicyVersion.objects.filter(org=org).order_by("-number")
        ]
    return entry.show(rows, args, "")


def _says(rule: Rule) -> str:
    parts = [f"floor {rule.floor.name}"] if rule.floor is not None else []
    parts += [f"TLS {rule.tls_policy.value}"] if rule.tls_policy else []
    parts += [f"methods {' '.join(m.value for m in rule.methods)}"] if rule.methods else []
    parts += ["a mailed code opens the portal"] if rule.portal_by_mail else []
    parts += [rule.action] if rule.action else []
    return ", ".join(parts)


def _applies(one: policy.UnitRule, units: dict[uuid.UUID, str]) -> str:
    rule = one.rule
    named = {
        "unit": units.get(one.unit, "") if one.unit is not None else "",
        "from": _one(rule.sender) or rule.sender_domain,
        "to": _one(rule.recipient) or rule.recipient_domain,
        "category": rule.category,
        "data": rule.data_class,
    }
    return ", ".join(f"{name} {value}" for name, value in named.items() if value) or "everything"


def _one(address: str) -> str:
    """Who a rule is about stays in the rule: a list is no gate to persons (law 7)."""
    return f"one person at {address.rpartition('@')[2]}" if address else ""
