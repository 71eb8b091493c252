"""Webhooks in the console: made with their secret shown once, changed, agreed on, paused, told again; who may."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from carepost.console import house
from carepost.ground import clock, ids
from carepost.ground.outward import Allowed
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP, COMMAND_LINE
from carepost.webhooks import acts, checking, select
from carepost.webhooks.calls import rows
from carepost.webhooks.calls.rows import Try
from tests.support.mailroom import KeptDoor
from tests.support.outbox import office_events, writable

pytestmark = pytest.mark.django_db(databases=["default", "records"])

URL = "https://ehr.example/hook"


@pytest.fixture(autouse=True)
def _no_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_leads", lambda *_: None)
    monkeypatch.setattr(checking, "allowed", Allowed)


@pytest.fixture
def http(maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor, log_tables: None) -> Client:
    return at_desk("administrator")


def post(http: Client, path: str, **fields: Any) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/webhooks/new").content.decode())
    assert found is not None
    return http.post(path, {"csrfmiddlewaretoken": found[1], **fields})


def text(http: Client, path: str) -> str:
    return str(http.get(path).content.decode())


def the_one(maple: Organisation) -> select.Shown:
    with scope.organisation(maple.pk):
        (one,) = select.endpoints(maple.pk, COMMAND_LINE, now=clock.now())
    return one


def test_from_the_first_to_its_end(http: Client, maple: Organisation) -> None:
    assert "No webhooks yet" in text(http, "/webhooks")
    refused = post(http, "/webhooks/new", url="http://ehr.example/", format="carepost")
    assert refused.status_code == 422 and "begins with https" in refused.content.decode()
    fields = {"url": URL, "name": "Our EHR", "format": "carepost", "events": ["delivery.sent"], "tags": "a, b"}
    made = post(http, "/webhooks/new", **fields).content.decode()
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", made)
    one = the_one(maple)
    assert secret is not None and "shown this once" in made
    page = text(http, f"/webhooks/{one.id}")
    assert secret[0] not in page and "Not used yet" in page and "a, b" in page
    assert "Our EHR" in text(http, "/webhooks")
    assert (one.filter.events, one.filter.tags) == (("delivery.sent",), ("a", "b"))

    assert 'value="delivery.sent" ' in text(http, f"/webhooks/{one.id}/change")
    changed = post(http, f"/webhooks/{one.id}/change", **fields | {"format": "sendgrid", "categories": ["marketing"]})
    assert changed.status_code == 302 and the_one(maple).filter.categories == ("marketing",)
    assert "verification key" in text(http, f"/webhooks/{one.id}")
    assert "shown this once" in post(http, f"/webhooks/{one.id}/rotate", overlap="2").content.decode()
    assert len(the_one(maple).keys) == 2
    assert post(http, f"/webhooks/{one.id}/rotate", overlap="500").status_code == 422

    assert post(http, f"/webhooks/{one.id}/pause").status_code == 302
    assert "Resume without what it missed" in text(http, f"/webhooks/{one.id}")
    assert post(http, f"/webhooks/{one.id}/resume").status_code == 302
    assert post(http, f"/webhooks/{one.id}/test").status_code == 302 and len(office_events(acts.TESTED)) == 1
    assert post(http, f"/webhooks/{one.id}/remove").status_code == 422
    assert post(http, f"/webhooks/{one.id}/remove", reason="we left").status_code == 302
    assert "No webhooks yet" in text(http, "/webhooks")


def test_an_agreement_comes_and_goes(http: Client, maple: Organisation) -> None:
    acts.add_endpoint(maple.pk, URL, actor=BOOTSTRAP)
    path = f"/webhooks/{the_one(maple).id}"
    given = {"reference": "BAA 7", "date": "2026-01-02", "party": "Invented EHR Inc."}
    wrong = post(http, f"{path}/agreement", **given | {"date": "2199-01-01"})
    assert wrong.status_code == 422 and "lies ahead" in wrong.content.decode()
    assert post(http, f"{path}/agreement", **given).status_code == 302
    assert "Invented EHR Inc." in text(http, path) and "yes, by agreement" in text(http, "/webhooks")
    (event,) = office_events(acts.AGREED)
    assert event.actor.kind == "staff"
    assert post(http, f"{path}/agreement", end="1").status_code == 302 and the_one(maple).agreement is None


def test_its_log_is_filtered_paged_and_told_again(http: Client, maple: Organisation) -> None:
    acts.add_endpoint(maple.pk, URL, actor=BOOTSTRAP)
    one, records = the_one(maple), writable()
    tries = [
        Try(maple.pk.bytes, UUID(one.id).bytes, ids.new(), ids.new(), "delivery.sent", ids.new(), clock.now(), 2,
            "again" if n else "gave-up", 0 if n else 422, "timeout" if n else "", 20_000, "invalid signature")
        for n in range(60)
    ]  # fmt: skip
    with records.writing():
        rows.settle(records, [], [], tries)
    path = f"/webhooks/{one.id}"
    page = text(http, path)
    # the one that was given up may stand among them: all were made in the same moment
    assert page.count("Will be tried again</span>") in (9, 10) and "no answer in time" in page and "Older" in page
    assert "Given up</span>" in text(http, f"{path}?result=gave-up")
    assert "Nothing of that kind" in text(http, f"{path}?result=left-out")
    assert post(http, f"{path}/replay", event=ids.text(tries[0].event)).status_code == 302
    assert post(http, f"{path}/replay", since="2026-11-22T01:00", until="2026-11-21T00:00").status_code == 422
    assert len(office_events(acts.REPLAYED)) == 1


def test_a_disabled_one_stands_in_the_overview(
    http: Client, maple: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house, "_answers", list)
    made = acts.add_endpoint(maple.pk, URL, actor=BOOTSTRAP)
    acts.disable(maple.pk, made.endpoint, "failing", clock.now())
    assert "webhook was disabled" in text(http, "/")
    assert "It took nothing for a day" in text(http, f"/webhooks/{made.endpoint}")


def test_others_find_nothing(http: Client, maple: Organisation, at_desk: Callable[..., Client]) -> None:
    made = acts.add_endpoint(maple.pk, URL, actor=BOOTSTRAP)
    path = f"/webhooks/{made.endpoint}"
    operator, auditor, stranger = at_desk("operator"), at_desk("auditor"), at_desk("administrator", elsewhere=True)
    for who in (operator, auditor, stranger):
        assert who.get(path).status_code == 404 and who.get(f"{path}/change").status_code == 404
    assert operator.get("/webhooks").status_code == 404
    for verb in ("pause", "test", "remove", "agreement", "replay", "rotate"):
        assert post(stranger, f"{path}/{verb}", reason="r", event=ids.text(ids.new()), overlap="1").status_code == 404
    assert the_one(maple).state == "live"


def marked(http: Client, path: str) -> dict[str, str]:
    return dict(re.findall(r'name="(csrfmiddlewaretoken|page)" value="([^"]+)"', text(http, path)))


def test_pressed_twice_on_one_page_it_is_one_webhook_and_one_new_secret(http: Client, maple: Organisation) -> None:
    form = {**marked(http, "/webhooks/new"), "url": URL, "name": "Our EHR", "format": "carepost"}
    assert "whsec_" in http.post("/webhooks/new", form).content.decode()
    again = http.post("/webhooks/new", form)
    one = the_one(maple)
    said = again.content.decode()
    assert again.status_code == 409 and "added already" in said and "whsec_" not in said
    assert f"/webhooks/{one.id}" in said
    assert len(office_events("webhook.added")) == 1
    form = {**marked(http, f"/webhooks/{one.id}"), "overlap": "0"}
    assert "whsec_" in http.post(f"/webhooks/{one.id}/rotate", form).content.decode()
    again = http.post(f"/webhooks/{one.id}/rotate", form)
    assert again.status_code == 409 and "whsec_" not in again.content.decode()
    assert len(office_events("webhook.secret-added")) == 1
