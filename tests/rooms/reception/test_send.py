"""`POST /api/v1/messages`: what becomes of a request, and who may make it (DESIGN 6)."""

import asyncio
import base64
import datetime
import json
import socket
import threading
import time
from typing import Any

import pytest

from carepost.crypto import slowhash
from carepost.ground.errors import Refused, Unavailable
from carepost.policy.types import Access, Assurance, Category, Method
from carepost.rfc import message as rfc_message
from carepost.rfc import mime
from tests.support.clinics import HARBOUR, MAPLE
from tests.support.live import LiveHttp

PATH = "/api/v1/messages"


def test_a_message_is_accepted_with_its_id_and_each_delivery(http: LiveHttp, message: dict[str, Any]) -> None:
    status, answer, fields = http.post(PATH, {**message, "cc": ["bob@elsewhere.test"], "bcc": ["eve@elsewhere.test"]})
    assert status == 202
    assert fields["location"] == f"/api/v1/messages/{answer['id']}"
    assert [d["recipient"] for d in answer["deliveries"]] == [
        "ann@elsewhere.test", "bob@elsewhere.test", "eve@elsewhere.test",
    ]  # fmt: skip
    assert {"id", "state", "method", "reason", "words", "rule"} <= set(answer["deliveries"][0])
    [submission] = http.intake.submissions
    assert (submission.org, submission.actor.kind, submission.actor.id) == (MAPLE, "key", "key-maple")
    assert (submission.origin, submission.via, submission.key) == ("api", "HTTP", None)
    read = rfc_message.read(submission.body)
    assert read.get("to") == "Ann Example <ann@elsewhere.test>"
    assert read.get("cc") == "bob@elsewhere.test"
    # a blind copy is in the envelope and in no header
    assert b"eve@" not in submission.body


def test_everything_a_caller_can_say_reaches_the_door(http: LiveHttp, message: dict[str, Any]) -> None:
    asked = {
        **message,
        "to": [{"address": "ann@elsewhere.test", "name": "Ann"}],
        "reply_to": "desk@maple.test",
        "html": "<p>See you <b>on Monday</b>.</p>",
        "attachments": [{"filename": "plan.pdf", "content_type": "application/pdf", "content": "JVBERi0="}],
        "headers": {"X-Visit": "7"},
        "protection": {
            "minimum": "AUTHENTICATED", "methods": ["tls", "portal"], "access": {"code": "Blue-42"},
        },
        "category": "operational",
        "tags": ["visit"],
        "metadata": {"visit": "7"},
        "send_at": "2099-01-31T09:00:00+01:00",
        "expires_at": "2099-02-28T09:00:00Z",
    }  # fmt: skip
    status, answer, _ = http.post(PATH, {**asked, "send_at": None})
    assert status == 202, answer
    [submission] = http.intake.submissions
    assert submission.protection.minimum is Assurance.AUTHENTICATED
    assert submission.protection.methods == (Method.TLS, Method.PORTAL)
    proof = submission.protection.access
    assert proof.kind is Access.CODE and slowhash.verify(proof.verifier, "blue 42")
    assert "Blue" not in proof.verifier
    assert submission.category is Category.OPERATIONAL
    assert (submission.tags, submission.metadata) == (("visit",), {"visit": "7"})
    assert submission.expires_at == datetime.datetime(2099, 2, 28, 9, tzinfo=datetime.UTC).timestamp() * 1_000_000
    content = mime.read(submission.body)
    assert content.html and "on Monday" in content.html
    assert [a.name for a in content.attachments] == ["plan.pdf"]
    read = rfc_message.read(submission.body)
    assert (read.get("reply-to"), read.get("x-visit")) == ("desk@maple.test", "7")
    # beyond the longest delay
    status, answer, _ = http.post(PATH, asked)
    assert (status, answer["errors"][0]["pointer"]) == (422, "/send_at")


def test_a_question_and_its_answer(http: LiveHttp, message: dict[str, Any]) -> None:
    access = {"question": "Your first pet?", "answer": "Mr. Paws"}
    assert http.post(PATH, {**message, "protection": {"access": access}})[0] == 202
    proof = http.intake.submissions[0].protection.access
    assert (proof.kind, proof.question) == (Access.QUESTION, "Your first pet?")
    assert slowhash.verify(proof.verifier, "mr paws")


@pytest.mark.parametrize(
    "access", [{}, {"code": "a", "question": "b", "answer": "c"}, {"question": "b"}, {"answer": "c"}, {"code": "  "}]
)
def test_an_access_that_cannot_be_honoured_is_422(http: LiveHttp, message: dict[str, Any], access: Any) -> None:
    status, answer, _ = http.post(PATH, {**message, "protection": {"access": access}})
    assert (status, answer["type"]) == (422, "urn:carepost:problem:access")
    assert http.intake.submissions == []


def test_one_code_for_many_messages_is_hashed_once(http: LiveHttp, message: dict[str, Any]) -> None:
    asked = {**message, "protection": {"access": {"code": "Blue-42"}}}
    status, answer, _ = http.post(PATH, {"messages": [asked] * 200})
    assert status == 202 and len(answer["messages"]) == 200
    assert len({s.protection.access.verifier for s in http.intake.submissions}) == 1


def test_lower_case_minimum_is_read(http: LiveHttp, message: dict[str, Any]) -> None:
    assert http.post(PATH, {**message, "protection": {"minimum": "portal"}})[0] == 202
    assert http.intake.submissions[0].protection.minimum is Assurance.MESSAGE


def test_a_stranger_gets_401(http: LiveHttp, message: dict[str, Any]) -> None:
    good = http.clinics.secrets["maple"]
    wrong = [None, "", "nonsense", "key-maple." + "A" * 43, "key-nobody." + "A" * 43, good + "x", good.upper(), "é"]
    for key in wrong:
        status, answer, fields = http.post(PATH, message, key=key)
        assert status == 401, key
        assert fields["www-authenticate"] == "Bearer"
        assert fields["content-type"] == "application/problem+json"
        assert answer["type"] == "urn:carepost:problem:unauthenticated"
    assert http.intake.submissions == []


def test_a_time_too_far_ahead_is_told_how_far_is_not(http: LiveHttp, message: dict[str, Any]) -> None:
    status, answer, _ = http.post(PATH, {**message, "send_at": "2999-01-31T09:00:00Z"})
    [fault] = answer["errors"]
    assert (status, fault["pointer"]) == (422, "/send_at")
    assert fault["detail"] == "This time is too far ahead: it may lie 366 days ahead at most."


@pytest.mark.parametrize(("path", "taken"), [("/api/v1/protection/preview", "POST"), ("/health", "GET, HEAD")])
def test_an_address_of_the_engine_alone_says_what_it_takes(http: LiveHttp, path: str, taken: str) -> None:
    status, answer, fields = http.request("DELETE", path)
    assert (status, fields["allow"]) == (405, taken)
    assert answer["detail"] == f"This address takes {taken} alone."


def test_a_key_that_counts_for_nothing_is_told_apart_from_none(http: LiveHttp, message: dict[str, Any]) -> None:
    assert "Authorization: Bearer" in http.post(PATH, message, key=None)[1]["detail"]
    assert "cut off or mistyped" in http.post(PATH, message, key=http.clinics.secrets["maple"][:-1])[1]["detail"]


def test_a_key_without_the_scope_gets_403(http: LiveHttp, message: dict[str, Any]) -> None:
    status, answer, _ = http.post(PATH, message, key="maple-reader")
    assert (status, answer["type"]) == (403, "urn:carepost:problem:scope")
    assert http.intake.submissions == []


def test_another_organisations_key_speaks_for_that_organisation_only(http: LiveHttp, message: dict[str, Any]) -> None:
    # the sender domain is judged by the one door, for the key's organisation
    http.post(PATH, message, key="harbour")
    assert http.intake.submissions[0].org == HARBOUR


def test_a_refusal_of_the_door_is_a_problem_with_its_status(http: LiveHttp, message: dict[str, Any]) -> None:
    http.intake.failure = Refused("sender-domain", "From is not a domain of this organisation.", status=403)
    status, answer, _ = http.post(PATH, message)
    assert (status, answer["type"], answer["detail"]) == (
        403, "urn:carepost:problem:sender-domain", "From is not a domain of this organisation.",
    )  # fmt: skip
    http.intake.failure = Unavailable("disk-low", "There is too little free disk.")
    status, answer, fields = http.post(PATH, message)
    assert (status, answer["status"], fields["retry-after"]) == (503, 503, "5")


def test_a_fault_of_ours_says_nothing_of_the_message(http: LiveHttp, message: dict[str, Any]) -> None:
    http.intake.failure = KeyError("ann@elsewhere.test")
    status, answer, _ = http.post(PATH, message)
    assert status == 500
    assert "elsewhere" not in str(answer)


def test_an_office_that_cannot_be_read_is_503(http: LiveHttp, message: dict[str, Any]) -> None:
    http.clinics.lose_office()
    assert http.post(PATH, message)[0] == 503
    assert http.request("GET", "/health")[:2] == (503, {"status": "unavailable"})


def test_one_that_takes_nothing_says_so_to_load_balancers(http: LiveHttp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http.app, "_taking", lambda: False)
    assert http.request("GET", "/health")[:2] == (503, {"status": "unavailable"})


def test_a_batch_is_answered_in_its_order(http: LiveHttp, message: dict[str, Any]) -> None:
    many = [{**message, "to": [f"r{n}@elsewhere.test"]} for n in range(1000)]
    status, answer, _ = http.post(PATH, {"messages": many})
    assert status == 202
    assert [m["deliveries"][0]["recipient"] for m in answer["messages"]] == [
        f"r{n}@elsewhere.test" for n in range(1000)
    ]
    assert http.post(PATH, {"messages": [message] * 1001})[0] == 422
    assert http.post(PATH, {"messages": []})[0] == 422
    assert http.post(PATH, {"messages": [message], "priority": 1})[0] == 422
    assert len(http.intake.submissions) == 1000


def test_one_wrong_message_of_a_batch_spoils_no_other(http: LiveHttp, message: dict[str, Any]) -> None:
    """Whatever is wrong with it: no address, a field nobody knows, a wrong kind of value, no message at all."""
    wrong = [{**message, "to": ["no address"]}, {**message, "prioritty": 1}, {**message, "subject": 7}, "a word"]
    status, answer, _ = http.post(PATH, {"messages": [message, *wrong, message]})
    assert status == 202
    entries = answer["messages"]
    assert entries[0]["id"] and entries[5]["id"] and len(http.intake.submissions) == 2
    assert [e["problem"]["status"] for e in entries[1:5]] == [422] * 4
    pointers = [e["problem"]["errors"][0]["pointer"] for e in entries[1:5]]
    assert pointers == ["/messages/1/to/0", "/messages/2", "/messages/3/subject", "/messages/4"]
    assert "no address" not in str(answer) and "a word" not in str(answer)


def test_a_message_of_a_batch_may_have_a_key_of_its_own(http: LiveHttp, message: dict[str, Any]) -> None:
    own = {**message, "idempotency_key": "visit 7"}
    status, answer, _ = http.post(PATH, {"messages": [own, message, own]}, Idempotency_Key="monday")
    assert status == 202
    assert [s.key for s in http.intake.submissions] == ["api:visit 7", "api:monday:1"]
    assert answer["messages"][2]["problem"]["errors"][0]["pointer"] == "/messages/2/idempotency_key"
    assert http.post(PATH, {**message, "idempotency_key": "na\u00efve"})[0] == 422


def test_a_test_is_submitted_as_one(http: LiveHttp, message: dict[str, Any]) -> None:
    assert http.post(PATH, {**message, "test": True})[0] == 202 and http.post(PATH, message)[0] == 202
    assert [s.test for s in http.intake.submissions] == [True, False]


def test_one_refused_message_of_a_batch_leaves_the_others(http: LiveHttp, message: dict[str, Any]) -> None:
    accept = http.intake.accept

    async def picky(submission: Any) -> Any:
        if submission.envelope.sender.startswith("bad@"):
            raise Refused("suppressed", "This recipient is suppressed.", status=422)
        return await accept(submission)

    http.intake.accept = picky
    status, answer, _ = http.post(PATH, {"messages": [message, {**message, "from": "bad@maple.test"}, message]})
    assert status == 202
    first, second, third = answer["messages"]
    assert first["id"] and third["id"]
    assert second == {
        "problem": {
            "type": "urn:carepost:problem:suppressed", "title": "The request cannot be carried out as it is",
            "status": 422, "detail": "This recipient is suppressed.",
        }
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"to": [], "cc": [], "bcc": []}, "/to"),
        ({"to": ["a@b.test, c@d.test"]}, "/to/0"),
        ({"to": ["Team: a@b.test;"]}, "/to/0"),
        ({"to": [3]}, "/to/0"),
        ({"to": "ann@elsewhere.test"}, "/to"),
        ({"from": ""}, "/from"),
        ({"subjekt": "x"}, ""),
        ({"category": "system"}, "/category"),
        ({"protection": {"minimum": "BEST"}}, "/protection/minimum"),
        ({"protection": {"minimun": "VERIFIED"}}, "/protection"),
        ({"protection": {"methods": ["fax"]}}, "/protection/methods/0"),
        ({"attachments": [{"filename": "a", "content": "###"}]}, "/attachments/0/content"),
        ({"attachments": [{"filename": "a", "content": "QQ"}]}, "/attachments/0/content"),
        ({"send_at": "tomorrow"}, "/send_at"),
        ({"send_at": "2099-01-01T00:00:00"}, "/send_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
        ({"metadata": {"a": 1}}, "/metadata/*"),
        ({"headers": {"X-Carepost-Access-Code": "1"}}, "/headers"),
    ],
)
def test_a_wrong_field_is_422_with_its_pointer_and_without_its_value(
    http: LiveHttp, message: dict[str, Any], change: dict[str, Any], pointer: str
) -> None:
    status, answer, fields = http.post(PATH, {**message, **change})
    assert status == 422
    assert fields["content-type"] == "application/problem+json"
    assert answer["errors"][0]["pointer"] == pointer
    assert "fax" not in str(answer) and "BEST" not in str(answer)
    assert http.intake.submissions == []


def test_preview_answers_without_sending(http: LiveHttp, message: dict[str, Any]) -> None:
    status, answer, _ = http.post(
        "/api/v1/protection/preview", {**message, "protection": {"access": {"code": "Blue-42"}}}
    )
    assert status == 200
    assert answer["note"] == "Expected; decided again at delivery."
    assert answer["deliveries"][0]["recipient"] == "ann@elsewhere.test"
    assert http.intake.submissions == []
    assert http.post("/api/v1/protection/preview", message, key="maple-reader")[0] == 403


def test_the_checkpoint_of_the_organisation_rides_in_every_answer(message: dict[str, Any]) -> None:
    http = LiveHttp(checkpoint=lambda org: "carepost.maple 7 abc" if org == MAPLE else None)
    try:
        assert http.post(PATH, message)[2]["carepost-checkpoint"] == "carepost.maple 7 abc"
        assert http.post(PATH, {**message, "to": []})[2]["carepost-checkpoint"] == "carepost.maple 7 abc"
        assert "carepost-checkpoint" not in http.post(PATH, message, key="harbour")[2]
    finally:
        http.close()


def test_answers_are_never_cached_and_say_the_rate(http: LiveHttp, message: dict[str, Any]) -> None:
    fields = http.post(PATH, message)[2]
    assert fields["cache-control"] == "no-store"
    assert fields["ratelimit-policy"] == '"send";q=120000;w=60'
    assert fields["ratelimit"].startswith('"send";r=119999;')


def test_an_answer_comes_only_after_the_door_returned(http: LiveHttp, message: dict[str, Any]) -> None:
    http.intake.gate = asyncio.Event()
    connection = _start(http, message)
    assert http.intake.arrived.acquire(timeout=10)
    connection.settimeout(0.2)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    http.thread.loop.call_soon_threadsafe(http.intake.gate.set)
    connection.settimeout(10)
    assert connection.recv(100).startswith(b"HTTP/1.1 202")
    connection.close()


def _start(http: LiveHttp, message: dict[str, Any]) -> Any:
    body = json.dumps(message).encode()
    connection = socket.create_connection(("127.0.0.1", http.port), timeout=10)
    connection.sendall(
        b"POST /api/v1/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        + f"authorization: Bearer {http.clinics.secrets['maple']}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    return connection


def test_a_large_attachment_arrives_whole(http: LiveHttp, message: dict[str, Any]) -> None:
    data = bytes(range(256)) * 8000
    asked = {**message, "attachments": [{"filename": "x.bin", "content": base64.b64encode(data).decode()}]}
    assert http.post(PATH, asked)[0] == 202
    [attachment] = mime.read(http.intake.submissions[0].body).attachments
    assert attachment.data == data
    assert http.bodies.held == 0


def test_a_key_withdrawn_while_its_request_comes_sends_nothing(http: LiveHttp, message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    with socket.create_connection(("127.0.0.1", http.port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/v1/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            + f"authorization: Bearer {http.clinics.secrets['maple']}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            + body[:10]
        )
        while http.bodies.held == 0:
            time.sleep(0.005)
        http.clinics.source.drop(MAPLE)
        http.clinics.directory.poll()
        connection.sendall(body[10:])
        assert connection.recv(100).startswith(b"HTTP/1.1 401")
    assert http.intake.submissions == []


def test_draining_answers_what_runs_and_takes_nothing_new(message: dict[str, Any]) -> None:
    http = LiveHttp()
    http.intake.gate = asyncio.Event()
    connection = _start(http, message)
    try:
        assert http.intake.arrived.acquire(timeout=10)
        ending = threading.Thread(target=lambda: http.thread.run(http.server.drain(20)))
        ending.start()
        refused = False
        for _ in range(1000):
            try:
                http.request("GET", "/health")
            except OSError:
                refused = True
                break
            time.sleep(0.01)
        assert refused
        http.thread.loop.call_soon_threadsafe(http.intake.gate.set)
        assert connection.recv(100).startswith(b"HTTP/1.1 202")
        ending.join(20)
        assert not ending.is_alive()
    finally:
        connection.close()
        http.close()


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"headers": {"Received": "x"}}, "/headers", "The header field Received is set by the server; leave it out."),
        ({"headers": {"X Visit": "7"}}, "/headers", "printable ASCII characters without space"),
        ({"headers": {"X-Visit": "7\r\nBcc: eve@elsewhere.test"}}, "/headers", "a line end"),
        ({"subject": "a\r\nb"}, "/subject", "a line end"),
        ({"text": "a\0b"}, "/text", "NUL"), ({"html": "a\0b"}, "/html", "The html contains a NUL"),
        ({"attachments": [{"filename": "a", "content": "", "content_type": "pdf"}]}, "/attachments", "application/pdf"),
    ],
)  # fmt: skip
def test_what_cannot_stand_in_a_message_is_named_with_its_field(
    http: LiveHttp, message: dict[str, Any], change: dict[str, Any], pointer: str, words: str
) -> None:
    status, answer, _ = http.post(PATH, {**message, **change})
    [fault] = answer["errors"]
    assert (status, fault["pointer"]) == (422, pointer) and words in fault["detail"]


def test_an_invitation_leaves_as_one(http: LiveHttp, message: dict[str, Any]) -> None:
    file = {"filename": "visit.ics", "content": "QkVHSU4=", "content_type": "text/calendar; method=REQUEST"}
    assert http.post(PATH, {**message, "attachments": [file]})[0] == 202
    assert b"Content-Type: text/calendar;\r\n method=REQUEST\r\n" in http.intake.submissions[0].body
