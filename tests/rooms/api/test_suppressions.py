"""The suppression list by API: scopes, cursor, search, undo, import with a dry run, export."""

import json
import threading
from typing import Any

import pytest

from carepost.ground import clock
from carepost.jobs import work
from carepost.tenancy import scope
from carepost.tenancy.models import Suppression

pytestmark = pytest.mark.django_db(databases=["default", "records"])


#: in the year 2112
ENDS = 2**52


def test_scopes_ends_and_notes(machine: Any) -> None:
    asking = machine("suppressions")
    given = {"address": "Jane@patient.test", "scope": "marketing", "reason": "unsubscribe", "note": "by telephone"}
    assert asking.post("/suppressions", given).status_code == 201
    assert asking.post("/suppressions", given).status_code == 200
    assert asking.post("/suppressions", {"address": "jane@patient.test", "expires_at": ENDS}).status_code == 201
    for passed in (1, clock.now() // 1_000_000, clock.now()):
        refused = asking.post("/suppressions", {"address": "jane@patient.test", "expires_at": passed})
        assert (refused.status_code, refused.json()["type"].rsplit(":", 1)[-1]) == (422, "end-passed")
    assert asking.post("/suppressions", given | {"scope": "some"}).status_code == 422
    found = asking.post("/suppressions/search", {"address": "jane@patient.test"}).json()["suppressions"]
    assert [(r["scope"], r["reason"], r["expires_at"], r["note"], r["source"]) for r in found] == [
        ("all", "request", ENDS, "", "api"), ("marketing", "unsubscribe", 0, "by telephone", "api"),
    ]  # fmt: skip
    undo = {"address": "jane@patient.test", "reason": "she asked", "scope": "marketing"}
    assert asking.post("/suppressions/remove", undo).status_code == 200
    assert asking.post("/suppressions/remove", undo).status_code == 404
    (left,) = asking.get("/suppressions").json()["suppressions"]
    assert left["scope"] == "all"


def test_pages(machine: Any) -> None:
    asking = machine("suppressions")
    for number in range(5):
        asking.post("/suppressions", {"address": f"p{number}@patient.test"})
    first = asking.get("/suppressions?limit=3").json()
    rest = asking.get(f"/suppressions?limit=3&cursor={first['cursor']}").json()
    shown = [row["address"] for row in first["suppressions"] + rest["suppressions"]]
    assert shown == [f"p{number}@patient.test" for number in reversed(range(5))]
    assert rest["cursor"] == ""
    assert asking.get("/suppressions?cursor=none").status_code == 422


CSV = (
    "Email,reason,scope\r\njane@patient.test,bounce,all\r\nJANE@patient.test,bounce,all\r\nmailto:john@patient.test,,\r\n"
    "a@b c,request,all\r\n one@x.test , unsubscribe , marketing\r\ntwo@x.test;three@x.test,,\r\n"
)


def test_bi_106_an_import_is_tried_then_done_and_done_again_changes_nothing(machine: Any) -> None:
    asking = machine("suppressions")

    def bring(query: str = "") -> Any:
        return asking.http.post(
            f"/api/v1/suppressions/import{query}", CSV, content_type="text/csv", headers=asking._key()
        ).json()

    tried = bring("?dry_run=true")
    assert (tried["lines"], tried["failed"], tried["dry_run"]) == (6, 2, True)
    assert [line["line"] for line in tried["wrong"]] == [5, 7]
    assert asking.get("/suppressions").json()["suppressions"] == []
    done = bring()
    assert (done["added"], done["known"]) == (tried["added"], tried["known"])
    listed = {(row["address"], row["scope"]) for row in asking.get("/suppressions").json()["suppressions"]}
    assert {("john@patient.test", "all"), ("one@x.test", "marketing")} < listed
    assert bring()["added"] == 0


def test_the_export_is_lines_that_an_import_takes(machine: Any) -> None:
    asking, other = machine("suppressions"), machine("suppressions")
    for number in range(3):
        asking.post("/suppressions", {"address": f"p{number}@patient.test"})
    answer = asking.http.get("/api/v1/suppressions/export", headers=asking._key())
    whole = b"".join(answer.streaming_content)
    assert [json.loads(line)["address"] for line in whole.splitlines()] == [f"p{n}@patient.test" for n in (2, 1, 0)]
    again = other.http.post(
        "/api/v1/suppressions/import", whole, content_type="application/x-ndjson", headers=other._key()
    ).json()
    assert (again["added"], again["known"], again["failed"]) == (0, 3, 0)


def test_a_key_without_the_scope_sees_and_does_nothing(machine: Any) -> None:
    asking = machine("messages")
    for path in ("/suppressions", "/suppressions/export"):
        assert asking.get(path).status_code == 403
    for path in ("/suppressions/search", "/suppressions/import", "/suppressions/remove"):
        assert asking.post(path, {"address": "jane@patient.test"}).status_code == 403


def raw(asking: Any, path: str, data: bytes, kind: str = "text/csv") -> Any:
    headers = {"Authorization": f"Bearer {asking.secret}"}
    return asking.http.post(f"/api/v1{path}", data, content_type=kind, headers=headers)


def journal() -> None:
    doing = work.Work(threading.Event())
    while doing.step(clock.now()):
        pass


def test_a_large_file_is_tried_and_then_imported_as_a_job(machine: Any, cast: Any) -> None:
    asking = machine("suppressions")
    # more than Django reads of a body by itself
    lines = b"".join(b"person.%d@patients.test,request,%s\n" % (n, b"n" * 400) for n in range(7_000))
    data = b"address,reason,note\nnobody\n" + lines
    assert raw(asking, "/suppressions/import", data).status_code == 413
    begun = raw(asking, "/suppressions/imports?dry_run=true", data)
    assert (begun.status_code, begun.json()["state"], begun.json()["total"]) == (202, "waiting", 7_001)
    at = f"/suppressions/imports/{begun.json()['id']}"
    assert asking.get(f"{at}/problems").status_code == 409
    journal()
    tried = asking.get(at).json()
    assert [tried[name] for name in ("kind", "state", "seen", "made", "known", "wrong")] == [
        "try-suppressions", "done", 7_001, 7_000, 0, 1,
    ]  # fmt: skip
    assert asking.get("/suppressions").json()["suppressions"] == []
    told = b"".join(asking.get(f"{at}/problems").streaming_content).decode()
    assert told.splitlines()[0] == "line,problem" and told.splitlines()[1].startswith("2,")
    done = asking.post(f"{at}/begin", {})
    assert done.status_code == 202 and asking.post(f"{at}/begin", {}).json()["id"] == done.json()["id"]
    doing = work.Work(threading.Event())
    doing.step(clock.now() - work._SPAN_US + 1_000)
    importing = f"/suppressions/imports/{done.json()['id']}"
    assert asking.post(f"{importing}/cancel", {}).json()["state"] == "cancelled"
    assert asking.post(f"{importing}/cancel", {}).status_code == 409
    why = {"reason": "the wrong file"}
    for other in (machine("send"), machine("jobs", "search")):
        assert other.get(at).status_code == 403 and other.post(f"{importing}/undo", why).status_code == 403
    theirs = machine("suppressions", org=cast.harbour)
    assert theirs.get(at).status_code == 404 and theirs.post(f"{at}/begin", {}).status_code == 404
    assert theirs.post(f"{importing}/undo", why).status_code == 404
    made = asking.get(importing).json()["made"]
    assert made and asking.get("/suppressions").json()["suppressions"]
    assert asking.post(f"{at}/undo", why).json()["type"].endswith("job-not-import")
    assert asking.post(f"{importing}/undo", {"reason": ""}).status_code == 422
    undone = asking.post(f"{importing}/undo", why)
    assert (undone.status_code, undone.json()["kind"]) == (202, "undo-suppressions")
    journal()
    assert asking.get(f"/suppressions/imports/{undone.json()['id']}").json()["made"] == made
    assert asking.get("/suppressions").json()["suppressions"] == []


def test_what_ended_is_shown_when_it_is_asked_for(machine: Any) -> None:
    asking = machine("suppressions")
    ends = {"address": "ann@there.test", "reason": "request", "expires_at": clock.now() + 10**9}
    assert asking.post("/suppressions", ends).status_code == 201
    assert asking.post("/suppressions", {"address": "bo@there.test", "reason": "request"}).status_code == 201

    def found(standing: str) -> list[list[str]]:
        told = f"?standing={standing}" if standing else ""
        more = {"standing": standing} if standing else {}
        rows = asking.get(f"/suppressions{told}").json()["suppressions"]
        one = asking.post("/suppressions/search", {"address": "ann@there.test", **more}).json()["suppressions"]
        return [[row["address"] for row in rows], [row["address"] for row in one]]

    ann, bo = "ann@there.test", "bo@there.test"
    assert [found(one) for one in ("", "ended", "all")] == [[[bo, ann], [ann]], [[], []], [[bo, ann], [ann]]]
    with scope.every("the test's own hand"):
        Suppression.objects.filter(expires_at=ends["expires_at"]).update(expires_at=clock.now())
    assert [found(one) for one in ("", "ended", "all")] == [[[bo], []], [[ann], [ann]], [[bo, ann], [ann]]]
    exported = b"".join(asking.get("/suppressions/export").streaming_content).decode()
    assert bo in exported and ann not in exported
    assert asking.get("/suppressions?standing=over").status_code == 422
    assert asking.post("/suppressions/search", {"address": ann, "standing": "over"}).status_code == 422


def test_what_is_no_file_of_addresses_is_refused_at_once(machine: Any) -> None:
    asking = machine("suppressions")
    assert raw(asking, "/suppressions/imports", b"name\nann\n").json()["type"].endswith("import-header")
    assert raw(asking, "/suppressions/imports", b"{}", "application/json").status_code == 415
    assert raw(asking, "/suppressions/imports?dry_run=1", b"address\n").status_code == 422
    assert raw(asking, "/suppressions/imports?reason=whim", b"address\n").status_code == 422
    assert asking.get("/suppressions/imports/01a204cd-bc61-7fff-99f8-8625d37c3ff1").status_code == 404
    assert machine("jobs", "suppressions").post("/jobs", {"kind": "import-suppressions"}).status_code == 422
