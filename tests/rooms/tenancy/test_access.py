"""API keys and SMTP credentials: shown once, kept as hash and verifier."""

import uuid
from typing import Any

import pytest

from carepost.crypto import scram
from carepost.directory import bearer
from carepost.ground.errors import NotFound
from carepost.tenancy import scope, select, uses
from carepost.tenancy.actions import access, domains
from carepost.tenancy.models import ApiKey, Credential
from carepost.tenancy.names import Wrong
from carepost.tenancy.permissions import Forbidden
from carepost.wire.types import Actor

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def test_a_key_is_presented_whole_and_kept_as_a_hash(cast: Any, told: Any, epoch: Any) -> None:
    before = epoch(cast.clinic)
    made = access.add_key(cast.clinic, "Appointment reminders", ["send", "messages"], actor=cast.ada)
    row = ApiKey.objects.get(pk=made.id)
    found = bearer.split(made.secret)
    assert found == (made.id, bytes(row.secret_hash))
    assert row.scopes == "messages send"
    secret = made.secret.rpartition(".")[2]
    assert all(secret not in str(value) for value in ApiKey.objects.values_list()[0])
    (event,) = told()
    assert (event.event.kind, event.event.facts["scopes"]) == ("key.added", "messages send")
    assert secret not in str(event)
    assert epoch(cast.clinic) == before + 1


@pytest.mark.parametrize("scopes", [[], ["everything"], ["send", "Send"]])
def test_an_unknown_scope_is_refused(scopes: list[str], cast: Any) -> None:
    with pytest.raises(Wrong):
        access.add_key(cast.clinic, "K", scopes, actor=cast.ada)


def test_a_key_makes_no_key_that_may_more_than_itself(cast: Any) -> None:
    maker = access.add_key(cast.clinic, "Provisioning", ["keys", "send"], actor=cast.ada)
    by = Actor("key", maker.id)
    assert access.add_key(cast.clinic, "K", ["send"], actor=by).id
    with pytest.raises(Forbidden):
        access.add_key(cast.clinic, "K", ["search"], actor=by)


def test_a_revoked_key_acts_no_more(cast: Any, told: Any) -> None:
    maker = access.add_key(cast.clinic, "Provisioning", ["keys"], actor=cast.ada)
    access.revoke_key(cast.clinic, uuid.UUID(maker.id), actor=cast.ada, reason="leaked")
    assert told()[-1].personal == {"reason": "leaked"}
    with pytest.raises(Forbidden):
        access.add_key(cast.clinic, "K", ["keys"], actor=Actor("key", maker.id))
    with pytest.raises(NotFound):
        access.revoke_key(cast.clinic, uuid.UUID(maker.id), actor=cast.ada)
    assert select.api_keys(cast.clinic) == []


def test_a_key_of_another_organisation_is_not_there(cast: Any) -> None:
    key = access.add_key(cast.harbour, "K", ["send"], actor=cast.hal)
    with pytest.raises(NotFound):
        access.revoke_key(cast.clinic, uuid.UUID(key.id), actor=cast.ada)
    assert [str(k.pk) for k in select.api_keys(cast.harbour)] == [key.id]


def test_a_credential_is_a_username_and_a_password_of_ours(cast: Any, told: Any) -> None:
    domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    told()
    made = access.add_credential(cast.clinic, "EHR, main site", actor=cast.ada, domains=["Clinic.test"])
    assert made.username.startswith("ehr-main-site-")
    row = Credential.objects.get(pk=made.id)
    assert scram.check_plain(row.verifier, made.password)
    assert not scram.check_plain(row.verifier, made.password + "a")
    assert row.domains == "clinic.test"
    assert made.password not in str(list(Credential.objects.values()))
    (event,) = told()
    assert event.event.kind == "credential.added"
    access.revoke_credential(cast.clinic, row.pk, actor=cast.ada)
    assert select.credentials(cast.clinic) == []
    assert told()[0].event.kind == "credential.revoked"


def test_a_credential_is_bound_to_domains_of_its_organisation(cast: Any) -> None:
    domains.add_domain(cast.harbour, "harbour.test", actor=cast.hal)
    with pytest.raises(Wrong):
        access.add_credential(cast.clinic, "C", actor=cast.ada, domains=["harbour.test"])


def test_usernames_never_meet(cast: Any) -> None:
    made = {access.add_credential(cast.clinic, "Same name", actor=cast.ada).username for _ in range(20)}
    assert len(made) == 20


def test_an_owner_must_work_here(cast: Any) -> None:
    hal = uuid.UUID(cast.hal.id)
    with pytest.raises(NotFound):
        access.add_key(cast.clinic, "K", ["send"], actor=cast.ada, owner=hal)
    with pytest.raises(NotFound):
        access.add_credential(cast.clinic, "C", actor=cast.ada, owner=hal)


def test_a_keys_limit_is_changed_and_a_limited_key_gives_no_more_than_it_has(cast: Any, told: Any, epoch: Any) -> None:
    key = uuid.UUID(access.add_key(cast.clinic, "K", ["keys", "send"], actor=cast.ada).id)
    before = epoch(cast.clinic)
    access.limit_key(cast.clinic, key, 600, actor=cast.ada)
    (event,) = [one for one in told() if one.event.kind == "key.limited"]
    assert event.event.facts["scopes"] == "keys send limit:600" and epoch(cast.clinic) > before
    with pytest.raises(Forbidden):
        access.limit_key(cast.clinic, key, 0, actor=Actor("key", str(key)))
    access.limit_key(cast.clinic, key, 60, actor=Actor("key", str(key)))
    with pytest.raises(Wrong, match="limit"):
        access.limit_key(cast.clinic, key, 10_000_001, actor=cast.ada)
    with pytest.raises(NotFound):
        access.limit_key(cast.harbour, key, 1, actor=cast.hal)


def test_use_is_noted_once_a_day_by_whom_it_came(cast: Any) -> None:
    key = access.add_key(cast.clinic, "K", ["send"], actor=cast.ada).id
    made = access.add_credential(cast.clinic, "C", actor=cast.ada)
    uses.note(cast.clinic, "credential", uuid.UUID(made.id), 2 * uses.DAY_US)
    uses.note(cast.clinic, "credential", uuid.UUID(made.id), uses.DAY_US)
    uses.note(cast.harbour, "key", uuid.UUID(key), uses.DAY_US)
    with scope.every("the test's own eyes"):
        assert Credential.objects.get(pk=made.id).last_used_at == 2 * uses.DAY_US, "never backwards"
        assert ApiKey.objects.get(pk=key).last_used_at == 0, "not by another organisation"
