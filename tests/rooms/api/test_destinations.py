"""Destinations by API: pages, one with its history, pins; scopes, and other organisations."""

import uuid
from typing import Any

import pytest

from carepost.destinations import merging
from carepost.destinations.models import Alert, Destination
from carepost.directory.types import HOLD
from carepost.policy.types import Assurance
from carepost.posture import Record
from carepost.tenancy import scope, select
from tests.rooms.tenancy.conftest import eyes
from tests.support.outbox import office_events
from tests.support.sides import NOON, certificate, counted, host, record

__all__ = ["eyes"]

pytestmark = pytest.mark.django_db(databases=["default", "records"])

KEY = "ab" * 32
PIN = {"domain": "lab.test", "host": "mx.lab.test", "keys": [KEY], "reason": "agreed with the lab by telephone"}


def met(org: bytes, domain: str = "lab.test", found: Record | None = None) -> str:
    merging.count(counted(org, domain), {domain: found or record(domain)}.get)
    with scope.every("the test's own eyes"):
        return str(Destination.objects.get(org_id=uuid.UUID(bytes=org), domain=domain).pk)


def weaken(domain: str = "lab.test") -> None:
    lost = host(f"mx.{domain}", tls="none", assurance=Assurance.NONE, fault="no-tls", certificate=None, at=2 * NOON)
    merging.take(record(domain, lost, lost_at=1))


def test_pages_by_domain_a_search_and_what_needs_somebody(machine: Any, cast: Any) -> None:
    asking = machine("destinations")
    for number in (3, 0, 4, 1, 2):
        met(cast.maple, f"lab{number}.test")
    weaken("lab2.test")
    first = asking.get("/destinations?limit=3").json()
    rest = asking.get(f"/destinations?limit=3&cursor={first['cursor']}").json()
    rows = first["destinations"] + rest["destinations"]
    assert [row["domain"] for row in rows] == [f"lab{number}.test" for number in range(5)]
    assert first["cursor"] == rows[2]["id"] and rest["cursor"] == ""
    assert asking.get("/destinations?limit=5").json()["cursor"] == "", "nothing follows a page that is just full"
    assert {row["assurance"] for row in rows if row["domain"] != "lab2.test"} == {"verified"}
    (bad,) = asking.get("/destinations?attention=yes").json()["destinations"]
    assert (bad["domain"], bad["weakened"], bad["words"], bad["alerts"]) == (
        "lab2.test",
        "tls-lost",
        "Lost encryption",
        1,
    )
    assert asking.post("/destinations/search", {"domain": "LAB3"}).json()["destinations"] == [rows[3]]
    assert asking.post("/destinations/search", {"domain": "%"}).json()["destinations"] == []


def test_one_tells_its_servers_its_history_its_sessions_and_its_alerts(machine: Any, cast: Any) -> None:
    asking = machine("destinations", "held")
    row = met(cast.maple, found=record("lab.test", host("mx.lab.test", certificate=certificate())))
    weaken()
    found = asking.get(f"/destinations/{row}").json()
    assert found["line"]["domain"] == "lab.test" and found["pin"] is None
    (server,) = found["hosts"]
    assert (server["host"], server["assurance"], server["fault"]) == ("mx.lab.test", "none", "no-tls")
    assert found["changes"][0]["weaker"] and found["changes"][-1]["what"] == "First met"
    assert found["in_order"] + sum(found["failed"].values()) > 0
    assert [one["what"] for one in found["alerts"]] == ["Weaker"]
    assert asking.post(f"/destinations/{row}/seen", {}).status_code == 204
    assert asking.get(f"/destinations/{row}").json()["alerts"] == []
    (event,) = office_events("destination.alerts-seen")
    assert event.actor.kind == "key" and event.facts == {"domain": "lab.test", "count": "1"}


def test_a_next_hop_is_pinned_replaced_and_let_go_with_or_without_having_been_met(machine: Any, cast: Any) -> None:
    asking, reading = machine("routes"), machine("destinations")
    row = met(cast.maple)
    made = asking.post("/destinations/pin", PIN)
    assert made.status_code == 200
    pin = made.json()
    assert pin == {
        "domain": "lab.test", "host": "mx.lab.test", "port": 25, "ca": "", "keys": [KEY], "otherwise": "hold",
        "reason": PIN["reason"], "at": pin["at"],
    }  # fmt: skip
    assert (
        asking.post("/destinations/pin", PIN | {"domain": "new.test", "otherwise": "next", "port": 26}).json()["port"]
        == 26
    )
    assert reading.get(f"/destinations/{row}").json()["pin"] == pin
    assert reading.get(f"/destinations/{row}").json()["line"]["pinned"] is True
    assert [one["domain"] for one in reading.get("/destinations/pins").json()["pins"]] == ["lab.test", "new.test"]
    asking.post("/destinations/pin", PIN | {"host": "mx2.lab.test"})
    org = uuid.UUID(bytes=cast.maple)
    with scope.organisation(org):
        known = {route.domain: (route.host, route.otherwise) for route in select.routes(org)}
    assert known == {"lab.test": ("mx2.lab.test", HOLD), "new.test": ("mx.lab.test", "")}
    for name in ("lab.test", "new.test"):
        assert asking.post("/destinations/unpin", {"domain": name, "reason": "over"}).status_code == 204
    assert asking.post("/destinations/unpin", {"domain": "lab.test", "reason": "over"}).status_code == 404
    assert reading.get("/destinations/pins").json()["pins"] == []
    assert [len(office_events(kind)) for kind in ("route.added", "route.removed")] == [3, 2]
    assert {event.actor.kind for event in office_events("route.added")} == {"key"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "10.0.0.1\r\nX: y"}, {"host": ""}, {"port": 0}, {"port": 70_000}, {"ca": "no certificate"},
        {"keys": ["short"]}, {"keys": [KEY] * 9}, {"otherwise": "clear"}, {"reason": ""}, {"domain": "not a domain"},
        {"more": 1},
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_wrong_is_refused_and_pins_nothing(machine: Any, wrong: dict[str, object]) -> None:
    answer = machine("routes").post("/destinations/pin", PIN | wrong)
    assert answer.status_code == 422, answer.content
    assert b"lab.test" not in answer.content and office_events("route.added") == []


def test_queries_are_judged(machine: Any, cast: Any) -> None:
    asking = machine("destinations")
    for path in ("?cursor=none", "?attention=no", "?limit=0", "?limit=201", "?domain=lab.test"):
        assert asking.get(f"/destinations{path}").status_code == 422, path
    assert asking.get(f"/destinations?cursor={uuid.uuid4()}").status_code == 404
    assert asking.get(f"/destinations/{uuid.uuid4()}").status_code == 404
    assert asking.post("/destinations/search", {"domain": ""}).status_code == 422


def test_each_scope_does_its_own_and_other_organisations_see_and_change_nothing(machine: Any, cast: Any) -> None:
    row = met(cast.maple)
    weaken()
    mine, harbour = machine("destinations", "routes", "held"), machine(org=cast.harbour)
    assert mine.post("/destinations/pin", PIN).status_code == 200
    assert harbour.get("/destinations").json()["destinations"] == []
    assert harbour.post("/destinations/search", {"domain": "lab"}).json()["destinations"] == []
    assert harbour.get("/destinations/pins").json()["pins"] == []
    assert harbour.get(f"/destinations?cursor={row}").status_code == 404
    assert harbour.get(f"/destinations/{row}").status_code == 404
    assert harbour.post(f"/destinations/{row}/seen", {}).status_code == 404
    assert harbour.post("/destinations/unpin", {"domain": "lab.test", "reason": "r"}).status_code == 404
    reads, pins = machine("destinations"), machine("routes")
    for asking, path in ((reads, "pin"), (reads, "unpin"), (pins, "search")):
        assert asking.post(f"/destinations/{path}", PIN).status_code == 403
    assert reads.post(f"/destinations/{row}/seen", {}).status_code == 403
    for path in ("", "/pins", f"/{row}"):
        assert pins.get(f"/destinations{path}").status_code == 403
        assert machine("sending", "domains").get(f"/destinations{path}").status_code == 403
    assert mine.get(f"/destinations/{row}").json()["pin"]["host"] == "mx.lab.test"
    with scope.organisation(uuid.UUID(bytes=cast.maple)):
        assert Alert.objects.filter(seen_at=0).count() == 1
    assert len(office_events("route.added")) == 1 and office_events("route.removed") == []
