import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from live import LiveHttp


@pytest.fixture
def http() -> Iterator[LiveHttp]:
    server = LiveHttp()
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
