"""Looking at rules and versions is an event; what changed between versions; earlier rules put back."""

from typing import Any

import pytest

from carepost.ground.errors import NotFound
from carepost.policy.types import Assurance, Rule
from carepost.tenancy import policies
from carepost.tenancy.actions import domains, organisations, policy
from carepost.tenancy.permissions import Forbidden

pytestmark = pytest.mark.django_db(databases=["default", "records"])

STRICT = Rule(id="partner", recipient_domain="partner.test", floor=Assurance.AUTHENTICATED)
JANE = Rule(id="jane", recipient="jane@home.test", action="hold")


def test_looking_at_the_rules_is_an_event_first(cast: Any, told: Any) -> None:
    policy.add_rule(cast.clinic, JANE, actor=cast.ada, reason="Jane asked")
    found = policies.access_policy(cast.clinic, actor=cast.ada)
    assert [one.rule for one in found.rules] == [JANE]
    assert (found.version.number, found.version.author, found.version.reason) == (2, "ada@clinic.test", "Jane asked")
    last = told()[-1].event
    assert (last.kind, last.actor.id) == ("rule.listed", cast.ada.id)


def test_versions_tell_author_reason_and_what_changed(cast: Any, told: Any) -> None:
    policy.add_rule(cast.clinic, STRICT, actor=cast.ada, reason="contract")
    forced = Rule(id="partner", recipient_domain="partner.test", floor=Assurance.MESSAGE)
    policy.add_rule(cast.clinic, forced, actor=cast.ada, reason="more")
    policy.remove_rule(cast.clinic, "partner", actor=cast.ada, reason="ended")
    assert [v.reason for v in policies.access_versions(cast.clinic, actor=cast.ada)][:3] == [
        "ended",
        "more",
        "contract",
    ]
    version, changes = policies.access_version(cast.clinic, 3, actor=cast.ada)
    assert version.reason == "more"
    ((name, before, after),) = [(c.rule, c.before, c.after) for c in changes]
    assert before is not None
    assert after is not None
    assert (name, before.rule, after.rule) == ("partner", STRICT, forced)
    ((_, gone),) = [(c.rule, c.after) for c in policies.access_version(cast.clinic, 4, actor=cast.ada)[1]]
    assert gone is None
    assert {t.event.kind for t in told()[-3:]} == {"policy.listed", "policy.viewed"}


def test_an_earlier_version_is_put_back_as_a_new_one(cast: Any, epoch: Any) -> None:
    policy.add_rule(cast.clinic, STRICT, actor=cast.ada, reason="r")
    policy.remove_rule(cast.clinic, "partner", actor=cast.ada, reason="mistake")
    before = epoch(cast.clinic)
    made = policy.restore_version(cast.clinic, 2, actor=cast.ada, reason="back")
    assert made.number == 4
    assert [r.rule for r in policies.access_policy(cast.clinic, actor=cast.ada).rules] == [STRICT]
    assert epoch(cast.clinic) == before + 1
    with pytest.raises(NotFound):
        policy.restore_version(cast.clinic, 9, actor=cast.ada, reason="r")


def test_rules_of_a_unit_are_one_for_each_of_its_domains(cast: Any) -> None:
    heart = organisations.add_unit(cast.clinic, "Heart", actor=cast.ada)
    for name in ("a.clinic.test", "b.clinic.test"):
        domains.add_domain(cast.clinic, name, actor=cast.ada, unit=heart.pk)
    rule = Rule(id="heart", setting=True, floor=Assurance.MESSAGE)
    policy.add_rule(cast.clinic, rule, actor=cast.ada, reason="r", unit=heart.pk)
    found = policies.access_policy(cast.clinic, actor=cast.ada)
    expanded = policies.expanded(cast.clinic, found.rules)
    assert [(r.sender_domain, r.unit) for r in expanded] == [("a.clinic.test", "Heart"), ("b.clinic.test", "Heart")]
    assert found.units == {heart.pk: "Heart"}


@pytest.mark.parametrize("who", ["olga", "hal", "stan"])
def test_others_see_nothing(cast: Any, told: Any, who: str) -> None:
    actor = getattr(cast, who)
    told()
    for look in (
        lambda: policies.access_policy(cast.clinic, actor=actor),
        lambda: policies.access_versions(cast.clinic, actor=actor),
        lambda: policies.access_version(cast.clinic, 1, actor=actor),
        lambda: policy.restore_version(cast.clinic, 1, actor=actor, reason="r"),
    ):
        with pytest.raises(Forbidden):
            look()
    assert told() == []
