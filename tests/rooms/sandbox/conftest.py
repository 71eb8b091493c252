"""One living world a module: every posture on its own loopback port."""

from collections.abc import Iterator

import pytest

from tests.support.sandboxed import LivingWorld, living_world


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingWorld]:
    with living_world(tmp_path_factory.mktemp("home") / "sandbox") as world:
        yield world
