"""Protection rules: every change writes a whole new version, with its author and reason; none is edited or deleted."""

import hashlib
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Final

import msgspec

from carepost.directory import rules as stored
from carepost.ground.errors import NotFound
from carepost.policy import types
from carepost.tenancy import names, rule_check, sealing
from carepost.tenancy.act import Doing, act
from carepost.tenancy.models import Organisation, PolicyVersion, Rule, Unit
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

PORTAL_BY_MAIL: Final = rule_check.PORTAL_BY_MAIL
#: two people at once: the second is told, and nothing of the first is lost
MOVED: Final = "Somebody changed the policy while this page was open. Look at what is in force now, then decide again."


class UnitRule(msgspec.Struct, frozen=True):
    """A rule as written, and the unit whose sender domains it is for (None: as its own fields say)."""

    rule: types.Rule
    unit: uuid.UUID | None = None


def add_rule(
    org: uuid.UUID,
    rule: types.Rule,
    *,
    actor: Actor,
    reason: str,
    unit: uuid.UUID | None = None,
    instead_of: str = "",
    on: int = 0,
) -> PolicyVersion:
    """Adds the rule, or replaces the one of this id, and that named `instead_of`. `on`: the version it was made on; 0:
    whichever is in force. Raises names.Wrong where one of these rules is another since `on`, and for what `rule_check`
    refuses: a rule that says nothing, or one that lowers the floor below VERIFIED without an attestation (DESIGN 3)."""
    rule = rule_check.checked(rule, for_unit=unit is not None)

    def change(doing: Doing, rules: list[UnitRule]) -> list[UnitRule]:
        if unit is not None and not Unit.objects.filter(org_id=doing.org, pk=unit).exists():
            raise NotFound("There is no such unit.")
        if len(rules) >= rule_check.MOST_RULES:
            raise names.Wrong("too-many-rules", f"An organisation has at most {rule_check.MOST_RULES} rules.")
        _unmoved(doing, rules, on, {rule.id, instead_of})
        return with_rule([r for r in rules if r.rule.id != instead_of], rule, unit)

    return _change(org, change, actor=actor, reason=reason, named=rule.id)


def remove_rule(org: uuid.UUID, rule: str, *, actor: Actor, reason: str, on: int = 0) -> PolicyVersion:
    """Raises NotFound, names.Wrong where it is another rule since version `on`."""

    def change(doing: Doing, rules: list[UnitRule]) -> list[UnitRule]:
        _unmoved(doing, rules, on, {rule})
        return without_rule(rules, rule)

    return _change(org, change, actor=actor, reason=reason, named=rule)


def restore_version(org: uuid.UUID, number: int, *, actor: Actor, reason: str, on: int = 0) -> PolicyVersion:
    """A new version with the rules of an earlier one. Raises NotFound, names.Wrong where another version is in force
    than `on`."""

    def change(doing: Doing, _rules: list[UnitRule]) -> list[UnitRule]:
        if on and in_force(doing.organisation).number != on:
            raise names.Wrong("changed-meanwhile", MOVED)
        return rules_of(version_of(doing.organisation, number))

    return _change(org, change, actor=actor, reason=reason, named=f"version {number}")


def set_portal_by_mail(org: uuid.UUID, on: bool, *, actor: Actor, reason: str) -> PolicyVersion:
    """Whether a code sent by e-mail alone opens the portal where the default floor is required (DESIGN 3)."""
    if on:
        return add_rule(org, types.Rule(id=PORTAL_BY_MAIL, portal_by_mail=True), actor=actor, reason=reason)
    return remove_rule(org, PORTAL_BY_MAIL, actor=actor, reason=reason)


def first_version(doing: Doing, *, portal_by_mail: bool) -> PolicyVersion:
    """Version 1 of a new organisation."""
    rules = [UnitRule(types.Rule(id=PORTAL_BY_MAIL, portal_by_mail=True))] if portal_by_mail else []
    return _write(doing, rules, number=1, reason="first version")


def rules_of(version: PolicyVersion) -> list[UnitRule]:
    """The rules of a version, opened."""
    return [_read(row) for row in version.rules.order_by("position", "rule")]


def in_force(organisation: Organisation) -> PolicyVersion:
    return PolicyVersion.objects.get(org=organisation, label=organisation.policy_version)


def version_of(organisation: Organisation, number: int) -> PolicyVersion:
    """Raises NotFound."""
    found = PolicyVersion.objects.filter(org=organisation, number=number).first()
    if found is None:
        raise NotFound("There is no such version of the policy.")
    return found


def with_rule(rules: Sequence[UnitRule], rule: types.Rule, unit: uuid.UUID | None = None) -> list[UnitRule]:
    """The rules as they would be with this one added, or in the place of that of its name. Raises names.Wrong."""
    checked = rule_check.checked(rule, for_unit=unit is not None)
    return [*(r for r in rules if r.rule.id != checked.id), UnitRule(checked, unit)]


def without_rule(rules: Sequence[UnitRule], rule: str) -> list[UnitRule]:
    """Raises NotFound."""
    left = [r for r in rules if r.rule.id != rule]
    if len(left) == len(rules):
        raise NotFound("There is no such rule.")
    return left


def moved(before: Sequence[UnitRule], now: Sequence[UnitRule], named: Collection[str]) -> bool:
    """Whether one of these rules is another, is new or is gone."""
    old, new = ({r.rule.id: r for r in rules} for rules in (before, now))
    return any(old.get(name) != new.get(name) for name in named)


def _unmoved(doing: Doing, rules: list[UnitRule], on: int, named: Collection[str]) -> None:
    if on and moved(rules_of(version_of(doing.organisation, on)), rules, named):
        raise names.Wrong("changed-meanwhile", MOVED)


def _change(
    org: uuid.UUID,
    change: Callable[[Doing, list[UnitRule]], list[UnitRule]],
    *,
    actor: Actor,
    reason: str,
    named: str,
) -> PolicyVersion:
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.POLICY, actor=actor) as doing:
        current = in_force(doing.organisation)
        before = rules_of(current)
        after = change(doing, before)
        made = _write(doing, after, number=current.number + 1, reason=why)
        values = {"old": _text(before), "new": _text(after), "reason": why}
        doing.event("rule.changed", on=[made.pk, current.pk], facts={"rule": named}, values=values)
        doing.tell_engine()
    return made


def _write(doing: Doing, rules: Sequence[UnitRule], *, number: int, reason: str) -> PolicyVersion:
    version = PolicyVersion(org_id=doing.org, number=number, author=f"{doing.actor.kind}:{doing.actor.id}")
    version.created_at = doing.at
    version.label = f"{number}-{hashlib.sha256(_text(rules).encode()).hexdigest()[:8]}"
    place = sealing.place("tenancy_policyversion", "reason", version.pk)
    version.reason = sealing.seal(doing.org, "evidence", reason.encode(), place)
    version.save(force_insert=True)
    for one in rules:
        _row(doing.org, version, one).save(force_insert=True)
    doing.organisation.policy_version = version.label
    doing.organisation.save(update_fields=["policy_version"])
    return version


def _row(org: uuid.UUID, version: PolicyVersion, one: UnitRule) -> Rule:
    rule = one.rule
    row = Rule(
        org_id=org,
        version=version,
        rule=rule.id,
        position=rule.position,
        unit_id=one.unit,
        sender_domain=rule.sender_domain,
        recipient_domain=rule.recipient_domain,
        category=rule.category,
        data_class=rule.data_class,
        floor=None if rule.floor is None else rule.floor.value,
        tls_policy=rule.tls_policy or "",
        methods=" ".join(rule.methods),
        portal_by_mail=rule.portal_by_mail,
        action=rule.action,
        more=stored.more(rule),
    )
    personal = stored.personal(rule)
    if personal:
        row.sealed = sealing.seal(org, "evidence", personal.encode(), _place(row))
    return row


def _read(row: Rule) -> UnitRule:
    personal = sealing.open_(row.org_id, "evidence", bytes(row.sealed), _place(row)).decode() if row.sealed else ""
    columns = {
        "id": row.rule,
        "position": row.position,
        "sender_domain": row.sender_domain,
        "recipient_domain": row.recipient_domain,
        "category": row.category,
        "data_class": row.data_class,
        "floor": row.floor,
        "tls_policy": row.tls_policy or None,
        "methods": row.methods.split(),
        "portal_by_mail": row.portal_by_mail,
        "action": row.action,
    }
    return UnitRule(stored.read(columns, row.more, personal), row.unit_id)


def _place(row: Rule) -> str:
    return sealing.place("tenancy_rule", "sealed", row.pk)


def _text(rules: Sequence[UnitRule]) -> str:
    """All rules in one canonical form: what the label's digest is of."""
    ordered = sorted(rules, key=lambda r: (r.rule.position, r.rule.id))
    return msgspec.json.encode(ordered, order="deterministic", enc_hook=str).decode()
