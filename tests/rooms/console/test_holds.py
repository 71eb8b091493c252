"""Legal holds in the console: placed on a message with a reason, listed, lifted; retention leaves it alone."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from carepost.archive import books, retention
from carepost.ground import ids
from carepost.journal import holds as carried
from carepost.tenancy import scope
from carepost.tenancy.actions import holds
from carepost.tenancy.models import LegalHold, Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import Actor
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])

DESK = Callable[..., Client]
JOURNAL = Actor("system", "journal")
WHY = "Sample against Willow, case of 2026"


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    books.book.cache_clear()
    books.opener.cache_clear()
    yield
    books.book.cache_clear()
    books.opener.cache_clear()


@pytest.fixture
def outbox(maple: Organisation, log_tables: None) -> Outbox:
    return Outbox()


def post(http: Client, path: str, fields: dict[str, str]) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/holds").content.decode())
    assert found is not None
    return http.post(path, {"csrfmiddlewaretoken": found[1], **fields})


def rows(org: Organisation) -> list[LegalHold]:
    with scope.organisation(org.pk):
        return list(LegalHold.objects.filter(org=org).order_by("pk"))


def test_a_hold_is_placed_carried_out_listed_and_lifted(maple: Organisation, at_desk: DESK, outbox: Outbox) -> None:
    message, (delivery,) = outbox.accepted(maple.pk.bytes)
    outbox.sent(maple.pk.bytes, message, delivery)
    outbox.commit()
    http, number = at_desk("administrator"), ids.text(message)
    assert "Nothing is under legal hold" in http.get("/holds").content.decode()
    page = http.get(f"/messages/{number}").content.decode()
    assert f"/holds?message={number}" in page
    assert f'value="{number}"' in http.get(f"/holds?message={number}").content.decode()
    assert post(http, "/holds", {"message": number, "reason": WHY}).status_code == 302
    (row,) = rows(maple)
    assert row.state == "placing" and WHY.encode() not in bytes(row.sealed)
    assert carried.step(outbox.store) == 1 and carried.step(outbox.store) == 0
    assert rows(maple)[0].state == "placed"
    with pytest.raises(retention.Held):
        retention.dispose(outbox.store, maple.pk.bytes, message, actor=JOURNAL, reason="over")
    text = http.get("/holds").content.decode()
    assert WHY in text and number in text and "In force" in text and "1 message is kept" in text
    assert "See the holds" in http.get(f"/messages/{number}").content.decode()
    assert post(http, f"/holds/{row.pk}/lift", {"reason": ""}).status_code == 422
    assert rows(maple)[0].state == "placed"
    assert post(http, f"/holds/{row.pk}/lift", {"reason": "settled"}).status_code == 302
    assert carried.step(outbox.store) == 1 and rows(maple)[0].state == "lifted"
    assert retention.dispose(outbox.store, maple.pk.bytes, message, actor=JOURNAL, reason="over")
    assert [len(office_events(kind)) for kind in (holds.PLACED, holds.LIFTED)] == [1, 1]
    assert office_events("archive.holds-listed")


def test_what_is_not_there_held_already_or_gone_is_said(maple: Organisation, at_desk: DESK, outbox: Outbox) -> None:
    message, _ = outbox.accepted(maple.pk.bytes)
    others, _ = outbox.accepted(maple.pk.bytes)
    outbox.commit()
    http = at_desk("administrator")
    for number, words in ((ids.text(ids.new()), "no such message"), ("x", "Copy the message number")):
        answer = post(http, "/holds", {"message": number, "reason": WHY})
        assert answer.status_code == 422 and words in answer.content.decode()
    assert post(http, "/holds", {"message": ids.text(message), "reason": ""}).status_code == 422
    holds.place_hold(maple.pk, UUID(bytes=message), actor=BOOTSTRAP, reason=WHY)
    answer = post(http, "/holds", {"message": ids.text(message), "reason": WHY})
    assert answer.status_code == 422 and "already" in answer.content.decode()
    retention.dispose(outbox.store, maple.pk.bytes, others, actor=JOURNAL, reason="over")
    answer = post(http, "/holds", {"message": ids.text(others), "reason": WHY})
    assert answer.status_code == 422 and "disposed of" in answer.content.decode()
    assert len(rows(maple)) == 1


def test_a_hold_that_came_too_late_says_so(maple: Organisation, at_desk: DESK, outbox: Outbox) -> None:
    message, _ = outbox.accepted(maple.pk.bytes)
    outbox.commit()
    holds.place_hold(maple.pk, UUID(bytes=message), actor=BOOTSTRAP, reason=WHY)
    retention.dispose(outbox.store, maple.pk.bytes, message, actor=JOURNAL, reason="over")
    carried.step(outbox.store)
    assert rows(maple)[0].state == "late"
    assert "Too late" in at_desk("administrator").get("/holds").content.decode()


def test_others_neither_see_nor_touch_them(maple: Organisation, at_desk: DESK, outbox: Outbox) -> None:
    message, _ = outbox.accepted(maple.pk.bytes)
    outbox.commit()
    row = holds.place_hold(maple.pk, UUID(bytes=message), actor=BOOTSTRAP, reason=WHY)
    assert at_desk("operator").get("/holds").status_code == 404
    away = at_desk("administrator", elsewhere=True)
    assert WHY not in away.get("/holds").content.decode()
    assert post(away, f"/holds/{row.pk}/lift", {"reason": "mine"}).status_code == 404
    assert post(away, "/holds", {"message": ids.text(message), "reason": "mine"}).status_code == 422
    assert [one.state for one in rows(maple)] == ["placing"]
