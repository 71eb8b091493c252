from collections.abc import Iterator

import pytest

from tests.support.live import LiveHttp


@pytest.fixture(params=["in-one-piece", "in-pieces"])
def http(request: pytest.FixtureRequest) -> Iterator[LiveHttp]:
    server = LiveHttp(in_pieces=request.param == "in-pieces")
    yield server
    server.close()


@pytest.fixture
def message() -> dict[str, object]:
    return {
        "from": "Maple Clinic <nurse@maple.test>",
        "to": ["Ann Example <ann@elsewhere.test>"],
        "subject": "Your visit",
        "text": "See you on Monday.",
    }
