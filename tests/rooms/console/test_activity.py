"""Search by everything at once, and "Did it arrive?", before the desk: filters stay, nothing stands in an address."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.proof import kinds
from tests.support.cast import fresh_books, shard
from tests.support.desk import person, seated
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])
__all__ = ["fresh_books", "shard"]

Sit = Callable[..., Client]


@pytest.fixture
def outbox(maple: Any, shard: Any) -> Outbox:
    return Outbox()


def post(desk: Client, path: str, fields: dict[str, str]) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', desk.get("/messages/arrival").content.decode())
    assert found
    return desk.post(path, {"csrfmiddlewaretoken": found[1], **fields})


@pytest.mark.usefixtures("door")
def test_filters_narrow_and_stay(maple: Any, at_desk: Sit, outbox: Outbox) -> None:
    org = maple.pk.bytes
    one, (first,) = outbox.accepted(org, ("jane@patient.test",), subject="Knee results", tags=("knee",))
    outbox.sent(org, one, first, provider="gmail")
    two, (second,) = outbox.accepted(org, ("joan@family.test",), subject="Hip results")
    outbox.failed(org, two, second, provider="yahoo")
    outbox.commit()
    desk = at_desk("operator")

    def shown(**asked: str) -> str:
        answer = post(desk, "/messages", asked)
        assert answer.status_code == 200
        return answer.content.decode()

    for asked, there, absent in (
        ({"domain": "patient.test"}, "Knee", "Hip"), ({"provider": "yahoo"}, "Hip", "Knee"),
        ({"tag": "knee"}, "Knee", "Hip"), ({"state": "failed", "method": "tls"}, "Hip", "Knee"),
        ({"assurance": "VERIFIED"}, "Knee", "Hip"), ({"provider": "gmail", "subject": "results"}, "Knee", "Hip"),
    ):  # fmt: skip
        page = shown(**asked)
        assert f"{there} results" in page, asked
        assert f"{absent} results" not in page, asked
    outbox.add(org, kinds.DELIVERY_INSPECTED, [one, first], facts={"content": "phi-likely", "tags": "phi"})
    outbox.add(org, kinds.TRACKING_OPENED, [two, second], facts={"verdict": "human", "opened": "human"})
    outbox.commit()
    for asked, there, absent in (
        ({"content": "phi-high phi-likely"}, "Knee", "Hip"), ({"tag": "phi", "content": "phi-likely"}, "Knee", "Hip"),
        ({"engaged": "opened"}, "Hip", "Knee"),
    ):  # fmt: skip
        page = shown(**asked)
        assert f"{there} results" in page and f"{absent} results" not in page, asked
    assert "results" not in shown(engaged="not-clicked")
    assert "Tagged by your rules: phi." in desk.get(f"/messages/{uuid.UUID(bytes=one)}").content.decode()
    page = shown(provider="gmail", domain="patient.test", category="transactional")
    assert '<option value="gmail" selected>' in page
    assert 'value="patient.test"' in page


@pytest.mark.usefixtures("door")
def test_did_it_arrive(maple: Any, at_desk: Sit, outbox: Outbox) -> None:
    org = maple.pk.bytes
    one, (first,) = outbox.accepted(org, ("jane@patient.test",), subject="Knee results")
    outbox.sent(org, one, first)
    outbox.commit()
    desk = at_desk("operator")
    assert "Did it arrive?" in desk.get("/messages/arrival").content.decode()
    page = post(desk, "/messages/arrival", {"recipient": "jane@patient.test"}).content.decode()
    assert "accepted by mx.patient.test" in page and "1 message to <bdi>jane@patient.test</bdi>" in page
    assert "We cannot know whether anybody has read it" in page
    assert str(uuid.UUID(bytes=one)) in page
    page = post(desk, "/messages/arrival", {"recipient": "joan@patient.test"}).content.decode()
    assert "We have no record of a message to <bdi>joan@patient.test</bdi>" in page
    for wrong in ({"recipient": "patient.test"}, {"recipient": ""}):
        assert post(desk, "/messages/arrival", wrong).status_code == 422, wrong


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize("role", ["auditor", "sender"])
def test_who_may_not_read_has_no_such_page(maple: Any, outbox: Outbox, role: str) -> None:
    outbox.accepted(maple.pk.bytes, ("jane@patient.test",))
    outbox.commit()
    desk = seated(person(maple, role))
    assert desk.get("/messages/arrival").status_code == 404
    assert office_events(kinds.MESSAGE_SEARCHED) == []


@pytest.mark.usefixtures("door")
def test_another_organisations_mail_is_not_found(maple: Any, at_desk: Sit, outbox: Outbox) -> None:
    outbox.accepted(maple.pk.bytes, ("jane@patient.test",))
    outbox.commit()
    desk = at_desk("administrator", elsewhere=True)
    page = post(desk, "/messages/arrival", {"recipient": "jane@patient.test"}).content.decode()
    assert "We have no record" in page


@pytest.mark.usefixtures("door")
def test_the_report_is_a_table_and_a_file(maple: Any, at_desk: Sit, outbox: Outbox) -> None:
    org = maple.pk.bytes
    one, (first,) = outbox.accepted(org, ("jane@patient.test",))
    outbox.sent(org, one, first, provider="gmail")
    two, (second,) = outbox.accepted(org, ("joan@patient.test",))
    outbox.failed(org, two, second, provider="gmail")
    outbox.add(org, kinds.UNSUBSCRIBED, [first])
    outbox.commit()
    desk = at_desk("auditor")
    page = desk.get("/report").content.decode()
    assert "Gmail and Google Workspace" in page
    assert "1 (50.0 %)" in page and "1 unsubscribed" in page
    assert "Complaints and unsubscribes, by provider and day" in page and "0 (0.0 %)" in page
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    asked = {"csrfmiddlewaretoken": found[1], "by": "domain"}
    assert "patient.test" in desk.post("/report", asked).content.decode()
    answer = desk.post("/report", {**asked, "as": "csv"})
    assert answer["Content-Type"].startswith("text/csv")
    assert b"patient.test" in answer.content
    assert desk.post("/report", {**asked, "since": "2020-01-01", "until": "2026-01-01"}).status_code == 422
    assert seated(person(maple, "sender")).get("/report").status_code == 404
