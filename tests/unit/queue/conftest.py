from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.queue.clinic import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    await made.close()
