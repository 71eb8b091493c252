"""Organisations, units and settings with inheritance: success and event. Refusals: test_strangers."""

from typing import Any

import pytest

from carepost.ground.errors import NotFound
from carepost.policy.types import Assurance
from carepost.tenancy import keys, select
from carepost.tenancy.actions import domains, organisations
from carepost.tenancy.actions.organisations import ORG_PURPOSES
from carepost.tenancy.models import DomainClaim, OrgKey, PolicyVersion
from carepost.tenancy.names import Wrong
from carepost.tenancy.permissions import BOOTSTRAP, COMMAND_LINE

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def test_a_new_organisation_has_a_key_for_every_purpose_and_a_first_policy(cast: Any, told: Any) -> None:
    made = organisations.create_organisation("grove", "Grove Practice", actor=BOOTSTRAP, portal_by_mail=True)
    assert made.notice_name == "Grove Practice"
    assert made.floor == Assurance.VERIFIED
    found = {purpose: keys.current(made.pk, purpose) for purpose in ORG_PURPOSES}
    assert {version for version, _ in found.values()} == {1}
    assert len({key for _, key in found.values()}) == len(ORG_PURPOSES)
    version = PolicyVersion.objects.get(org=made)
    assert version.label == made.policy_version
    assert [(r.rule, r.portal_by_mail) for r in version.rules.all()] == [("portal-by-mail", True)]
    (event,) = told()
    assert event.event.kind == "org.created"
    assert event.event.org == str(made.pk)
    assert event.event.actor.id == "bootstrap"
    assert event.event.facts["rule"] == "portal-by-mail"


def test_portal_by_mail_is_off_unless_asked_for(cast: Any) -> None:
    assert not PolicyVersion.objects.get(org=cast.clinic).rules.exists()


def test_two_organisations_never_share_a_key(cast: Any) -> None:
    wrapped = [bytes(w) for w in OrgKey.objects.values_list("wrapped", flat=True)]
    assert len(set(wrapped)) == len(wrapped) == 2 * len(ORG_PURPOSES)
    assert keys.current(cast.clinic, "content") != keys.current(cast.harbour, "content")


@pytest.mark.parametrize("slug", ["", "a", "Upper", "1digit", "with space", "x" * 41, "é"])
def test_a_short_name_of_another_form_is_refused(slug: str, db: None) -> None:
    with pytest.raises(Wrong):
        organisations.create_organisation(slug, "Name", actor=BOOTSTRAP)


def test_a_short_name_is_taken_once(cast: Any) -> None:
    with pytest.raises(Wrong) as refused:
        organisations.create_organisation("clinic", "Another", actor=BOOTSTRAP)
    assert refused.value.code == "taken"


def test_settings_change_with_old_value_new_value_and_reason_on_record(cast: Any, told: Any, epoch: Any) -> None:
    """HS-51."""
    before = epoch(cast.clinic)
    organisations.change_settings(cast.clinic, actor=cast.ada, phone="+1 555 0199", reason="new switchboard")
    assert select.organisation("clinic").phone == "+1 555 0199"
    assert epoch(cast.clinic) == before + 1
    (event,) = told()
    assert (event.event.kind, event.event.facts) == ("org.changed", {"setting": "phone"})
    assert event.event.actor.id == cast.ada.id
    assert event.personal == {"old": "+1 555 0100", "new": "+1 555 0199", "reason": "new switchboard"}
    assert "+1 555" not in str(event.event)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"slug": "other"},
        {"phone": "+1 555 0100"},
        {"floor": Assurance.ENCRYPTED},
        {"patience": -1},
        {"patience": 400_000},
        {"auditor": "not an address"},
        {"portal_url": "ftp://x"},
        {"notice_name": ""},
        {"notice_name": "two\nlines"},
    ],
)
def test_a_setting_that_cannot_be_is_refused_and_nothing_moves(change: dict[str, Any], cast: Any, epoch: Any) -> None:
    before = epoch(cast.clinic)
    with pytest.raises(Wrong):
        organisations.change_settings(cast.clinic, actor=cast.ada, **change)
    assert epoch(cast.clinic) == before


def test_a_unit_is_added_and_its_settings_reach_its_domains_only(cast: Any, told: Any) -> None:
    unit = organisations.add_unit(cast.clinic, "Cardiology", actor=cast.ada, phone="+1 555 0142")
    domains.add_domain(cast.clinic, "heart.clinic.test", actor=cast.ada, unit=unit.pk)
    domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    organisations.change_unit(cast.clinic, unit.pk, actor=cast.ada, notice_name="Willow Heart")
    kinds = [e.event.kind for e in told()]
    assert kinds == ["unit.added", "domain.added", "domain.added", "unit.changed"]
    assert [u.name for u in select.units(cast.clinic)] == ["Cardiology"]
    assert select.units(cast.harbour) == []


def test_a_unit_of_another_organisation_is_not_there(cast: Any) -> None:
    unit = organisations.add_unit(cast.harbour, "Dock", actor=cast.hal)
    with pytest.raises(NotFound):
        organisations.change_unit(cast.clinic, unit.pk, actor=cast.ada, phone="1")
    with pytest.raises(NotFound):
        domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada, unit=unit.pk)


def test_a_unit_name_is_taken_once(cast: Any) -> None:
    organisations.add_unit(cast.clinic, "Ward", actor=cast.ada)
    with pytest.raises(Wrong):
        organisations.add_unit(cast.clinic, "Ward", actor=cast.ada)
    organisations.add_unit(cast.harbour, "Ward", actor=cast.hal)


def test_a_closed_organisation_lets_go_of_its_domains_and_takes_no_action(cast: Any, told: Any) -> None:
    domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    organisations.close_organisation(cast.clinic, actor=COMMAND_LINE, reason="merged into Harbour")
    assert told()[-1].event.kind == "org.closed"
    assert not DomainClaim.objects.exists()
    with pytest.raises(NotFound):
        organisations.change_settings(cast.clinic, actor=cast.ada, phone="1")
    with pytest.raises(NotFound):
        select.organisation("clinic")
