"""Jobs over the API, and the log's events opened for who may read."""

import json
import threading
import uuid
from typing import Any

import pytest

from carepost.ground import clock
from carepost.jobs import work
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def test_an_export_from_its_beginning_to_its_fetching(machine: Any, cast: Any, outbox: Outbox) -> None:
    outbox.accepted(cast.maple, tags=("recall",))
    outbox.accepted(cast.maple)
    outbox.commit()
    asking = machine("jobs", "search", "messages")
    made = asking.post("/jobs", {"kind": "export-messages", "search": {"tag": "recall"}})
    assert made.status_code == 202 and made.json()["state"] == "waiting"
    at = f"/jobs/{made.json()['id']}"
    assert asking.get(f"{at}/result").status_code == 409
    work.Work(threading.Event()).step(clock.now())
    assert (asking.get(at).json()["state"], asking.get(at).json()["made"]) == ("done", 1)
    answer = asking.get(f"{at}/result")
    lines = b"".join(answer.streaming_content).splitlines()
    assert answer["Content-Type"] == "application/x-ndjson" and answer["Cache-Control"] == "no-store"
    assert [json.loads(line)["subject"] for line in lines] == ["Results of the Quillfeather panel"]
    assert [j["id"] for j in asking.get("/jobs").json()["jobs"]] == [made.json()["id"]]
    assert asking.post(f"{at}/cancel", {}).status_code == 409
    assert len(office_events("job.fetched")) == 1


def test_a_key_needs_the_scope_of_the_act_too(machine: Any, cast: Any) -> None:
    weak = machine("jobs", "search")
    asked = {"kind": "retract", "search": {"tag": "recall"}}
    assert weak.post("/jobs", asked).status_code == 403
    assert machine("retract", "search").post("/jobs", asked).status_code == 403
    strong = machine("jobs", "search", "retract")
    made = strong.post("/jobs", asked)
    assert made.status_code == 202
    assert strong.post("/jobs", {"kind": "retract"}).status_code == 422
    assert strong.post("/jobs", {**asked, "search": {"state": "lost"}}).status_code == 422
    stranger, at = machine(org=cast.harbour), f"/jobs/{made.json()['id']}"
    answers = [stranger.get(at), stranger.post(f"{at}/cancel", {}), stranger.get(f"{at}/result")]
    assert {a.status_code for a in answers} == {404} and stranger.get("/jobs").json() == {"jobs": []}
    assert strong.post(f"{at}/cancel", {}).json()["state"] == "cancelled"


def test_events_are_opened_on_record_and_only_for_who_may_read(machine: Any, cast: Any, outbox: Outbox) -> None:
    outbox.accepted(cast.maple)
    outbox.commit()
    auditor, reader = machine("events"), machine("events", "messages")
    assert b"quillfeather" not in auditor.get("/events").content
    assert auditor.get("/events", open="yes").status_code == 403
    assert reader.get("/events", open="no").status_code == 422
    opened = reader.get("/events", open="yes").json()["events"]
    assert {e["opened"]["recipient"] for e in opened if "recipient" in e.get("opened", {})} == {
        "jane.quillfeather@patient.test"
    }
    assert [e.facts for e in office_events("audit.events-opened")] == [{"count": str(len(opened))}]


def test_sending_again_needs_three_scopes_and_says_who_is_left_out(machine: Any, cast: Any, outbox: Outbox) -> None:
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.deferred(cast.maple, message, delivery)
    outbox.commit()
    at = f"/messages/{uuid.UUID(bytes=message)}/resend"
    for scopes in (("send", "messages"), ("send", "held"), ("messages", "held")):
        assert machine(*scopes).post(at, {"reason": "lost"}).status_code == 403
    asking = machine("send", "messages", "held")
    answer = asking.post(at, {"reason": "lost"})
    assert (answer.status_code, answer.json()) == (
        202, {"id": "", "deliveries": [], "left_out": {str(uuid.UUID(bytes=delivery)): "deferred"}},
    )  # fmt: skip
    assert machine("send", "messages", "held", org=cast.harbour).post(at, {}).status_code == 404
    assert asking.post(at, {"unheard": 1}).status_code == 422
