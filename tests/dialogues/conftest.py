from collections.abc import Iterator

import pytest

from tests.support.live import Live


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    server = Live(tmp_path_factory.mktemp("dialogues"), real=True, max_message=4096, max_recipients=100, max_errors=5)
    yield server
    server.close()
