"""How mail leaves, by API: shown, changed, lifted; by keys with the scope alone, each of its own organisation."""

from typing import Any

import pytest

from carepost.ground.errors import Unavailable
from carepost.mailbox import door
from carepost.wire.pacing import HeldBack, LaneView
from tests.support.outbox import office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


class Engine:
    def lanes(self, org: bytes) -> tuple[LaneView, ...]:
        held = HeldBack("suspension", "a pause at Gmail", 1_795_262_400_000_000, "gmail", "", "gmail-rate")
        return (LaneView("gmail", "", 5, 50, 0, 0, 2, held, (("gmail-rate", held.until),)),)


@pytest.fixture(autouse=True)
def engine(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "client", Engine)


def test_what_is_held_back_is_said_with_by_what_and_until_when(machine: Any) -> None:
    (way,) = machine("sending").get("/sending").json()["ways"]
    assert (way["name"], way["connections"], way["busy"]) == ("Gmail and Google Workspace", 5, 2)
    assert way["held"] == {
        "what": "suspension", "words": "a pause at Gmail", "until": 1_795_262_400_000_000, "by": "gmail-rate",
    }  # fmt: skip


def test_pools_addresses_limits_and_lifting(machine: Any) -> None:
    asking = machine("sending")
    made = asking.post("/sending/pools", {"name": "campaigns", "streams": ["bulk"]})
    assert (made.status_code, made.json()["pools"][0]["streams"]) == (201, ["bulk"])
    given = {"ip": "192.0.2.9", "pool": "campaigns", "helo": "out1.maple.test", "usual": 20000}
    assert asking.post("/sending/addresses", given).status_code == 201
    assert asking.post("/sending/addresses", given).status_code == 422
    change = {"ip": "192.0.2.9", "state": "draining", "reason": "moving house"}
    (address,) = asking.post("/sending/addresses/change", change).json()["addresses"]
    assert (address["state"], address["helo"], address["day"]) == ("draining", "out1.maple.test", 1)
    limit = {"provider": "gmail", "connections": 2, "reason": "asked"}
    (own,) = asking.put("/sending/limits", limit).json()["limits"]
    assert (own["limits"]["connections"], own["usual"]["connections"]) == (2, 5)
    assert asking.put("/sending/limits", {"provider": "gmail", "reason": "enough"}).json()["limits"] == []
    assert asking.put("/sending/limits", {"provider": "gmail", "reason": "enough"}).status_code == 404
    assert asking.post("/sending/lift", {"provider": "gmail", "reason": "they agreed"}).status_code == 200
    assert asking.post("/sending/pools/remove", {"name": "campaigns", "reason": "r"}).status_code == 422
    assert asking.post("/sending/addresses/remove", {"ip": "192.0.2.9", "reason": "r"}).json()["addresses"] == []
    assert asking.post("/sending/pools/remove", {"name": "campaigns", "reason": "r"}).json()["pools"] == []


def test_other_scopes_and_other_organisations_see_and_do_nothing(machine: Any, cast: Any) -> None:
    assert machine("messages").get("/sending").status_code == 403
    asking = machine("sending")
    asking.post("/sending/pools", {"name": "campaigns"})
    asking.post("/sending/addresses", {"ip": "192.0.2.9", "pool": "campaigns"})
    assert machine("domains").post("/sending/lift", {"provider": "gmail", "reason": "r"}).status_code == 403
    theirs = machine("sending", org=cast.harbour)
    assert theirs.get("/sending").json()["addresses"] == []
    change = {"ip": "192.0.2.9", "state": "paused", "reason": "r"}
    assert theirs.post("/sending/addresses/change", change).status_code == 404


def test_without_an_engine_the_record_answers(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise Unavailable("no-engine", "No engine answers.")

    monkeypatch.setattr(door, "client", away)
    assert machine("sending").get("/sending").json()["ways"] == []


def test_how_far_ahead_is_read_and_changed_and_told_the_engines(machine: Any, cast: Any) -> None:
    asking = machine("sending")
    assert asking.get("/sending/ahead").json() == {"days": 31, "most": 366}
    assert asking.put("/sending/ahead", {"days": 90, "reason": "appointments of a quarter"}).json()["days"] == 90
    assert asking.put("/sending/ahead", {"days": 90, "reason": "again"}).json()["days"] == 90
    assert asking.get("/sending").json()["ahead_days"] == 90
    (told,) = office_events("sending.ahead-set")
    assert told.facts == {"days": "90", "before": "31"} and told.actor.kind == "key"
    for wrong in ({"days": 0, "reason": "r"}, {"days": 367, "reason": "r"}, {"days": 5}, {"days": 5, "reason": ""}):
        assert asking.put("/sending/ahead", wrong).status_code == 422
    assert machine("send").put("/sending/ahead", {"days": 5, "reason": "r"}).status_code == 403
    assert machine("sending", org=cast.harbour).get("/sending/ahead").json()["days"] == 31
