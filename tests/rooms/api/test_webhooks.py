"""Webhooks as a machine keeps them: made, changed, rotated, paused, tested, replayed, their log; scopes and others."""

import uuid
from typing import Any

import pytest

from carepost.ground import clock, ids
from carepost.ground.outward import Allowed
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.webhooks import acts, checking
from carepost.webhooks.calls import rows
from carepost.webhooks.calls.rows import Try
from carepost.webhooks.checking import Agreement
from tests.support.outbox import office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])

URL = "https://ehr.example/hook"


@pytest.fixture(autouse=True)
def _no_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_leads", lambda *_: None)
    monkeypatch.setattr(checking, "allowed", Allowed)


def test_from_the_first_to_its_end(machine: Any) -> None:
    asking = machine("webhooks")
    made = asking.post("/webhooks", {"url": URL, "name": "EHR", "events": ["delivery.*"], "tags": ["ward"]})
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
    id_ = made.json()["id"]
    listed = asking.get("/webhooks").json()
    (one,) = listed["webhooks"]
    assert "delivery.sent" in listed["events"] and made.json()["secret"] not in str(listed)
    assert (one["state"], one["events"], one["tags"], one["personal"]) == ("live", ["delivery.*"], ["ward"], False)
    assert one["keys"][0]["public"] == made.json()["public"]
    changed = asking.patch(f"/webhooks/{id_}", {"events": [], "format": "sendgrid"}).json()
    assert (changed["events"], changed["tags"], changed["format"]) == ([], ["ward"], "sendgrid")
    rotated = asking.post(f"/webhooks/{id_}/rotate", {"overlap_hours": 1})
    assert rotated.status_code == 201 and rotated.json()["secret"] != made.json()["secret"]
    assert asking.post(f"/webhooks/{id_}/rotate", {}).status_code == 409
    wrong = asking.post(f"/webhooks/{id_}/rotate", {"janes_knee": 1}).json()
    assert wrong["errors"] == [{"pointer": "", "detail": "Object contains an unknown field; it may have overlap_hours"}]
    assert asking.post(f"/webhooks/{id_}/pause", {"reason": "r"}).json()["state"] == "paused"
    assert asking.post(f"/webhooks/{id_}/pause", {}).status_code == 409
    assert asking.post(f"/webhooks/{id_}/resume", {"catch_up": False}).json()["state"] == "live"
    tested = asking.post(f"/webhooks/{id_}/test", {})
    assert tested.status_code == 202 and uuid.UUID(tested.json()["event"])
    assert asking.post(f"/webhooks/{id_}/replay", {"since": "2026-11-21T00:00:00Z"}).status_code in (202, 422)
    assert asking.post(f"/webhooks/{id_}/replay", {"event": ids.text(ids.new())}).status_code == 202
    for wrong in ({}, {"event": ids.text(ids.new()), "since": "2026-11-21T00:00:00Z"}, {"since": "yesterday"}):
        assert asking.post(f"/webhooks/{id_}/replay", wrong).status_code == 422
    assert asking.delete(f"/webhooks/{id_}").status_code == 204
    assert asking.get(f"/webhooks/{id_}").status_code == 404
    kinds = {event.actor.kind for kind in (acts.ADDED, acts.ROTATED, acts.REMOVED) for event in office_events(kind)}
    assert kinds == {"key"}


@pytest.mark.parametrize(
    "body",
    [{}, {"url": "http://ehr.example/"}, {"url": "https://127.0.0.1/"}, {"url": URL, "format": "xml"},
     {"url": URL, "events": ["invented"]}, {"url": URL, "unknown": 1}, {"url": URL, "agreement": "x"}],
    ids=["empty", "plain", "loopback", "format", "event", "unknown", "agreement"],
)  # fmt: skip
def test_what_cannot_be_is_a_problem(machine: Any, body: dict[str, Any]) -> None:
    answer = machine("webhooks").post("/webhooks", body)
    assert answer.status_code == 422 and answer["Content-Type"] == "application/problem+json"


def test_its_log_is_paged_and_filtered(machine: Any, cast: Any, outbox: Any) -> None:
    asking = machine("webhooks")
    id_ = asking.post("/webhooks", {"url": URL}).json()["id"]
    event = ids.new()
    tries = [
        Try(cast.maple, uuid.UUID(id_).bytes, ids.new(), event if n == 0 else ids.new(), "delivery.sent", ids.new(),
            clock.now(), 1, "sent" if n % 2 else "again", 200 if n % 2 else 500, "", 12, "error")
        for n in range(5)
    ]  # fmt: skip
    with outbox.store.writing():
        rows.settle(outbox.store, [], [], tries)
    first = asking.get(f"/webhooks/{id_}/deliveries", limit="3").json()
    second = asking.get(f"/webhooks/{id_}/deliveries", limit="3", cursor=first["cursor"]).json()
    seen = [one["id"] for one in (*first["deliveries"], *second["deliveries"])]
    assert seen == sorted((ids.text(one.id) for one in tries), reverse=True) and second["cursor"] == ""
    sent = asking.get(f"/webhooks/{id_}/deliveries", result="sent").json()["deliveries"]
    assert [one["status"] for one in sent] == [200, 200]
    (mine,) = asking.get(f"/webhooks/{id_}/deliveries", event=ids.text(event)).json()["deliveries"]
    assert (mine["result"], mine["said"], mine["took_ms"]) == ("again", "error", 12)
    for name, value in (("result", "maybe"), ("cursor", "x"), ("event", "x"), ("limit", "0")):
        assert asking.get(f"/webhooks/{id_}/deliveries", **{name: value}).status_code == 422


def test_other_scopes_and_other_organisations_find_nothing(machine: Any, cast: Any) -> None:
    mine = machine("webhooks")
    id_ = mine.post("/webhooks", {"url": URL}).json()["id"]
    org = uuid.UUID(bytes=cast.maple)
    acts.record_agreement(org, uuid.UUID(id_), Agreement("B", "2026-01-02", "EHR"), actor=BOOTSTRAP)
    assert mine.get(f"/webhooks/{id_}").json()["personal"] is True
    for who, status in ((machine("send", "events"), 403), (machine("webhooks", org=cast.harbour), 404)):
        assert who.get(f"/webhooks/{id_}").status_code == status
        assert who.patch(f"/webhooks/{id_}", {"name": "x"}).status_code == status
        assert who.delete(f"/webhooks/{id_}").status_code == status
        assert who.get(f"/webhooks/{id_}/deliveries").status_code == status
        for verb in ("rotate", "pause", "resume", "test"):
            assert who.post(f"/webhooks/{id_}/{verb}", {}).status_code == status
        assert who.post(f"/webhooks/{id_}/replay", {"event": ids.text(ids.new())}).status_code == status
    assert machine("webhooks", org=cast.harbour).get("/webhooks").json()["webhooks"] == []
    assert mine.get(f"/webhooks/{id_}").json()["state"] == "live"
