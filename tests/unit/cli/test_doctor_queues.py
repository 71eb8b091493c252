"""What the doctor says of mail that is due and has not left: whether somebody has to look."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from carepost.cli.checks import house
from carepost.cli.local import Local
from carepost.ground import clock
from carepost.ground import home as homes
from carepost.ground.config import Config
from carepost.wire.doors import HealthAnswer


class Here:
    """A home with mail due for an hour. `oldest`: what its engine says of it; None: none runs."""

    def __init__(self, folder: Path, oldest: int | None) -> None:
        self.home, self.config, self._oldest = homes.create(folder / "home", shards=1), Config(), oldest
        self.client = cast("Any", SimpleNamespace(health=self._health))

    def _health(self) -> list[HealthAnswer]:
        return [] if self._oldest is None else [HealthAnswer({"0": {"oldest_s": self._oldest}}, {})]


@pytest.mark.parametrize(("oldest", "state"), [(None, "failed"), (3600, "failed"), (0, "attention")])
def test_what_a_plan_keeps_back_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, oldest: int | None, state: str
) -> None:
    since = clock.now() - 3_600_000_000
    monkeypatch.setattr(house, "_on_disk", lambda here, now: [(3, since)])
    (found,) = house.queues(cast("Local", Here(tmp_path, oldest)))
    assert found.state == state and found.what.startswith("3 deliveries are due, the oldest since 60 min")
    assert ("warm-up" in found.what) == (state == "attention")
