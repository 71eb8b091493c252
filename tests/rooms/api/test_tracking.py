"""Opens and clicks by API: off, on with an attestation, what counts, figures, and no other organisation's."""

from typing import Any

import pytest

pytestmark = pytest.mark.django_db(databases=["default", "records"])

VOUCHED = "M. Heron, administrator: newsletters to all subscribers, nothing about anybody's care."
ON = {"opens": "on", "clicks": "asked", "attestation": VOUCHED, "reason": "news"}


def watched(asking: Any) -> dict[str, tuple[str, str]]:
    return {one["category"]: (one["opens"], one["clicks"]) for one in asking.get("/tracking").json()["watched"]}


def test_off_until_somebody_vouches(machine: Any) -> None:
    asking = machine("tracking")
    assert set(watched(asking).values()) == {("off", "off")}
    refused = asking.put("/tracking/categories/marketing", ON | {"attestation": ""})
    assert (refused.status_code, "vouches" in refused.json()["detail"]) == (422, True)
    assert asking.put("/tracking/categories/marketing", ON).status_code == 200
    assert watched(asking)["marketing"] == ("on", "asked")
    assert asking.put("/tracking/categories/system", ON).status_code == 404
    assert asking.put("/tracking/categories/marketing", ON | {"opens": "always"}).status_code == 422


def test_what_counts_and_hosts(machine: Any) -> None:
    asking = machine("tracking")
    assert asking.get("/tracking").json()["counts"] == "not-automated"
    assert asking.put("/tracking/counts", {"counts": "human", "reason": "r"}).json()["counts"] == "human"
    assert asking.put("/tracking/counts", {"counts": "some", "reason": "r"}).status_code == 422
    host = {"host": "link.maple.test", "reason": "r"}
    assert asking.put("/tracking/hosts/maple.test", host).json()["hosts"] == {"maple.test": "link.maple.test"}
    assert asking.put("/tracking/hosts/maple.test", host | {"host": "t.thirdparty.example"}).status_code == 422
    assert asking.put("/tracking/hosts/other.test", host).status_code == 404
    assert asking.put("/tracking/hosts/maple.test", host | {"host": ""}).json()["hosts"] == {}


def test_networks_one_knows(machine: Any) -> None:
    asking = machine("tracking")
    assert asking.get("/tracking").json()["networks"] == []
    given = {"network": "192.0.2.0/24", "means": "scanner", "note": "our gateway", "reason": "known"}
    (named,) = asking.put("/tracking/networks", given).json()["networks"]
    assert (named["network"], named["means"], named["note"]) == ("192.0.2.0/24", "scanner", "our gateway")
    for wrong in ({"means": "person"}, {"network": "192.0.2.1/24"}, {"reason": ""}):
        assert asking.put("/tracking/networks", given | wrong).status_code == 422
    assert asking.put("/tracking/networks", given | {"means": ""}).json()["networks"] == []
    assert asking.put("/tracking/networks", given | {"means": ""}).status_code == 404


def test_a_report_of_numbers(machine: Any) -> None:
    asking = machine("tracking")
    empty = {"sent": 0, "human": 0, "undetermined": 0, "automated": 0, "counted": 0}
    expected = {"counts": "all", "lines": [], "opened": empty, "clicked": empty}
    assert asking.get("/tracking/report?counts=all&days=7&category=marketing").json() == expected
    for query in ("days=0", "days=x", "days=401", "category=system", "counts=some", "page=1"):
        assert asking.get(f"/tracking/report?{query}").status_code == 422


@pytest.mark.parametrize("scope", ["send", "messages", "webhooks"])
def test_a_key_without_the_scope_sees_and_changes_nothing(machine: Any, scope: str) -> None:
    asking = machine(scope)
    assert asking.get("/tracking").status_code == 403
    assert asking.get("/tracking/report").status_code == 403
    assert asking.put("/tracking/categories/marketing", ON).status_code == 403
    network = {"network": "192.0.2.0/24", "means": "scanner", "reason": "r"}
    assert asking.put("/tracking/networks", network).status_code == 403
