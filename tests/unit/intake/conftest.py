from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.intake.office import Office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    await made.queue.start()
    yield made
    await made.close()
