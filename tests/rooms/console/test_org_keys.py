"""Keys at rest in the console: what each is for, a new version with a reason, the keys of the log with their times."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.archive import books
from carepost.engagement import retokening
from carepost.proof import kinds
from carepost.tenancy.actions import keys, suppression
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.tenancy.retokening import Work
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


def test_pressed_twice_on_one_page_a_key_is_changed_once(maple: Organisation, at_desk: DESK, outbox: Outbox) -> None:
    http = at_desk("administrator")
    text = http.get("/keys-at-rest").content.decode()
    assert text.count('name="version" value="1"') == 5
    seen = {"reason": "yearly", "version": "1"}
    assert post(http, "/keys-at-rest/portal", seen).status_code == 302
    again = post(http, "/keys-at-rest/portal", seen)
    assert again.status_code == 409 and "made meanwhile" in again.content.decode()
    assert len(office_events("orgkey.rotated")) == 1
    assert http.get("/keys-at-rest").content.decode().count("Still under version 1") == 1
    assert post(http, "/keys-at-rest/portal", {"reason": "again", "version": "2"}).status_code == 302


def test_only_administrators_see_or_change_them(maple: Organisation, at_desk: DESK, outbox: Outbox) -> None:
    for role in ("operator", "auditor", "sender"):
        http = at_desk(role)
        assert http.get("/keys-at-rest").status_code == 404
        assert http.post("/keys-at-rest/signing", {"reason": "mine"}).status_code in (403, 404)
    assert office_events("orgkey.rotated") == []


def test_what_still_stands_under_a_former_search_key_is_said(maple: Organisation, at_desk: DESK) -> None:
    http = at_desk("administrator")
    suppression.suppress(maple.pk, "gone@partner.test", actor=COMMAND_LINE, reason="request")
    assert "Still under version" not in http.get("/keys-at-rest").content.decode()
    keys.rotate_key(maple.pk, "index", actor=COMMAND_LINE, reason="yearly")
    text = http.get("/keys-at-rest").content.decode()
    assert "Still under version 1" in text and "suppression list: 1" in text
    work = Work(retokening.PLACES)
    for _ in range(8):
        work.step()
    assert "Still under version" not in http.get("/keys-at-rest").content.decode()
