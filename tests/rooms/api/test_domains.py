"""Sender domains by API: what DNS says, keys that change where it shows them, the policy served; whose, by whom."""

from collections.abc import Callable
from typing import Any

import pytest

from carepost.rfc.asking import Found, Question, Record

pytestmark = pytest.mark.django_db(databases=["default", "records"])

Machines = Callable[..., Any]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """TXT records by name, as an engine's resolver answers."""
    published: dict[str, str] = {}

    class Engine:
        def ask(self, question: Question) -> Found:
            text = published.get(question.name) if question.record is Record.TXT else None
            return Found(texts=(text.encode(),)) if text else Found()

    monkeypatch.setattr("carepost.mailbox.door.client", Engine)
    return published


def test_a_domain_is_shown_by_its_newest_look(machine: Machines, zone: dict[str, str]) -> None:
    asking = machine("domains")
    before = asking.get("/domains/maple.test").json()
    assert (before["checked_at"], before["records"], len(before["keys"])) == (0, [], 2)
    assert {rule["state"] for rule in before["rules"]} == {"met", "unknown"}
    zone |= {f"{key['selector']}._domainkey.maple.test": key["record"] for key in before["keys"]}
    after = asking.post("/domains/maple.test/check", {}).json()
    assert after["checked_at"] and {r["part"]: r["state"] for r in after["records"]}["dkim"] == "right"
    assert after["wrong"] == sum(r["needed"] and r["state"] in ("missing", "different") for r in after["records"])
    assert asking.get("/domains/maple.test").json() == after
    wanted = {r["name"]: r["wanted"] for r in after["records"]}
    assert wanted["_dmarc.maple.test"] == "v=DMARC1; p=none; rua=mailto:dmarc-reports@maple.test"


def test_keys_change_when_dns_shows_them_and_are_revoked(machine: Machines, zone: dict[str, str]) -> None:
    asking = machine("domains")
    made = asking.post("/domains/maple.test/keys", {"algorithms": ["ed25519-sha256"]})
    assert made.status_code == 201
    (waiting,) = [key for key in made.json()["keys"] if key["phase"] == "next"]
    refused = asking.post("/domains/maple.test/keys/switch", {})
    assert refused.status_code == 409 and refused.json()["type"].endswith("not-shown")
    zone[f"{waiting['selector']}._domainkey.maple.test"] = waiting["record"]
    switched = asking.post("/domains/maple.test/keys/switch", {}).json()
    assert [key["selector"] for key in switched["keys"] if key["phase"] == "active"] == [waiting["selector"]]
    former = next(key["selector"] for key in switched["keys"] if key["phase"] == "old")
    assert asking.post(f"/domains/maple.test/keys/{former}/revoke", {}).status_code == 422
    revoked = asking.post(f"/domains/maple.test/keys/{former}/revoke", {"reason": "leaked"}).json()
    assert [key["phase"] for key in revoked["keys"] if key["selector"] == former] == ["revoked"]
    last = asking.post(f"/domains/maple.test/keys/{waiting['selector']}/revoke", {"reason": "r"})
    assert last.status_code == 409 and last.json()["type"].endswith("last-key")


def test_schedule_and_policy_are_kept(machine: Machines, zone: dict[str, str]) -> None:
    asking = machine("domains")
    changed = asking.patch("/domains/maple.test", {"rotate_days": 180}).json()
    assert (changed["rotate_days"], changed["keep_days"]) == (180, 14)
    assert asking.patch("/domains/maple.test", {"rotate_days": 5}).status_code == 422
    served = asking.put("/domains/maple.test/mta-sts", {"mode": "testing", "mx": ["mx.maple.test"]})
    assert served.json()["mta_sts"] == "testing"
    assert asking.put("/domains/maple.test/mta-sts", {"mode": "strict"}).status_code == 422
    checked = asking.post("/domains/maple.test/check", {}).json()
    sts = next(r for r in checked["records"] if r["part"] == "mta-sts")
    assert (sts["state"], sts["needed"], sts["wanted"][:14]) == ("missing", True, "v=STSv1; id=20")


def test_what_changed_is_told_day_by_day(machine: Machines, zone: dict[str, str]) -> None:
    asking = machine("domains")
    zone["_dmarc.maple.test"] = "v=DMARC1; p=reject"
    asking.post("/domains/maple.test/check", {})
    zone["_dmarc.maple.test"] = "v=DMARC1; p=none"
    asking.post("/domains/maple.test/check", {})
    told = asking.get("/domains/maple.test/history?days=7").json()
    assert (told["domain"], len(told["days"]), told["more"]) == ("maple.test", 7, False)
    assert [day["looked"] for day in told["days"]] == [0] * 6 + [1] and told["days"][-1]["wrong"] > 0
    [change] = [one for one in told["changes"] if one["kind"] == "record"]
    assert (change["name"], change["old"], change["new"], change["weaker"]) == (
        "_dmarc.maple.test", "v=DMARC1; p=reject", "v=DMARC1; p=none", True,
    )  # fmt: skip
    assert len(asking.get("/domains/maple.test/history").json()["days"]) == 84
    for wrong in ("days=0", "days=367", "days=x", "since=1"):
        assert asking.get(f"/domains/maple.test/history?{wrong}").status_code == 422


def test_only_with_the_scope_and_only_ones_own(machine: Machines, cast: Any, zone: dict[str, str]) -> None:
    asks = [
        ("get", "/domains/maple.test", None), ("patch", "/domains/maple.test", {"rotate_days": 180}),
        ("post", "/domains/maple.test/check", {}), ("post", "/domains/maple.test/keys", {}),
        ("post", "/domains/maple.test/keys/switch", {}),
        ("post", "/domains/maple.test/keys/c1/revoke", {"reason": "r"}),
        ("put", "/domains/maple.test/mta-sts", {"mode": "testing", "mx": ["mx.maple.test"]}),
    ]  # fmt: skip
    for who, status in ((machine("send"), 403), (machine("domains", org=cast.harbour), 404)):
        for verb, path, body in asks:
            answer = getattr(who, verb)(path, body) if body is not None else who.get(path)
            assert answer.status_code == status, (verb, path)
