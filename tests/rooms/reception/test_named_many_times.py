"""A small request that names much: an upload a hundred times, a template a thousand. It costs bounded memory."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from carepost.directory.shelf import FileHead, StaticShelf, Upload
from carepost.ground import ids
from carepost.ground.errors import CarepostError
from carepost.wire.types import Accepted, Submission
from tests.support.clinics import MAPLE
from tests.support.live import LiveHttp, MemoryIntake

PATH = "/api/v1/messages"
FILE = ids.new()
MB = 1_000_000


class Weighed(MemoryIntake):
    """How much was handed over at once, and how much the process counted then."""

    def __init__(self) -> None:
        super().__init__()
        self.together: list[int] = []
        self.counted: list[int] = []
        self.bodies: Any = None

    async def accept_many(self, submissions: Sequence[Submission]) -> list[Accepted | CarepostError]:
        self.together.append(sum(len(one.body) for one in submissions))
        self.counted.append(self.bodies.held)
        return await super().accept_many(submissions)


@pytest.fixture
def http() -> Iterator[LiveHttp]:
    shelf = StaticShelf({}, {(MAPLE, FILE): Upload(FileHead("scan.pdf", "application/pdf"), b"x" * MB)})
    intake = Weighed()
    server = LiveHttp(intake=intake, shelf=shelf, max_message=5 * MB, batch_bytes=4 * MB)
    intake.bodies = server.bodies
    yield server
    server.close()


def letter(files: int) -> dict[str, Any]:
    named = [{"upload_id": str(uuid.UUID(bytes=FILE))}] * files
    return {"from": "nurse@maple.test", "to": ["ann@elsewhere.test"], "text": "See it.", "attachments": named}


def test_one_upload_named_a_hundred_times_is_refused_before_it_is_made(
    http: LiveHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert http.post(PATH, letter(2))[0] == 202
    monkeypatch.setattr("carepost.rfc.compose.build", lambda **_: pytest.fail("made"))
    status, answer, _ = http.post(PATH, letter(100))
    assert (status, answer["type"]) == (413, "urn:carepost:problem:too-large")
    assert answer["detail"] == "A message has at most 5 MB with its files."
    status, answer, _ = http.post(PATH, {"messages": [letter(100)]})
    assert status == 202 and answer["messages"][0]["problem"]["status"] == 413
    assert http.bodies.held == 0


def test_a_batch_that_names_much_goes_to_the_door_in_pieces_and_is_counted(http: LiveHttp) -> None:
    wanted = [letter(1) for _ in range(12)]
    wanted[5] = letter(9)
    status, answer, _ = http.post(PATH, {"messages": wanted})
    assert status == 202
    said = ["problem" in one for one in answer["messages"]]
    assert said == [number == 5 for number in range(12)]
    assert len(http.intake.submissions) == 11
    # never more than the bound and the message that reached it, and all of it was counted
    assert max(http.intake.together) < (4 + 2) * MB and len(http.intake.together) > 2
    assert min(http.intake.counted) > MB and http.bodies.held == 0


def test_a_batch_of_small_messages_still_shares_one_commit(http: LiveHttp) -> None:
    assert http.post(PATH, {"messages": [letter(0) for _ in range(200)]})[0] == 202
    assert len(http.intake.together) == 1
