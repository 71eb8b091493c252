"""SendGrid's `/v3/suppression/*` and `/v3/asm/*`: its shapes, our list, our permissions, our events."""

import json
import uuid
from typing import Any

import pytest

from carepost.ground import clock
from carepost.tenancy import scope
from carepost.tenancy.actions import suppression
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.outbox import office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


class Wire:
    """A machine's key at SendGrid's addresses."""

    def __init__(self, machine: Any) -> None:
        self._machine = machine

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        raw = b"" if body is None else json.dumps(body).encode()
        answer = self._machine.http.generic(
            method, f"/v3{path}", raw, content_type="application/json", headers=self._machine._key()
        )
        return answer.status_code, answer.json() if answer.content else None


@pytest.fixture
def wire(machine: Any) -> Any:
    def make(*scopes: str, org: bytes | None = None) -> Wire:
        return Wire(machine(*scopes, org=org))

    return make


@pytest.fixture
def listed(cast: Any) -> dict[str, str]:
    """reason/scope -> address, each on Maple's list."""
    org = uuid.UUID(bytes=cast.maple)
    rows = {
        "bounce": ("gone@patient.test", "bounce", "all", "smtp; 550 5.1.1 no such person"),
        "soft": ("full@patient.test", "soft-bounces", "all", ""),
        "complaint": ("angry@patient.test", "complaint", "marketing", ""),
        "global": ("quiet@patient.test", "unsubscribe", "all", ""),
        "marketing": ("nonews@patient.test", "unsubscribe", "marketing", ""),
        "operational": ("nobills@patient.test", "request", "operational", ""),
    }
    for address, reason, which, note in rows.values():
        suppression.suppress(org, address, actor=BOOTSTRAP, reason=reason, scope=which, note=note)
    return {name: row[0] for name, row in rows.items()}


def test_each_list_has_what_maps_to_it_in_their_shape(wire: Any, listed: dict[str, str]) -> None:
    asking = wire("suppressions")
    status, [bounce] = asking.ask("GET", "/suppression/bounces")
    assert status == 200 and set(bounce) == {"created", "email", "reason", "status"}
    assert (bounce["email"], bounce["status"]) == (listed["bounce"], "5.1.1") and "no such person" in bounce["reason"]
    assert abs(bounce["created"] - clock.now() / 1e6) < 600
    status, [block] = asking.ask("GET", "/suppression/blocks")
    assert block["email"] == listed["soft"] and block["reason"]
    status, [spam] = asking.ask("GET", "/suppression/spam_reports")
    assert (spam["email"], spam["ip"]) == (listed["complaint"], "")
    status, [gone] = asking.ask("GET", "/suppression/unsubscribes")
    assert set(gone) == {"created", "email"} and gone["email"] == listed["global"]
    assert asking.ask("GET", "/suppression/invalid_emails") == (200, [])
    assert asking.ask("GET", "/asm/groups/2/suppressions") == (200, [listed["marketing"]])
    assert asking.ask("GET", "/asm/groups/1/suppressions") == (200, [listed["operational"]])
    status, both = asking.ask("GET", "/asm/suppressions")
    assert {(row["email"], row["group_id"]) for row in both} == {
        (listed["marketing"], 2), (listed["operational"], 1),
    }  # fmt: skip
    # each look is an event that says how many were shown
    assert len(office_events("suppression.listed")) == 8


def test_time_limit_offset_and_address_choose(wire: Any, cast: Any) -> None:
    asking, org = wire("suppressions"), uuid.UUID(bytes=cast.maple)
    for number in range(5):
        suppression.suppress(org, f"p{number}@patient.test", actor=BOOTSTRAP, reason="bounce")

    def shown(query: str) -> list[str]:
        return [row["email"][:2] for row in asking.ask("GET", f"/suppression/bounces?{query}")[1]]

    now = clock.now() // 1_000_000
    assert shown("limit=2") == ["p4", "p3"] and shown("limit=2&offset=3") == ["p1", "p0"]
    assert shown(f"start_time={now - 600}&end_time={now + 600}") == ["p4", "p3", "p2", "p1", "p0"]
    assert shown(f"start_time={now + 600}") == [] and shown(f"end_time={now - 600}") == []
    assert shown("email=P3@patient.test") == ["p3"]
    for wrong in ("limit=501", "offset=x", "start_time=-1", "email=p3%25", "unheard=1"):
        status, answer = asking.ask("GET", f"/suppression/bounces?{wrong}")
        assert status == 400 and answer["errors"][0]["message"]


def test_an_entry_whose_end_has_passed_is_on_no_list(wire: Any, listed: dict[str, str], cast: Any) -> None:
    """SendGrid has no end: a program would go on keeping back what is sent again here."""
    asking, org = wire("suppressions"), uuid.UUID(bytes=cast.maple)
    now = clock.now()
    for address, end in (("soon@patient.test", now + 60_000_000), ("later@patient.test", now + 3_600_000_000)):
        suppression.suppress(org, address, actor=BOOTSTRAP, reason="bounce", expires_at=end)

    def shown() -> set[str]:
        return {row["email"].partition("@")[0] for row in asking.ask("GET", "/suppression/bounces")[1]}

    assert shown() == {"gone", "soon", "later"}
    clock.set_source(lambda: now + 60_000_000)
    try:
        assert shown() == {"gone", "later"}
        assert asking.ask("GET", "/suppression/bounces/soon@patient.test") == (200, [])
        assert asking.ask("GET", "/suppression/bounces/later@patient.test")[1][0]["email"] == "later@patient.test"
    finally:
        clock.set_source(None)


def test_one_is_shown_and_taken_off_and_nothing_else_with_it(wire: Any, listed: dict[str, str], cast: Any) -> None:
    asking, org = wire("suppressions"), uuid.UUID(bytes=cast.maple)
    address = listed["bounce"]
    suppression.suppress(org, address, actor=BOOTSTRAP, reason="unsubscribe", scope="marketing")
    assert asking.ask("GET", f"/suppression/bounces/{address}")[1][0]["email"] == address
    assert asking.ask("GET", f"/suppression/blocks/{address}") == (200, [])
    assert asking.ask("DELETE", f"/suppression/blocks/{address}")[0] == 404
    assert asking.ask("DELETE", f"/suppression/bounces/{address}?email_address={address}") == (204, None)
    assert asking.ask("GET", f"/suppression/bounces/{address}") == (200, [])
    # who wants no marketing mail did not say that they want it again
    assert address in asking.ask("GET", "/asm/groups/2/suppressions")[1]
    assert len(office_events("suppression.removed")) == 1


def test_many_and_all_are_taken_off(wire: Any, cast: Any, listed: dict[str, str]) -> None:
    asking, org = wire("suppressions"), uuid.UUID(bytes=cast.maple)
    for number in range(4):
        suppression.suppress(org, f"p{number}@patient.test", actor=BOOTSTRAP, reason="bounce")
    some = {"delete_all": False, "emails": ["p1@patient.test", "P2@patient.test", "nobody@patient.test"]}
    assert asking.ask("DELETE", "/suppression/bounces", some) == (204, None)
    left = [row["email"] for row in asking.ask("GET", "/suppression/bounces")[1]]
    assert left == ["p3@patient.test", "p0@patient.test", listed["bounce"]]
    for wrong in ({}, {"delete_all": True, "emails": ["a@b.test"]}, {"emails": ["no address"]}):
        status, answer = asking.ask("DELETE", "/suppression/bounces", wrong)
        assert status == 400 and "no address" not in json.dumps(answer)
    assert asking.ask("DELETE", "/suppression/bounces", {"delete_all": True}) == (204, None)
    assert asking.ask("GET", "/suppression/bounces") == (200, [])
    assert asking.ask("GET", "/suppression/spam_reports")[1]


def test_null_says_no_more_than_leaving_out(wire: Any, listed: dict[str, str]) -> None:
    asking = wire("suppressions")
    # nothing is chosen by null: it must not read as "all"
    assert asking.ask("DELETE", "/suppression/bounces", {"emails": None, "delete_all": None})[0] == 400
    given = {"emails": [listed["bounce"]], "delete_all": None}
    assert asking.ask("DELETE", "/suppression/bounces", given)[0] == 204
    assert asking.ask("GET", "/suppression/bounces")[1] == []


def test_global_and_groups_are_added_searched_and_left(wire: Any, cast: Any) -> None:
    asking = wire("suppressions")
    two = {"recipient_emails": ["ann@patient.test", "Bo@patient.test", "ann@patient.test"]}
    assert asking.ask("POST", "/asm/suppressions/global", two) == (
        201, {"recipient_emails": ["ann@patient.test", "Bo@patient.test"]},
    )  # fmt: skip
    assert asking.ask("GET", "/asm/suppressions/global/bo@patient.test")[1]["recipient_email"].lower() == (
        "bo@patient.test"
    )
    assert asking.ask("GET", "/asm/suppressions/global/cy@patient.test") == (200, {})
    # a slash is a letter of a local part (RFC 5321 4.1.2)
    assert asking.ask("POST", "/asm/suppressions/global", {"recipient_emails": ["a/b@patient.test"]})[0] == 201
    for path in ("a/b@patient.test", "a%2Fb@patient.test"):
        assert asking.ask("GET", f"/asm/suppressions/global/{path}") == (200, {"recipient_email": "a/b@patient.test"})
    assert asking.ask("DELETE", "/asm/suppressions/global/a%2Fb@patient.test") == (204, None)
    assert asking.ask("DELETE", "/asm/suppressions/global/bo@patient.test") == (204, None)
    assert asking.ask("DELETE", "/asm/suppressions/global/bo@patient.test")[0] == 404
    assert asking.ask("POST", "/asm/groups/2/suppressions", two)[0] == 201
    asked = {"recipient_emails": ["ann@patient.test", "nobody@patient.test"]}
    assert asking.ask("POST", "/asm/groups/2/suppressions/search", asked) == (200, ["ann@patient.test"])
    found = asking.ask("GET", "/asm/suppressions/ann@patient.test")[1]["suppressions"]
    assert [(one["id"], one["suppressed"]) for one in found] == [(1, False), (2, True)]
    assert asking.ask("DELETE", "/asm/groups/2/suppressions/ann@patient.test") == (204, None)
    assert [(one["id"], one["unsubscribes"]) for one in asking.ask("GET", "/asm/groups")[1]] == [(1, 0), (2, 1)]
    assert asking.ask("GET", "/asm/groups/2")[1]["name"] == "Marketing"
    for method, path in (("POST", "/asm/groups"), ("DELETE", "/asm/groups/1"), ("POST", "/asm/suppressions/global")):
        assert asking.ask(method, path, {"recipient_emails": []})[0] == 400
    for path in ("/asm/groups/3", "/asm/groups/3/suppressions", "/suppression/letters", "/suppression/a/b/c"):
        status, answer = asking.ask("GET", path)
        assert status == 404 and answer["errors"][0]["message"]


def test_another_organisation_sees_and_touches_nothing(wire: Any, listed: dict[str, str], cast: Any) -> None:
    stranger = wire("suppressions", org=cast.harbour)
    for kind, name in (("bounces", "bounce"), ("unsubscribes", "global")):
        assert stranger.ask("GET", f"/suppression/{kind}") == (200, [])
        assert stranger.ask("DELETE", f"/suppression/{kind}/{listed[name]}")[0] == 404
        assert stranger.ask("DELETE", f"/suppression/{kind}", {"delete_all": True}) == (204, None)
    with scope.every("the test's own eyes"):
        assert len(wire("suppressions").ask("GET", "/suppression/bounces")[1]) == 1


def test_a_key_without_the_scope_and_none_at_all_in_their_shape(wire: Any, listed: dict[str, str]) -> None:
    asking = wire("messages")
    for method, path, body in (
        ("GET", "/suppression/bounces", None), ("GET", f"/asm/suppressions/global/{listed['global']}", None),
        ("DELETE", f"/suppression/bounces/{listed['bounce']}", None),
        ("POST", "/asm/suppressions/global", {"recipient_emails": ["a@patient.test"]}),
    ):  # fmt: skip
        status, answer = asking.ask(method, path, body)
        assert status == 403 and "suppressions" in answer["errors"][0]["message"]
    asking._machine.secret = ""
    status, answer = asking.ask("GET", "/suppression/bounces")
    assert status == 401 and set(answer["errors"][0]) == {"message", "field", "help"}
