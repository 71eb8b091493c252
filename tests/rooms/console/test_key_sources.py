"""Where keys are looked for, in the console: chosen, authorities believed and removed, and by whom not."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.ground import clock
from carepost.keyring import found, looking
from carepost.keyring.models import Anchor, RecipientKey
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.rooms.console.test_certificates import file, hidden
from tests.rooms.keyring.test_found_keys import smime
from tests.support.mailroom import KeptDoor
from tests.support.outbox import office_events
from tests.support.smime import Authority

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)
PAGE = "/certificates/sources"


def post(http: Client, path: str, **fields: Any) -> Any:
    return http.post(path, {"csrfmiddlewaretoken": hidden(http, PAGE), **fields})


def test_sources_are_shown_as_they_are_by_default_and_chosen(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    http = at_desk("administrator")
    page = http.get(PAGE).content.decode()
    assert "Nobody chose yet" in page and page.count(" checked>") == 4
    assert 'value="autocrypt" id="id_sources_autocrypt" aria-describedby="hint_autocrypt">' in page
    answer = post(http, PAGE, sources=["smimea", "autocrypt"], unknown_ok="on", reason="tried for a week")
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    assert looking.looking(maple.pk, BOOTSTRAP).sources == ("smimea", "autocrypt")
    page = http.get(PAGE).content.decode()
    assert "This was chosen here." in page and page.count(" checked>") + page.count(" checked ") >= 2
    without = post(http, PAGE, sources=["smimea"], reason="")
    assert without.status_code == 422 and "Say why" in without.content.decode()
    assert post(http, PAGE, sources=["keyserver"], reason="x").status_code == 422


def test_an_authority_is_believed_shown_and_removed(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    http = at_desk("administrator")
    given = post(http, "/certificates/authorities", file=file(Authority("Invented Partner CA").der), reason="their own")
    assert given.status_code == 302
    page = http.get(PAGE).content.decode()
    assert "Invented Partner CA" in page
    with scope.organisation(maple.pk):
        row = Anchor.objects.get(org=maple)
    assert post(http, f"/certificates/authorities/{row.pk}", reason="").status_code == 422
    assert post(http, f"/certificates/authorities/{row.pk}", reason="left").status_code == 302
    assert looking.looking(maple.pk, BOOTSTRAP).authorities == ()
    bad = post(http, "/certificates/authorities", file=file(b"hello"), reason="x")
    assert bad.status_code == 422 and "no certificate" in bad.content.decode()
    assert post(http, f"/certificates/authorities/{uuid.uuid4()}", reason="x").status_code == 404


def test_a_found_key_is_shown_with_where_it_came_from_and_its_last_use(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    found.take(maple.pk, smime("smimea"))
    with scope.organisation(maple.pk):
        row = RecipientKey.objects.get(org=maple)
    http = at_desk("administrator")
    page = http.get(f"/certificates/{row.pk}").content.decode()
    assert "published in the recipient’s signed DNS (SMIMEA)" in page and "not yet" in page
    found.used(maple.pk, row.pk, clock.now())
    assert "not yet" not in http.get(f"/certificates/{row.pk}").content.decode()
    assert found.take(maple.pk, smime("wkd")) == "changed"
    listed = http.get("/certificates").content.decode()
    assert "Changed: mail is held" in listed and "Last used" in listed


@pytest.mark.parametrize("role", ["operator", "auditor", "sender"])
def test_others_are_refused(maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor, role: str) -> None:
    http = at_desk(role)
    assert http.get(PAGE).status_code in (403, 404)
    for path in (PAGE, "/certificates/authorities", f"/certificates/authorities/{uuid.uuid4()}"):
        assert http.post(path, {"reason": "x"}).status_code in (403, 404)
    assert not office_events("keyring.discovery-changed") and not office_events("keyring.authority-added")
