"""A recipient on the suppression list is called so in every answer of the API that tells of a send."""

from collections.abc import Iterator
from typing import Any

import pytest

from carepost.ground import ids
from carepost.wire.types import AcceptedDelivery, Submission
from tests.support.live import LiveHttp, MemoryIntake


class Door(MemoryIntake):
    """As the real door answers (`intake.draft`): refused by the list, and refused by a rule."""

    async def preview(self, submission: Submission) -> tuple[AcceptedDelivery, ...]:
        why = {"off@elsewhere.test": "suppressed", "no@elsewhere.test": "rule-refuses"}
        return tuple(
            AcceptedDelivery(ids.text(ids.new(1)), r.address, "failed" if r.address in why else "queued", "",
                             why.get(r.address, "tls"), "Words.", "rule")
            for r in submission.envelope.recipients
        )  # fmt: skip


@pytest.fixture
def http() -> Iterator[LiveHttp]:
    server = LiveHttp(intake=Door())
    yield server
    server.close()


def states(deliveries: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(one["state"], one["reason"]) for one in deliveries]


SAID = [("suppressed", "suppressed"), ("failed", "rule-refuses"), ("queued", "tls")]


def test_it_is_called_suppressed_alone_in_a_batch_and_in_a_preview(http: LiveHttp, message: dict[str, Any]) -> None:
    asked = {**message, "to": ["off@elsewhere.test", "no@elsewhere.test", "ann@elsewhere.test"]}
    status, answer, _ = http.post("/api/v1/messages", asked)
    assert status == 202 and states(answer["deliveries"]) == SAID
    status, answer, _ = http.post("/api/v1/messages", {"messages": [asked]})
    assert status == 202 and states(answer["messages"][0]["deliveries"]) == SAID
    status, answer, _ = http.post("/api/v1/protection/preview", asked)
    assert status == 200 and states(answer["deliveries"]) == SAID
