"""The engine's part of the OpenAPI document tells the truth about the live server (schemathesis plays both sides)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.errors import InvalidSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

from carepost.wire import openapi
from tests.support.live import LiveHttp

DOCUMENT = openapi.document("0.1.0")
schema = schemathesis.openapi.from_dict(DOCUMENT)
BOUNDED = settings(
    max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture(scope="module")
def http() -> Iterator[LiveHttp]:
    server = LiveHttp(wrong_keys=100_000, per_minute=10_000_000)
    yield server
    server.close()


def test_every_reference_resolves_and_the_document_is_json() -> None:
    text = json.dumps(DOCUMENT)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= DOCUMENT["components"]["schemas"].keys()
    try:
        assert len(list(schema.get_all_operations())) == 3
    except InvalidSchema as error:
        raise AssertionError(str(error)) from error


@pytest.mark.parametrize("path", ["/api/v1/messages", "/api/v1/protection/preview"])
def test_whatever_is_sent_is_answered_as_documented(http: LiveHttp, path: str) -> None:
    operation = schema[path]["POST"]
    seen: set[int] = set()

    @BOUNDED
    @given(case=operation.as_strategy())
    def play(case: Any) -> None:
        headers = {"Authorization": f"Bearer {http.clinics.secrets['maple']}"}
        answer = case.call(base_url=http.url, headers=headers)
        # a schema cannot say all of RFC 5321: what fits it may still be no address
        case.validate_response(answer, excluded_checks=[positive_data_acceptance])
        seen.add(answer.status_code)
        assert answer.status_code < 500

    play()
    assert 422 in seen


def test_what_is_accepted_is_answered_as_documented(http: LiveHttp) -> None:
    message = {"from": "nurse@maple.test", "to": ["ann@elsewhere.test"], "text": "x"}
    headers = {"Authorization": f"Bearer {http.clinics.secrets['maple']}"}
    for path, body in (
        ("/api/v1/messages", message),
        ("/api/v1/messages", {"messages": [message, message]}),
        ("/api/v1/protection/preview", message),
    ):
        case = schema[path]["POST"].Case(body=body, media_type="application/json")
        answer = case.call(base_url=http.url, headers=headers)
        assert answer.status_code in (200, 202)
        case.validate_response(answer)
    case = schema["/health"]["GET"].Case()
    case.validate_response(case.call(base_url=http.url))
