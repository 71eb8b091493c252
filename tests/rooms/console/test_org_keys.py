"""Keys at rest in the console: what each is for, a new version with a reason, the keys of the log with their times."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.archive import books
from carepost.proof import kinds
from carepost.tenancy.models import Organisation
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])

DESK = Callable[..., Client]


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    for cached in (books.book, books.opener, books.serving):
        cached.cache_clear()
    yield
    for cached in (books.book, books.opener, books.serving):
        cached.cache_clear()


@pytest.fixture
def outbox(maple: Organisation, log_tables: None) -> Outbox:
    return Outbox()


def post(http: Client, path: str, fields: dict[str, str]) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/keys-at-rest").content.decode())
    assert found is not None
    return http.post(path, {"csrfmiddlewaretoken": found[1], **fields})


def test_an_administrator_makes_new_versions_and_sees_the_log_turn(
    maple: Organisation, at_desk: DESK, outbox: Outbox
) -> None:
    http = at_desk("administrator")
    assert "Nothing is signed yet" in http.get("/keys-at-rest").content.decode()
    outbox.commit_office()
    before = http.get("/keys-at-rest").content.decode()
    assert before.count(f"carepost/{maple.pk}") == 1 and "Retired" not in before
    assert post(http, "/keys-at-rest/signing", {"reason": ""}).status_code == 422
    assert post(http, "/keys-at-rest/dkim", {"reason": "yearly"}).status_code == 422
    assert office_events("orgkey.rotated") == []
    for purpose in ("signing", "index", "content"):
        assert post(http, f"/keys-at-rest/{purpose}", {"reason": "yearly"}).status_code == 302
    text = http.get("/keys-at-rest").content.decode()
    assert text.count("Version 2 is coming") == 2 and "Serves from" in text
    assert len(office_events("orgkey.rotated")) == 3 and len(office_events(kinds.LOG_KEY_INTRODUCED)) == 1
    outbox.commit_office()
    text = http.get("/keys-at-rest").content.decode()
    assert text.count(f"carepost/{maple.pk}") == 2 and text.count("Retired") == 1
    assert text.count("Version 2 is coming") == 1, "the search key waits for its minute"


def test_only_administrators_see_or_change_them(maple: Organisation, at_desk: DESK, outbox: Outbox) -> None:
    for role in ("operator", "auditor", "sender"):
        http = at_desk(role)
        assert http.get("/keys-at-rest").status_code == 404
        assert http.post("/keys-at-rest/signing", {"reason": "mine"}).status_code in (403, 404)
    assert office_events("orgkey.rotated") == []
