"""People: one-time links, roles, and one call that ends everything (HS-06)."""

import uuid
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.test import Client

from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.tenancy import select
from carepost.tenancy.actions import access, staff
from carepost.tenancy.models import ApiKey, Credential, Membership, SignInLink, Staff
from carepost.tenancy.names import Wrong
from carepost.tenancy.permissions import Permission, authorise

pytestmark = pytest.mark.django_db(databases=["default", "records"])

PASSWORD = "a long sentence nobody guessed"


def test_an_invited_person_has_a_role_and_a_link_that_works_once(cast: Any, told: Any) -> None:
    made = staff.add_staff(cast.clinic, "New.Nurse@Clinic.test", "New Nurse", "sender", actor=cast.ada)
    first = told()[0]
    assert (first.event.kind, first.event.facts) == ("staff.added", {"role": "sender"})
    assert "clinic.test" not in str(first.event)
    person = Staff.objects.get(pk=made.staff)
    assert person.email == "new.nurse@clinic.test"
    assert not person.has_usable_password()
    assert made.token not in str(list(SignInLink.objects.values()))
    assert staff.open_link(made.token) == person
    assert staff.open_link(made.token) == person
    assert staff.use_link(made.token, PASSWORD).check_password(PASSWORD)
    assert told()[0].event.kind == "staff.link-used"
    for use in (lambda: staff.open_link(made.token), lambda: staff.use_link(made.token, PASSWORD)):
        with pytest.raises(NotFound):
            use()
    grant = Membership.objects.get(staff=person)
    assert grant.approved_by == f"staff:{cast.ada.id}"


def test_a_poor_password_leaves_the_link_as_it_was(cast: Any) -> None:
    made = staff.add_staff(cast.clinic, "n@clinic.test", "N", "sender", actor=cast.ada)
    for poor in ("short", "password1234", "n@clinic.test"):
        with pytest.raises(ValidationError):
            staff.use_link(made.token, poor)
    assert staff.use_link(made.token, PASSWORD)


def test_a_link_expires(cast: Any) -> None:
    made = staff.add_staff(cast.clinic, "n@clinic.test", "N", "sender", actor=cast.ada)
    clock.set_source(lambda: made.expires_at + 1)
    try:
        with pytest.raises(NotFound):
            staff.open_link(made.token)
    finally:
        clock.set_source(None)


@pytest.mark.parametrize("token", ["", "x", "é" * 43, "\ud800"])
def test_an_unknown_link_is_nobodys(token: str, cast: Any) -> None:
    with pytest.raises(NotFound):
        staff.open_link(token)


def test_a_second_invitation_of_the_same_person_here_is_refused(cast: Any) -> None:
    with pytest.raises(Wrong):
        staff.add_staff(cast.clinic, "OLGA@clinic.test", "Olga", "sender", actor=cast.ada)


def test_a_person_may_work_in_two_organisations_with_a_role_in_each(cast: Any) -> None:
    staff.add_staff(cast.harbour, "olga@clinic.test", "Olga", "auditor", actor=cast.hal)
    olga = uuid.UUID(cast.olga.id)
    assert Staff.objects.filter(email="olga@clinic.test").count() == 1
    authorise(cast.olga, Permission.RELEASE, cast.clinic)
    authorise(cast.olga, Permission.AUDIT, cast.harbour)
    assert {m.staff_id for m in select.staff(cast.harbour)} == {olga, uuid.UUID(cast.hal.id)}


def test_roles_are_granted_and_revoked_with_a_reason_on_record(cast: Any, told: Any) -> None:
    """HS-07."""
    olga = uuid.UUID(cast.olga.id)
    staff.grant_role(cast.clinic, olga, "auditor", actor=cast.ada, reason="covers for the auditor")
    authorise(cast.olga, Permission.AUDIT, cast.clinic)
    staff.revoke_role(cast.clinic, olga, "operator", actor=cast.ada, reason="new job")
    granted, revoked = told()
    assert granted.personal == {"reason": "covers for the auditor"}
    assert (revoked.event.kind, revoked.event.facts) == ("role.revoked", {"role": "operator"})
    assert {m.role for m in select.staff(cast.clinic) if m.staff_id == olga} == {"auditor"}
    with pytest.raises(Wrong):
        staff.grant_role(cast.clinic, olga, "auditor", actor=cast.ada, reason="again")
    with pytest.raises(Wrong):
        staff.grant_role(cast.clinic, olga, "owner", actor=cast.ada, reason="no such role")


def test_people_of_another_organisation_are_not_there(cast: Any) -> None:
    hal = uuid.UUID(cast.hal.id)
    for act in (
        lambda: staff.grant_role(cast.clinic, hal, "sender", actor=cast.ada, reason="r"),
        lambda: staff.revoke_role(cast.clinic, hal, "administrator", actor=cast.ada, reason="r"),
        lambda: staff.new_link(cast.clinic, hal, actor=cast.ada, reason="r"),
        lambda: staff.disable_staff(cast.clinic, hal, actor=cast.ada, reason="r"),
    ):
        with pytest.raises(NotFound):
            act()


def test_the_last_administrator_stays(cast: Any) -> None:
    ada = uuid.UUID(cast.ada.id)
    with pytest.raises(Wrong):
        staff.disable_staff(cast.clinic, ada, actor=cast.ada, reason="r")
    with pytest.raises(Wrong):
        staff.revoke_role(cast.clinic, ada, "administrator", actor=cast.ada, reason="r")


def _sign_in(person: Staff) -> Client:
    """A browser with a session of this person, as after password and second factor."""
    Authenticator.objects.get_or_create(user=person, type=Authenticator.Type.TOTP, defaults={"data": {"secret": "x"}})
    browser = Client()
    browser.force_login(person)
    return browser


def test_disabling_ends_sessions_keys_credentials_factors_and_links_in_one_call(
    cast: Any, told: Any, epoch: Any
) -> None:
    """HS-06."""
    olga = Staff.objects.get(pk=cast.olga.id)
    browser = _sign_in(olga)

    key = access.add_key(cast.clinic, "Hers", ["send"], actor=cast.ada, owner=olga.pk)
    credential = access.add_credential(cast.clinic, "Hers", actor=cast.ada, owner=olga.pk)
    others = access.add_key(cast.clinic, "The clinic's", ["send"], actor=cast.ada)
    link = staff.new_link(cast.clinic, olga.pk, actor=cast.ada, reason="lost phone")
    told()
    before = epoch(cast.clinic)
    session_user = browser.session["_auth_user_id"]
    assert session_user == str(olga.pk)

    staff.disable_staff(cast.clinic, olga.pk, actor=cast.ada, reason="left the clinic")

    olga.refresh_from_db()
    assert not olga.is_active
    assert not olga.has_usable_password()
    assert ApiKey.objects.get(pk=key.id).revoked_at
    assert Credential.objects.get(pk=credential.id).revoked_at
    assert not ApiKey.objects.get(pk=others.id).revoked_at
    assert not Authenticator.objects.filter(user=olga).exists()
    with pytest.raises(NotFound):
        staff.open_link(link.token)
    assert epoch(cast.clinic) == before + 1
    assert [e.event.kind for e in told()] == ["staff.disabled", "key.revoked", "credential.revoked"]


def test_a_session_ends_with_its_generation(cast: Any) -> None:
    olga = Staff.objects.get(pk=cast.olga.id)
    before = olga.get_session_auth_hash()
    staff.new_link(cast.clinic, olga.pk, actor=cast.ada, reason="lost phone")
    assert Staff.objects.get(pk=olga.pk).get_session_auth_hash() != before


def test_who_works_elsewhere_keeps_the_account_and_loses_what_was_here(cast: Any) -> None:
    staff.add_staff(cast.harbour, "olga@clinic.test", "Olga", "auditor", actor=cast.hal)
    olga = uuid.UUID(cast.olga.id)
    staff.disable_staff(cast.clinic, olga, actor=cast.ada, reason="left")
    person = Staff.objects.get(pk=olga)
    assert person.is_active
    authorise(cast.olga, Permission.AUDIT, cast.harbour)
    assert {m.staff_id for m in select.staff(cast.clinic)} == {uuid.UUID(cast.ada.id)}


def test_a_disabled_person_comes_back_under_the_same_id(cast: Any, told: Any) -> None:
    """HS-31."""
    olga = uuid.UUID(cast.olga.id)
    staff.disable_staff(cast.clinic, olga, actor=cast.ada, reason="left")
    told()
    again = staff.add_staff(cast.clinic, "olga@clinic.test", "Olga", "sender", actor=cast.ada, reason="back")
    assert again.staff == olga
    assert [e.event.kind for e in told()] == ["staff.enabled", "staff.added"]
    assert Staff.objects.get(pk=olga).is_active


def test_sign_ins_and_failures_are_events(cast: Any, told: Any) -> None:
    """HS-09."""
    olga = Staff.objects.get(pk=cast.olga.id)
    staff.record_sign_in(olga, result="ok")
    staff.record_sign_in(olga, result="refused")
    assert [(e.event.kind, e.event.result) for e in told()] == [
        ("staff.signed-in", "ok"),
        ("staff.signed-in", "refused"),
    ]
