"""Idempotency-Key (BI-083), limits of one key (BI-084)."""

import asyncio
import threading
from typing import Any

import pytest

from carepost.ground.errors import Refused
from tests.support.live import LiveHttp

PATH = "/api/v1/messages"


def test_bi_083_the_same_request_with_the_same_key_is_one_message(http: LiveHttp, message: dict[str, Any]) -> None:
    first = http.post(PATH, message, Idempotency_Key='"visit-7"')
    second = http.post(PATH, message, Idempotency_Key="visit-7")
    assert (first[0], second[0]) == (202, 202)
    assert second[1] == {**first[1], "repeated": True}
    [submission] = http.intake.submissions
    assert submission.key == "api:visit-7"


def test_bi_083_the_hash_compared_is_of_what_the_caller_said(http: LiveHttp, message: dict[str, Any]) -> None:
    # the MIME differs each time (Date, boundary); the same request spelled in another order does not
    http.post(PATH, message, Idempotency_Key="a")
    http.post(PATH, dict(reversed(message.items())), Idempotency_Key="b")
    http.post(PATH, {**message, "subject": "Another"}, Idempotency_Key="c")
    one, same, other = (s.payload_hash for s in http.intake.submissions)
    assert one == same != other and len(one) == 32


def test_bi_083_the_same_key_with_another_body_is_422(http: LiveHttp, message: dict[str, Any]) -> None:
    http.intake.failure = Refused("key-reused", "This key was used for another message.", status=422)
    assert http.post(PATH, message, Idempotency_Key="visit-7")[0] == 422


def test_bi_083_the_same_key_in_flight_is_409(http: LiveHttp, message: dict[str, Any]) -> None:
    http.intake.gate = asyncio.Event()
    answers: list[int] = []
    first = threading.Thread(target=lambda: answers.append(http.post(PATH, message, Idempotency_Key="visit-7")[0]))
    first.start()
    assert http.intake.arrived.acquire(timeout=10)
    status, answer, _ = http.post(PATH, message, Idempotency_Key="visit-7")
    assert (status, answer["type"]) == (409, "urn:carepost:problem:in-flight")
    http.thread.loop.call_soon_threadsafe(http.intake.gate.set)
    first.join(10)
    assert answers == [202]
    assert len(http.intake.submissions) == 1
    # and afterwards the key is free again
    assert http.post(PATH, message, Idempotency_Key="visit-7")[0] == 202


def test_another_organisations_equal_key_is_another_key(http: LiveHttp, message: dict[str, Any]) -> None:
    http.post(PATH, message, Idempotency_Key="visit-7")
    http.post(PATH, message, key="harbour", Idempotency_Key="visit-7")
    assert len(http.intake.submissions) == 2


def test_each_message_of_a_batch_has_its_part_of_the_key(http: LiveHttp, message: dict[str, Any]) -> None:
    http.post(PATH, {"messages": [message, message]}, Idempotency_Key="visit-7")
    assert [s.key for s in http.intake.submissions] == ["api:visit-7:0", "api:visit-7:1"]


@pytest.mark.parametrize("value", ["", '""', "a b", "x" * 256, '"unclosed', "naïve", '"a","b"', '"a"b"'])
def test_bi_083_what_is_no_key_is_400(http: LiveHttp, message: dict[str, Any], value: str) -> None:
    status, answer, _ = http.post(PATH, message, Idempotency_Key=value)
    assert (status, answer["type"]) == (400, "urn:carepost:problem:idempotency-key")
    assert http.intake.submissions == []


def test_bi_084_a_flood_of_one_key_is_429_and_other_keys_go_on(message: dict[str, Any]) -> None:
    http = LiveHttp(per_minute=60, at_once=1000)
    try:
        seen = [http.post(PATH, message) for _ in range(70)]
        codes = [status for status, _, _ in seen]
        assert codes[:60] == [202] * 60 and 429 in codes[60:]
        _, answer, fields = next(one for one in seen if one[0] == 429)
        assert int(fields["retry-after"]) >= 1
        assert fields["content-type"] == "application/problem+json"
        assert answer["type"].endswith("#quota-exceeded")
        assert fields["ratelimit"].startswith('"send";r=0;')
        assert http.post(PATH, message, key="harbour")[0] == 202
    finally:
        http.close()


def test_bi_084_too_many_at_once_are_429(message: dict[str, Any]) -> None:
    http = LiveHttp(at_once=4)
    http.intake.gate = asyncio.Event()
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(http.post(PATH, message)[0])) for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
            assert http.intake.arrived.acquire(timeout=10)
        assert http.post(PATH, message)[0] == 429
    finally:
        http.thread.loop.call_soon_threadsafe(http.intake.gate.set)
        for thread in threads:
            thread.join(10)
        http.close()
    assert answers == [202] * 4


def test_bi_084_a_batch_counts_as_many_as_it_carries(message: dict[str, Any]) -> None:
    http = LiveHttp(per_minute=50)
    try:
        assert http.post(PATH, {"messages": [message] * 50})[0] == 202
        assert http.post(PATH, message)[0] == 429
    finally:
        http.close()


def test_guessing_keys_is_429(message: dict[str, Any]) -> None:
    http = LiveHttp(wrong_keys=5)
    try:
        codes = [http.post(PATH, message, key="key-x." + "A" * 43)[0] for _ in range(6)]
        assert codes == [401] * 5 + [429]
    finally:
        http.close()
