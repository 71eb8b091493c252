"""Domains, suppression, keys, the log's events, retraction, and what is open to all."""

from typing import Any
from uuid import UUID

import pytest

from carepost.audit import sequencer
from carepost.ground import clock, ids
from carepost.proof.note import VerifierKey
from carepost.tenancy.actions import domains
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def test_domains_are_listed_with_their_records_and_added(machine: Any, cast: Any) -> None:
    asking = machine("domains")
    domains.add_domain(UUID(bytes=cast.harbour), "only-harbour.test", actor=BOOTSTRAP)
    made = asking.post("/domains", {"domain": "Lab.Maple.test"})
    assert made.status_code == 201
    found = {d["domain"]: d["dkim"] for d in asking.get("/domains").json()["domains"]}
    assert "only-harbour.test" not in found
    assert len(found["lab.maple.test"]) == 2
    assert all(record["value"].startswith("v=DKIM1") for record in found["lab.maple.test"])
    assert [e.actor.kind for e in office_events("domain.added") if e.facts["domain"] == "lab.maple.test"] == ["key"]
    assert asking.post("/domains", {"domain": "no domain"}).status_code == 422


def test_suppression_comes_and_goes_and_its_list_is_an_event(machine: Any) -> None:
    asking = machine("suppressions")
    assert asking.post("/suppressions", {"address": "jane@patient.test"}).status_code == 201
    assert asking.post("/suppressions", {"address": "jane@patient.test"}).status_code == 200
    (one,) = asking.get("/suppressions").json()["suppressions"]
    assert (one["address"], one["reason"]) == ("jane@patient.test", "request")
    (event,) = office_events("suppression.listed")
    assert event.facts == {"count": "1"}
    gone = asking.post("/suppressions/remove", {"address": "jane@patient.test", "reason": "she asked"})
    assert gone.json() == {"changed": True}
    assert asking.get("/suppressions").json()["suppressions"] == []
    assert asking.post("/suppressions/remove", {"address": "jane@patient.test", "reason": "x"}).status_code == 404
    assert asking.post("/suppressions", {"address": "jane@patient.test", "reason": "whim"}).status_code == 422


def test_another_organisation_sees_none_of_it(machine: Any, cast: Any) -> None:
    machine().post("/suppressions", {"address": "jane@patient.test"})
    stranger = machine(org=cast.harbour)
    assert stranger.get("/suppressions").json()["suppressions"] == []
    assert [d["domain"] for d in stranger.get("/domains").json()["domains"]] == ["harbour.test"]
    assert len(stranger.get("/keys").json()["keys"]) == 1


def test_a_key_makes_and_revokes_keys_of_no_more_than_itself(machine: Any) -> None:
    asking = machine("keys", "search")
    made = asking.post("/keys", {"name": "reports", "scopes": ["search"]})
    assert made.status_code == 201
    child = machine("search")
    child.secret = made.json()["secret"]
    assert child.get("/messages").status_code == 200
    assert asking.post("/keys", {"name": "more", "scopes": ["proof"]}).status_code == 403
    assert asking.post("/keys", {"name": "odd", "scopes": ["everything"]}).status_code == 422
    listed = asking.get("/keys").json()["keys"]
    assert made.json()["id"] in {key["id"] for key in listed}
    assert "secret" not in str(listed)
    assert asking.delete(f"/keys/{made.json()['id']}").status_code == 204
    assert child.get("/messages").status_code == 401
    assert asking.delete(f"/keys/{ids.text(ids.new())}").status_code == 404


def test_events_are_the_log_itself_in_order_and_nothing_personal(machine: Any, cast: Any, outbox: Outbox) -> None:
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.sent(cast.maple, message, delivery)
    outbox.accepted(cast.harbour)
    outbox.commit()
    asking = machine("events")
    first = asking.get("/events", limit="3").json()
    rest = asking.get("/events", cursor=first["cursor"]).json()
    found = first["events"] + rest["events"]
    assert [e["index"] for e in found] == [0, 1, 2, 3]
    assert [e["event"]["kind"] for e in found] == [
        "message.accepted", "delivery.queued", "delivery.attempted", "delivery.sent",
    ]  # fmt: skip
    assert {e["event"]["org"] for e in found} == {ids.text(cast.maple)}
    assert rest["cursor"] == ""
    assert "quillfeather" not in str(found).lower()
    assert asking.get("/events", cursor="-1").status_code == 422


class Engine:
    def __init__(self) -> None:
        self.acts: list[tuple[Any, ...]] = []

    def act(self, verb: str, org: bytes, deliveries: tuple[bytes, ...], actor: Any, reason: str) -> dict[str, str]:
        self.acts.append((verb, org, deliveries, actor.kind, reason))
        return {ids.text(one): "failed" for one in deliveries}


def test_retraction_asks_the_engine_for_what_waits_and_not_for_what_left(
    machine: Any, cast: Any, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, (gone, waiting) = outbox.accepted(cast.maple, ("jane@patient.test", "joan@patient.test"))
    outbox.sent(cast.maple, message, gone)
    outbox.commit()
    engine = Engine()
    monkeypatch.setattr("carepost.archive.engine.client", lambda: engine)
    asking = machine("retract")
    answer = asking.post(f"/messages/{ids.text(message)}/retract", {"reason": "sent to the wrong person"})
    assert answer.json() == {"deliveries": {ids.text(gone): "not-possible", ids.text(waiting): "retracted"}}
    assert engine.acts == [("retract", cast.maple, (waiting,), "key", "sent to the wrong person")]
    other = asking.post(f"/messages/{ids.text(message)}/retract", {"deliveries": [ids.text(ids.new(1))]})
    assert other.status_code == 404


def test_the_contract_and_the_log_keys_are_open(machine: Any, cast: Any, outbox: Outbox) -> None:
    outbox.accepted(cast.maple)
    outbox.commit()
    asking = machine()
    asking.secret = ""
    paths = asking.get("/openapi.json").json()["paths"]
    assert set(paths["/api/v1/messages"]) == {"get", "post"}
    term, key = asking.http.get("/.well-known/carepost-log").content.decode().splitlines()
    assert term.startswith("# since 0 at ")
    assert VerifierKey.parse(key).name == sequencer.origin(cast.maple)


def test_a_key_is_limited_and_what_it_asks_is_counted(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """BI-084: one key cannot take the office for itself."""
    asking, now = machine("keys", "search"), [1000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    made = asking.post("/keys", {"name": "reports", "scopes": ["search"]}).json()
    assert asking.patch(f"/keys/{made['id']}", {"per_minute": 2}).status_code == 204
    assert asking.patch(f"/keys/{ids.text(ids.new())}", {"per_minute": 2}).status_code == 404
    assert asking.patch(f"/keys/{made['id']}", {"per_minute": -1}).status_code == 422
    child = machine("search")
    child.secret = made["secret"]
    first = child.get("/messages")
    assert first.headers["RateLimit-Policy"] == '"office";q=2;w=60'
    assert first.headers["RateLimit"] == '"office";r=1;t=30'
    assert child.get("/messages").status_code == 200
    over = child.get("/messages")
    assert over.status_code == 429 and over.headers["Retry-After"] == "30"
    assert over.json()["type"].endswith(":quota") and "search" not in over.content.decode()
    assert asking.get("/messages").status_code == 200, "another key is not slowed"
    now[0] += 30
    assert child.get("/messages").status_code == 200
