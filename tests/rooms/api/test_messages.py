"""The API reads history: with a key, a scope, an event, and the same 404 for absent and another organisation's."""

import base64
from typing import Any
from uuid import UUID

import pytest

from carepost.ground import ids
from carepost.proof import kinds, note
from carepost.proof.note import Checkpoint
from carepost.proof.verify import verify
from carepost.tenancy import scope
from carepost.tenancy.actions import access, organisations, staff
from carepost.tenancy.models import ApiKey
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


@pytest.fixture
def sent(cast: Any, outbox: Outbox) -> tuple[str, str]:
    message, (delivery,) = outbox.accepted(cast.maple, tags=("panel",))
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    return ids.text(message), ids.text(delivery)


def test_a_message_with_its_deliveries(machine: Any, sent: tuple[str, str]) -> None:
    answer = machine("messages").get(f"/messages/{sent[0]}")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["id"], found["subject"]) == (sent[0], "Results of the Quillfeather panel")
    (one,) = found["deliveries"]
    assert (one["id"], one["state"], one["method"], one["assurance"]) == (sent[1], "sent", "tls", "VERIFIED")
    assert one["attempts"][0]["reply"] == "250 2.0.0 Taken"
    (event,) = office_events(kinds.MESSAGE_VIEWED)
    assert (event.actor.kind, event.on) == ("key", [sent[0]])


def test_every_answer_names_the_latest_checkpoint(machine: Any, sent: tuple[str, str]) -> None:
    """DESIGN 4: checkpoints are kept elsewhere without anyone's care."""
    asking = machine()
    for answer in (asking.get(f"/messages/{sent[0]}"), asking.get("/messages"), asking.get("/nothing/here")):
        if "Carepost-Checkpoint" not in answer:
            assert answer.status_code == 404
            continue
        signed = note.parse(base64.b64decode(answer["Carepost-Checkpoint"]))
        assert Checkpoint.parse(signed.text).size == 4
        assert answer["Cache-Control"] == "no-store"


def test_absent_and_another_organisations_answer_alike(machine: Any, cast: Any, sent: tuple[str, str]) -> None:
    """BI-089, HS-30."""
    stranger, own = machine(org=cast.harbour), machine()
    for path in ("/messages/{}", "/messages/{}/proof?delivery=" + sent[1]):
        theirs = stranger.get(path.format(sent[0]))
        absent = own.get(path.format(ids.text(ids.new(1))))
        assert (theirs.status_code, theirs.content) == (absent.status_code, absent.content)
        assert theirs.status_code == 404
    refused = stranger.post(f"/messages/{sent[0]}/retract", {})
    assert (refused.status_code, refused.content) == (404, absent.content)
    assert office_events(kinds.MESSAGE_VIEWED) == []
    assert stranger.get("/messages").json() == {"messages": [], "cursor": "", "back_to": 0}


@pytest.mark.parametrize(
    ("scopes", "method", "path"),
    [
        (("search", "proof"), "get", "/messages/{}"),
        (("messages", "search"), "get", "/messages/{}/proof"),
        (("send",), "get", "/messages"),
        (("send",), "post", "/messages/search"),
        (("messages",), "post", "/messages/{}/retract"),
        (("send",), "get", "/domains"),
        (("send",), "get", "/suppressions"),
        (("send",), "get", "/keys"),
        (("send",), "get", "/events"),
    ],
)
def test_a_key_without_the_scope_gets_nothing(machine: Any, sent: Any, scopes: Any, method: str, path: str) -> None:
    asking = machine(*scopes)
    path = path.format(sent[0])
    answer = asking.get(path) if method == "get" else asking.post(path, {})
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:carepost:problem:scope"


def test_without_a_good_key_nothing_is_answered(machine: Any, cast: Any, sent: Any) -> None:
    good = machine("messages")
    wrong = good.secret[:-1] + ("A" if good.secret[-1] != "A" else "B")
    for secret in ("", "nonsense", wrong, good.secret.split(".")[0] + ".", "x" * 3000):
        good.secret = secret
        answer = good.get(f"/messages/{sent[0]}")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
        # as the engine says it: one type for one cause
        assert answer.json()["type"] == "urn:carepost:problem:unauthenticated"
    assert office_events(kinds.MESSAGE_VIEWED) == []


def test_a_revoked_key_and_a_disabled_owners_key_are_refused_from_the_next_request(machine: Any, cast: Any) -> None:
    """HS-06."""
    org = UUID(bytes=cast.maple)
    asking = machine("search")
    assert asking.get("/messages").status_code == 200
    with scope.organisation(org):
        key = ApiKey.objects.exclude(pk=cast.key.id).latest("created_at")
    access.revoke_key(org, key.pk, actor=BOOTSTRAP)
    assert asking.get("/messages").status_code == 401
    other = machine("search")
    owner = UUID(cast.operator.id)
    made = access.add_key(org, "hers", ("search",), actor=BOOTSTRAP, owner=owner)
    other.secret = made.secret
    assert other.get("/messages").status_code == 200
    staff.disable_staff(org, owner, actor=BOOTSTRAP, reason="left")
    assert other.get("/messages").status_code == 401


def test_a_closed_organisations_keys_open_nothing(machine: Any, cast: Any) -> None:
    asking = machine("search", org=cast.harbour)
    organisations.close_organisation(UUID(bytes=cast.harbour), actor=BOOTSTRAP, reason="merged")
    assert asking.get("/messages").status_code == 401


def test_lists_and_search_find_and_page(machine: Any, cast: Any, outbox: Outbox, sent: Any) -> None:
    second = ids.text(outbox.accepted(cast.maple, ("joan@family.test",), subject="Invoice")[0])
    outbox.commit()
    asking = machine("search")
    page = asking.get("/messages", limit="1").json()
    assert [m["id"] for m in page["messages"]] == [second]
    assert [m["id"] for m in asking.get("/messages", cursor=page["cursor"]).json()["messages"]] == [sent[0]]
    assert [m["id"] for m in asking.get("/messages", state="sent").json()["messages"]] == [sent[0]]
    assert [m["id"] for m in asking.get("/messages", tag="panel").json()["messages"]] == [sent[0]]
    for wanted in ({"recipient": "joan@family.test"}, {"subject": "invoice"}, {"recipient": "family.test"}):
        assert [m["id"] for m in asking.post("/messages/search", wanted).json()["messages"]] == [second]
    since = "2099-01-01T00:00:00Z"
    assert asking.get("/messages", since=since).json()["messages"] == []
    assert len(office_events(kinds.MESSAGE_SEARCHED)) == 4
    message, delivery = map(ids.parse, sent)
    outbox.add(cast.maple, kinds.DELIVERY_INSPECTED, [message, delivery], facts={"content": "phi-high", "tags": "phi"})
    outbox.add(cast.maple, kinds.TRACKING_OPENED, [message, delivery], facts={"verdict": "human", "opened": "human"})
    outbox.commit()
    for wanted in ({"content": ["phi-likely", "phi-high"]}, {"engaged": "opened"}, {"tag": "phi", "engaged": "opened"}):
        [one] = asking.post("/messages/search", wanted).json()["messages"]
        assert one["id"] == sent[0]
        assert {d["content"] for d in one["deliveries"]} >= {"phi-high"}
    assert asking.post("/messages/search", {"engaged": "clicked"}).json()["messages"] == []
    for wrong in ({"content": ["bulk"]}, {"content": "phi-high"}, {"engaged": "maybe"}):
        assert asking.post("/messages/search", wrong).status_code == 422


def test_a_proof_verifies_and_is_an_event(machine: Any, sent: tuple[str, str]) -> None:
    answer = machine("proof").get(f"/messages/{sent[0]}/proof", delivery=sent[1])
    assert verify(answer.content, None, None).ok
    assert len(office_events(kinds.PROOF_EXPORTED)) == 1
    assert machine("proof").get(f"/messages/{sent[0]}/proof").status_code == 422


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"recipient": "jane@patient.test"}, b"jane"), ({"limit": "0"}, b""), ({"limit": "x" * 9}, b"xxx"),
        ({"limit": "1000000000"}, b""), ({"limit": "9" * 5000}, b"999"), ({"order_by": "id; DROP TABLE"}, b"DROP"),
        ({"since": "Quillfeather"}, b"Quill"), ({"since": "2026-01-01"}, b""), ({"state": "Quillfeather"}, b"Quill"),
        ({"cursor": "Quillfeather"}, b"Quill"), ({"tag": "a\0b"}, b"a\0b"),
    ],
)  # fmt: skip
def test_a_wrong_query_is_refused_without_repeating_it(machine: Any, query: dict[str, str], word: bytes) -> None:
    """BI-098, law 10."""
    answer = machine("search").get("/messages", **query)
    assert answer.status_code == 422
    assert not word or word not in answer.content


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 415), (b"{", 400), (b"\xff", 400), (b"[]", 422), (b'{"recipient": 5}', 422), (b"[" * 100_000, 422),
        (b'{"recipient": "a", "Quillfeather": 1}', 422), (b'{"subject": "' + b"x" * 3_000_000 + b'"}', 413),
        (b'{"since": "Quillfeather"}', 422), (b'{"subject": "\\ud800"}', 400),
    ],
)  # fmt: skip
def test_a_wrong_body_is_a_problem_without_its_values(machine: Any, raw: bytes, status: int) -> None:
    """BI-105 and its kind: no crash, no echo."""
    answer = machine("search").post("/messages/search", raw)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert b"Quillfeather" not in answer.content


def test_what_has_no_address_is_a_problem_too(machine: Any) -> None:
    answer = machine().get("/no/such/thing")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert "openapi.json lists what there is" in answer.json()["detail"]


def test_who_comes_with_a_key_that_is_none_is_told_so(machine: Any) -> None:
    """And who comes with none how one is given; neither learns whether the key ever was one."""
    asking = machine()
    told = set()
    for secret in (asking.secret[:-1], asking.secret[:-2] + "xx", f"{ids.text(ids.new())}.{'A' * 43}"):
        asking.secret = secret
        told.add(asking.get("/messages").json()["detail"])
    assert len(told) == 1 and "cut off or mistyped" in told.pop()


def test_other_methods_are_named(machine: Any, sent: Any) -> None:
    answer = machine().delete(f"/messages/{sent[0]}")
    assert (answer.status_code, answer["Allow"]) == (405, "GET")
    assert answer.json()["detail"] == "This address takes GET alone."
    both = machine().delete("/messages")
    assert both.json()["detail"] == "This address takes GET and POST alone." and both["Allow"] == "GET, POST"


def test_no_cookie_opens_the_api_and_none_is_set(machine: Any, cast: Any, sent: Any) -> None:
    asking = machine()
    asking.secret = ""
    asking.http.cookies["carepost-staff"] = "anything"
    answer = asking.get(f"/messages/{sent[0]}")
    assert answer.status_code == 401
    assert not answer.cookies


def test_did_it_arrive_and_how_deliveries_went(machine: Any, cast: Any, outbox: Outbox) -> None:
    one, (first,) = outbox.accepted(cast.maple, ("jane@patient.test",))
    outbox.sent(cast.maple, one, first, provider="gmail")
    outbox.commit()
    answer = machine("messages").post("/messages/arrival", {"recipient": "jane@patient.test"})
    assert answer.status_code == 200
    (said,) = answer.json()["answers"]
    assert (said["verdict"], said["delivery"]) == ("accepted", ids.text(first))
    assert "mx.patient.test" in said["headline"]
    assert machine("search").post("/messages/arrival", {"recipient": "jane@patient.test"}).status_code == 403
    assert machine("messages").post("/messages/arrival", {"recipient": "patient.test"}).status_code == 422
    asking = machine("search")
    (row,) = asking.get("/reports/deliveries").json()["rows"]
    assert (row["key"], row["sent"], row["methods"]) == ("gmail", 1, {"tls": 1})
    assert asking.get("/reports/deliveries", by="domain", form="csv").content.startswith(b"key,name,accepted")
    assert asking.get("/reports/deliveries", by="weekday").status_code == 422
    assert asking.get("/reports/deliveries", form="xml").status_code == 422
    assert machine("send").get("/reports/deliveries").status_code == 403
    other = machine("search", "messages", org=cast.harbour)
    assert other.get("/reports/deliveries").json()["rows"] == []
    assert other.post("/messages/arrival", {"recipient": "jane@patient.test"}).json()["answers"] == []
