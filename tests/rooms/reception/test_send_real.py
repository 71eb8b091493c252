"""The API before a real intake and queue: what is answered is on the disk, and the door judges senders and keys."""

import datetime
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from carepost.ground import ids
from tests.support.clinics import MAPLE
from tests.support.live import LiveHttp

PATH = "/api/v1/messages"


@pytest.fixture
def real(tmp_path: Path) -> Iterator[LiveHttp]:
    server = LiveHttp(home=tmp_path)
    yield server
    server.close()


def test_what_is_answered_is_stored_and_sealed(real: LiveHttp, message: dict[str, Any], tmp_path: Path) -> None:
    status, answer, _ = real.post(PATH, {**message, "metadata": {"visit": "Canary-7731"}, "tags": ["visit"]})
    assert status == 202
    found = real.thread.run(real.intake.queue.lookup(MAPLE, ids.parse(answer["id"])))
    assert (found.subject, found.origin, [d.id for d in found.deliveries]) == (
        "Your visit", "api", [answer["deliveries"][0]["id"]],
    )  # fmt: skip
    for file in tmp_path.rglob("*"):
        if file.is_file():
            raw = file.read_bytes()
            assert not any(word in raw for word in (b"Canary-7731", b"See you on Monday", b"ann@elsewhere"))


def test_another_organisations_sender_domain_is_403(real: LiveHttp, message: dict[str, Any]) -> None:
    status, answer, _ = real.post(PATH, {**message, "from": "doctor@harbour.test"})
    assert (status, answer["type"]) == (403, "urn:carepost:problem:sender-domain")
    assert real.post(PATH, message, key="harbour")[0] == 403
    assert real.post("/api/v1/protection/preview", message, key="harbour")[0] == 403
    assert real.post(PATH, {**message, "from": "doctor@harbour.test"}, key="harbour")[0] == 202


def test_bi_083_one_key_one_message_and_another_body_is_422(real: LiveHttp, message: dict[str, Any]) -> None:
    first = real.post(PATH, message, Idempotency_Key="visit-7")
    again = real.post(PATH, message, Idempotency_Key="visit-7")
    assert (first[0], again[0]) == (202, 202)
    assert (again[1]["id"], again[1]["repeated"]) == (first[1]["id"], True)
    other = real.post(PATH, {**message, "subject": "Another"}, Idempotency_Key="visit-7")
    assert other[0] == 422
    # the same key of another organisation is another key
    theirs = {**message, "from": "doctor@harbour.test"}
    assert real.post(PATH, theirs, key="harbour", Idempotency_Key="visit-7")[1]["id"] != first[1]["id"]
    assert len(real.thread.run(real.intake.queue.listing(b"", "", 100))) == 2


def test_bi_083_a_repeated_batch_is_the_same_messages(real: LiveHttp, message: dict[str, Any]) -> None:
    batch = {"messages": [{**message, "subject": f"Visit {n}"} for n in range(20)]}
    first = real.post(PATH, batch, Idempotency_Key="monday")
    again = real.post(PATH, batch, Idempotency_Key="monday")
    assert [m["id"] for m in first[1]["messages"]] == [m["id"] for m in again[1]["messages"]]
    assert all(m["repeated"] for m in again[1]["messages"])


def test_bi_083_ten_at_once_with_one_key_are_one_message(real: LiveHttp, message: dict[str, Any]) -> None:
    with ThreadPoolExecutor(10) as pool:
        done = list(pool.map(lambda _: real.post(PATH, message, Idempotency_Key="once"), range(10)))
    assert {status for status, _, _ in done} <= {202, 409}
    assert len({answer["id"] for status, answer, _ in done if status == 202}) == 1
    assert len(real.thread.run(real.intake.queue.listing(b"", "", 100))) == 1


def test_preview_writes_nothing_and_says_why(real: LiveHttp, message: dict[str, Any]) -> None:
    status, answer, _ = real.post("/api/v1/protection/preview", message)
    assert status == 200
    [delivery] = answer["deliveries"]
    assert delivery["words"] and delivery["reason"] and delivery["rule"]
    assert real.thread.run(real.intake.queue.listing(b"", "", 100)) == ()


def test_a_message_for_later_waits(real: LiveHttp, message: dict[str, Any]) -> None:
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2)
    status, answer, _ = real.post(PATH, {**message, "send_at": later.isoformat()})
    assert status == 202
    found = real.thread.run(real.intake.queue.lookup(MAPLE, ids.parse(answer["id"])))
    assert abs(found.deliveries[0].due_at - later.timestamp() * 1e6) < 2_000_000
    early = (later - datetime.timedelta(days=1)).isoformat()
    status, answer, _ = real.post(PATH, {**message, "send_at": later.isoformat(), "expires_at": early})
    assert (status, answer["type"]) == (422, "urn:carepost:problem:expires-early")
    far = (later + datetime.timedelta(days=60)).isoformat()
    status, answer, _ = real.post(PATH, {**message, "send_at": far})
    assert (status, answer["type"]) == (422, "urn:carepost:problem:send-at-too-far")
    assert "at most 31 days ahead" in answer["detail"]
