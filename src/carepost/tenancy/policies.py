"""Reading an organisation's policy: rules and versions name persons and say reasons: each look is an event (law 7)."""

import uuid
from collections.abc import Sequence

import msgspec

from carepost.ground.errors import NotFound
from carepost.policy import document, types
from carepost.tenancy import scope, sealing
from carepost.tenancy.act import Doing, act
from carepost.tenancy.actions import retention
from carepost.tenancy.actions.policy import UnitRule, in_force, rules_of, version_of
from carepost.tenancy.models import LegalHold, Organisation, PolicyVersion, Rule, SenderDomain, Staff, Unit
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: versions on one page
MOST_VERSIONS = 100


class Version(msgspec.Struct, frozen=True):
    number: int
    label: str
    at: int
    #: an address of staff, or what else it was
    author: str
    reason: str
    rules: int


class Policy(msgspec.Struct, frozen=True):
    """What is in force, as one moment had it."""

    version: Version
    rules: tuple[UnitRule, ...]
    floor: types.Assurance
    units: dict[uuid.UUID, str]
    #: what pages call a rule in addresses: its name may tell of a person
    rows: dict[str, uuid.UUID]

    def named(self, row: uuid.UUID) -> UnitRule:
        """Raises NotFound, also for a rule of an earlier version."""
        for one in self.rules:
            if self.rows.get(one.rule.id) == row:
                return one
        raise NotFound


class Change(msgspec.Struct, frozen=True):
    """One rule between two versions; None: it was, or is, not there."""

    rule: str
    before: UnitRule | None
    after: UnitRule | None


def access_policy(org: uuid.UUID, *, actor: Actor) -> Policy:
    """The rules in force. Raises NotFound, Forbidden."""
    with act(org, Permission.POLICY, actor=actor) as doing:
        row = in_force(doing.organisation)
        doing.event("rule.listed", on=[row.pk])
        return Policy(
            version=_version(doing, row),
            rules=tuple(rules_of(row)),
            floor=types.Assurance(doing.organisation.floor),
            units=dict(Unit.objects.filter(org_id=org).values_list("id", "name")),
            rows=dict(row.rules.values_list("rule", "id")),
        )


def access_versions(org: uuid.UUID, *, actor: Actor) -> list[Version]:
    """Newest first, with their reasons. Raises NotFound, Forbidden."""
    with act(org, Permission.POLICY, actor=actor) as doing:
        rows = list(PolicyVersion.objects.filter(org=doing.organisation).order_by("-number")[:MOST_VERSIONS])
        doing.event("policy.listed", on=[rows[0].pk], facts={"count": str(len(rows))})
        return [_version(doing, row) for row in rows]


def access_version(org: uuid.UUID, number: int, *, actor: Actor) -> tuple[Version, list[Change]]:
    """One version, and what it changed. Raises NotFound, Forbidden."""
    with act(org, Permission.POLICY, actor=actor) as doing:
        row = version_of(doing.organisation, number)
        doing.event("policy.viewed", on=[row.pk])
        before = rules_of(version_of(doing.organisation, number - 1)) if number > 1 else []
        return _version(doing, row), changes(before, rules_of(row))


def access_document(org: uuid.UUID, *, portal_days: int, draft_days: int, actor: Actor) -> document.Stated:
    """All that the policy as a document says, from one moment. Raises NotFound, Forbidden."""
    kept = (retention.content_days(org), retention.evidence_days(org))
    with act(org, Permission.POLICY, actor=actor) as doing:
        row = in_force(doing.organisation)
        versions = PolicyVersion.objects.filter(org=doing.organisation).order_by("-number")[:MOST_VERSIONS]
        units = dict(Unit.objects.filter(org_id=org).values_list("id", "name"))
        doing.event("policy.viewed", on=[row.pk])
        told = [_version(doing, one) for one in versions]
        return document.Stated(
            organisation=doing.organisation.name,
            floor=types.Assurance(doing.organisation.floor),
            number=row.number,
            label=row.label,
            rules=tuple((one.rule, units.get(one.unit, "") if one.unit else "") for one in rules_of(row)),
            editions=tuple(document.Edition(one.number, one.at, one.author, one.reason) for one in told),
            made=doing.at,
            content_days=kept[0],
            evidence_days=kept[1],
            portal_days=portal_days,
            draft_days=draft_days,
            holds=LegalHold.objects.filter(org_id=org, state__in=("placing", "placed", "lifting")).count(),
        )


def former(org: uuid.UUID, row: uuid.UUID) -> tuple[str, int]:
    """The name of a rule of any version, and the version's number: for a page that was opened before the policy
    changed. Raises NotFound."""
    with scope.organisation(org):
        found = Rule.objects.filter(org_id=org, pk=row).values_list("rule", "version__number").first()
    if found is None:
        raise NotFound
    return found


def rules_at(org: uuid.UUID, number: int) -> list[UnitRule]:
    """To compare with; what is shown of them comes through the gates above. Raises NotFound."""
    with scope.organisation(org):
        return rules_of(version_of(Organisation.objects.get(pk=org), number))


def changes(before: Sequence[UnitRule], after: Sequence[UnitRule]) -> list[Change]:
    """By rule; what is the same is left out."""
    old, new = {r.rule.id: r for r in before}, {r.rule.id: r for r in after}
    names = sorted(old.keys() | new.keys())
    return [Change(n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n)]


def expanded(org: uuid.UUID, rules: Sequence[UnitRule]) -> tuple[types.Rule, ...]:
    """As the engine has them: a rule of a unit is one for each of its sender domains."""
    with scope.organisation(org):
        units = dict(Unit.objects.filter(org_id=org).values_list("id", "name"))
        domains = list(SenderDomain.objects.filter(org_id=org, removed_at=0).values_list("unit_id", "domain"))
    made: list[types.Rule] = []
    for one in rules:
        if one.unit is None:
            made.append(one.rule)
            continue
        name = units.get(one.unit, "")
        made.extend(
            msgspec.structs.replace(one.rule, sender_domain=domain, unit=name)
            for unit, domain in domains
            if unit == one.unit
        )
    return tuple(sorted(made, key=lambda r: (r.position, r.id, r.sender_domain)))


def floor_of(org: uuid.UUID) -> types.Assurance:
    with scope.organisation(org):
        return types.Assurance(Organisation.objects.get(pk=org).floor)


def _version(doing: Doing, row: PolicyVersion) -> Version:
    place = sealing.place("tenancy_policyversion", "reason", row.pk)
    reason = sealing.open_(doing.org, "evidence", bytes(row.reason), place).decode()
    return Version(row.number, row.label, row.created_at, _author(row.author), reason, row.rules.count())


def _author(stored: str) -> str:
    kind, _, id_ = stored.partition(":")
    if kind == "staff":
        found = Staff.objects.filter(pk=id_).values_list("email", flat=True).first()
        return found or "a member of staff who is gone"
    return {"system:command-line": "the command line", "system:bootstrap": "first set-up"}.get(stored, stored)
