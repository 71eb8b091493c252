"""Every test of the queue once more, over a shard in PostgreSQL; and what becomes of it when another node takes it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support import spools
from tests.support.spools import Node
from tests.unit.queue.clinic import House
from tests.unit.queue.test_accept import *  # noqa: F403
from tests.unit.queue.test_claim import *  # noqa: F403
from tests.unit.queue.test_recovery import *  # noqa: F403
from tests.unit.queue.test_review import *  # noqa: F403

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[str]:
    with spools.database(postgres_url) as url:
        yield url


@pytest.fixture
async def house(tmp_path: Path, database: str) -> AsyncIterator[House]:
    spools.empty(database)
    made = House(tmp_path, node=Node(database, "one"))
    yield made
    await made.close()
