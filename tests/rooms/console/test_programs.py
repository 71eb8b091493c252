"""Keys and credentials of programs: made with their secret shown once, limited, ended; who may."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.console import program_forms
from carepost.directory import bearer
from carepost.tenancy import select
from carepost.tenancy.actions import access, domains
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP, Scope
from tests.support.mailroom import KeptDoor
from tests.support.outbox import office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


@pytest.fixture
def http(maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor, log_tables: None) -> Client:
    return at_desk("administrator")


def post(http: Client, path: str, **fields: Any) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/programs/keys/new").content.decode())
    assert found is not None
    return http.post(path, {"csrfmiddlewaretoken": found[1], **fields})


def text(http: Client, path: str) -> str:
    return str(http.get(path).content.decode())


def test_a_key_from_its_making_to_its_end(http: Client, maple: Organisation) -> None:
    before = len(select.api_keys(maple.pk))
    none = post(http, "/programs/keys/new", name="Reminders")
    assert none.status_code == 422 and "Tick at least one" in none.content.decode()
    made = post(http, "/programs/keys/new", name="Reminders", scopes=["send", "messages"], test="on", per_minute="600")
    (row,) = select.api_keys(maple.pk)[before:]
    assert row.scopes.split() == ["messages", "send", "test", "limit:600"]
    secret = re.search(r'<code class="cs-reply">([^<]+)</code>', made.content.decode())
    assert secret is not None
    parts = bearer.split(secret[1])
    assert parts is not None and parts[1] == bytes(row.secret_hash)
    shown = text(http, "/programs") + text(http, f"/programs/keys/{row.pk}")
    assert "Reminders" in shown and "tests only" in shown and secret[1] not in shown
    assert post(http, f"/programs/keys/{row.pk}", per_minute="0").status_code == 422
    assert post(http, f"/programs/keys/{row.pk}", per_minute="60").status_code == 302
    assert select.api_keys(maple.pk)[before].scopes.split()[-1] == "limit:60"
    assert post(http, f"/programs/keys/{row.pk}", per_minute="").status_code == 302
    assert "limit:" not in select.api_keys(maple.pk)[before].scopes
    assert post(http, f"/programs/keys/{row.pk}/end").status_code == 422, "a reason is asked for"
    assert post(http, f"/programs/keys/{row.pk}/end", reason="replaced").status_code == 302
    assert len(select.api_keys(maple.pk)) == before
    assert [len(office_events(kind)) for kind in ("key.added", "key.limited", "key.revoked")] == [1, 2, 1]


def test_a_credential_from_its_making_to_its_end(http: Client, maple: Organisation) -> None:
    domains.add_domain(maple.pk, "lab.maple.test", actor=BOOTSTRAP)
    made = post(http, "/programs/credentials/new", name="Front desk", domains=["lab.maple.test"]).content.decode()
    (row,) = select.credentials(maple.pk)
    assert (row.name, row.domains) == ("Front desk", "lab.maple.test")
    assert row.username in made and "Password" in made
    assert "lab.maple.test" in text(http, f"/programs/credentials/{row.pk}")
    wrong = post(http, "/programs/credentials/new", name="X", domains=["elsewhere.test"])
    assert wrong.status_code == 422
    assert post(http, f"/programs/credentials/{row.pk}/end", reason="replaced").status_code == 302
    assert select.credentials(maple.pk) == []


def test_every_scope_can_be_ticked() -> None:
    assert set(program_forms._WORDS) == set(Scope) - {Scope.TEST}


@pytest.mark.parametrize("role", ["operator", "auditor", "sender"])
def test_who_may_not_make_keys_sees_none(role: str, maple: Organisation, at_desk: Callable[..., Client]) -> None:
    http = at_desk(role)
    key = access.add_key(maple.pk, "Reminders", ["send"], actor=BOOTSTRAP)
    paths = ("/programs", "/programs/keys/new", "/programs/credentials/new", f"/programs/keys/{key.id}")
    assert {http.get(path).status_code for path in paths} == {404}


def test_another_organisations_key_is_not_there(http: Client, harbour: Organisation) -> None:
    theirs = access.add_key(harbour.pk, "Theirs", ["send"], actor=BOOTSTRAP).id
    assert "Theirs" not in text(http, "/programs")
    assert http.get(f"/programs/keys/{theirs}").status_code == 404
    assert post(http, f"/programs/keys/{theirs}", per_minute="5").status_code == 404
    assert post(http, f"/programs/keys/{theirs}/end", reason="r").status_code == 404
    assert len(select.api_keys(harbour.pk)) == 1


def marked(http: Client, path: str) -> dict[str, str]:
    """The hidden fields of the form of a page, as it was opened once."""
    return dict(re.findall(r'name="(csrfmiddlewaretoken|page)" value="([^"]+)"', text(http, path)))


def test_a_key_asked_for_twice_on_one_page_is_one_key(http: Client, maple: Organisation) -> None:
    form = {**marked(http, "/programs/keys/new"), "name": "Reminders", "scopes": ["send"]}
    assert form["page"]
    first = http.post("/programs/keys/new", form)
    (row,) = [one for one in select.api_keys(maple.pk) if one.name == "Reminders"]
    again = http.post("/programs/keys/new", form)
    said = again.content.decode()
    assert (first.status_code, again.status_code) == (200, 409)
    assert "made already" in said and "add another" in said and f"/programs/keys/{row.pk}" in said
    assert '<code class="cs-reply">' not in said
    assert len(office_events("key.added")) == 1
    # another name on the same page, and the same name on a new one, are other keys
    assert http.post("/programs/keys/new", {**form, "name": "Recalls"}).status_code == 200
    assert http.post("/programs/keys/new", {**form, **marked(http, "/programs/keys/new")}).status_code == 200
    assert len(office_events("key.added")) == 3


def test_a_credential_asked_for_twice_on_one_page_is_one_credential(http: Client, maple: Organisation) -> None:
    form = {**marked(http, "/programs/credentials/new"), "name": "Front desk"}
    assert http.post("/programs/credentials/new", form).status_code == 200
    (row,) = select.credentials(maple.pk)
    again = http.post("/programs/credentials/new", form)
    assert again.status_code == 409 and f"/programs/credentials/{row.pk}" in again.content.decode()
    assert [one.pk for one in select.credentials(maple.pk)] == [row.pk]
    assert len(office_events("credential.added")) == 1
